//! Packages that are uploaded to the storage first, as Buildkite's clients do with large ones.

use serde_json::json;

use crate::form::parts;
use crate::routes::params::Params;
use crate::routes::{Call, Outcome, Reply};

/// The path of uploads at the storage.
pub(crate) const UPLOADS: &str = "/uploads";

/// `POST REGISTRY/packages/upload`: the form to send a file to the storage with. The documentation
/// does not name this endpoint; Buildkite's clients use it.
pub(in crate::routes) fn request_upload(call: &mut Call<'_>, _: &Params<'_>) -> Outcome {
    let id = call.world.new_id();
    let url = format!("{}{UPLOADS}", call.storage);
    Ok(Reply::value(&json!({
        "uri": format!("{url}/{id}"),
        "form": {
            "file_input": "file",
            "method": "POST",
            "url": url,
            "data": {"key": format!("{id}/${{filename}}")},
        },
    })))
}

/// Keeps a file that was sent to the storage. Returns the status of the answer.
pub(crate) fn keep_upload(world: &mut crate::world::World, body: &[u8]) -> u16 {
    let parts = parts(body);
    let key = parts.iter().find(|part| part.name == "key");
    let file = parts.iter().find_map(|part| {
        let name = part.filename.as_ref()?;
        Some((name, part.content))
    });
    let (Some(key), Some((name, content))) = (key, file) else {
        return 400;
    };
    let key = String::from_utf8_lossy(key.content).replace("${filename}", name);
    world.keep_upload(&key, content);
    204
}

/// The file behind the address of an upload, and its name.
pub(super) fn uploaded(call: &Call<'_>, url: &str) -> Option<(String, Vec<u8>)> {
    let (_, key) = url.split_once(&format!("{UPLOADS}/"))?;
    let content = call.world.upload(key)?;
    let name = key.rsplit('/').next()?;
    Some((name.to_owned(), content.to_vec()))
}
