//! The way to the content of an artifact: a redirect to the storage, which is another origin.

use serde_json::json;

use super::{Call, Outcome, Reply};
use crate::world::{Build, Entry};

/// How long an address of the storage is good, in seconds (API facts 12).
const EXPIRES_SECS: i64 = 60;

/// `GET …/artifacts/{id}/download`
pub(super) fn redirect(call: &Call<'_>, build: &Build, artifact: &Entry) -> Outcome {
    let state = artifact.object.text("state");
    if state.is_some_and(|state| state != "finished") {
        return Err(Reply::error(404, "No artifact found"));
    }
    let build = &build.facts.id;
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

/// What proves that an address was given by the fake.
pub(crate) fn signature(id: &str, expires: i64) -> u64 {
    let parts: Vec<u64> = id.bytes().map(u64::from).collect();
    let mut dice = crate::dice::Dice::of(&parts);
    dice.next() ^ expires.unsigned_abs()
}
