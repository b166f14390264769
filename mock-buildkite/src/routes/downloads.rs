//! Downloads of artifacts: a redirect to the storage, which is another host.

use serde_json::json;

use super::{Call, Outcome, Reply};
use crate::rng::Rng;
use crate::world::{Build, Entry};

/// How long a storage address is valid, in seconds.
const EXPIRES_SECS: i64 = 60;

/// `GET …/artifacts/{id}/download`
pub(super) fn redirect(call: &Call<'_>, build: &Build, artifact: &Entry) -> Outcome {
    let state = artifact.object.text("state");
    if state.is_some_and(|state| state != "finished") {
        return Err(Reply::error(404, "No artifact found"));
    }
    let build = &build.summary.id;
    let id = artifact.object.text("id").unwrap_or_default();
    let expires = call.world.now().timestamp() + EXPIRES_SECS;
    let url = format!(
        "{}/storage/{build}/{id}?Expires={expires}&Signature={:016x}",
        call.storage,
        signature(&id, expires)
    );
    Ok(Reply {
        status: 302,
        headers: vec![("Location", url.clone())],
        ..Reply::value(&json!({ "url": url }))
    })
}

/// The signature of a storage address.
pub(crate) fn signature(id: &str, expires: i64) -> u64 {
    Rng::of_text(id).next() ^ expires.unsigned_abs()
}
