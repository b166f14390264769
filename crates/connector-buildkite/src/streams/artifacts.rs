//! `artifacts`: `GET BUILD/artifacts` (API facts 12).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent};

/// A record of `artifacts`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Artifact {
    /// Unique id, a UUID.
    pub id: String,
    /// The job that uploaded it.
    pub job_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Address of its content in the API.
    pub download_url: Option<String>,
    /// `new`, `error`, `finished`, `deleted` or `expired`.
    pub state: Option<String>,
    /// Path under which it was uploaded.
    pub path: Option<String>,
    /// Folder of that path.
    pub dirname: Option<String>,
    /// Name of the file.
    pub filename: Option<String>,
    /// Media type, guessed by the agent.
    pub mime_type: Option<String>,
    /// Size in bytes.
    pub file_size: Option<i64>,
    /// Always null.
    pub glob_path: Option<String>,
    /// Always null.
    pub original_path: Option<String>,
    /// SHA-1 of the content, in hex.
    pub sha1sum: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: Option<String>,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: Option<String>,
    /// Id of its build. Added by the connector.
    pub build_id: String,
    /// Number of its build, unique in its pipeline. Added by the connector.
    pub build_number: i64,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Artifact>(
        "artifacts",
        "Files that jobs uploaded: name, size and checksum, not the content.",
        Parent::Build,
        "v2/organizations/{organization_slug}/pipelines/{pipeline_slug}/builds/{build_number}/artifacts",
    )
    .scope("read_artifacts")
}
