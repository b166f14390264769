//! An artifact as the API describes it.

use serde::Deserialize;

/// An artifact that can be fetched.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ArtifactFile {
    /// Its id.
    pub id: String,
    /// The job that uploaded it.
    pub job_id: String,
    /// `finished` if its content can be fetched.
    pub state: Option<String>,
    /// Path under which it was uploaded.
    pub path: String,
    /// Size in bytes.
    pub file_size: Option<u64>,
    /// SHA-1 of the content, in hex.
    pub sha1sum: Option<String>,
}
