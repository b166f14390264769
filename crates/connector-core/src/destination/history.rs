//! The history of runs, kept beside the records.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Result, StreamName};

/// Keeps the history of runs.
#[async_trait]
pub trait RunHistory: Send {
    /// Stores a run. It replaces the stored run with the same [id](RunRecord::id).
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be stored.
    async fn record(&mut self, run: &RunRecord) -> Result<()>;

    /// The newest `at_most` runs, newest first.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if they cannot be read.
    async fn runs(&mut self, at_most: usize) -> Result<Vec<RunRecord>>;
}

/// One run of a sync.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunRecord {
    /// Unique.
    pub id: String,
    /// The name of the sync.
    pub sync: String,
    /// The version of the program.
    pub version: String,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; `None` while it runs.
    pub ended_at: Option<String>,
    /// How it ended; `None` while it runs.
    pub ending: Option<RunEnding>,
    /// The full text of the error that ended it.
    pub error: Option<String>,
    /// What it did for each stream.
    pub streams: Vec<StreamRun>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEnding {
    /// Everything was read and written.
    Complete,
    /// Something could not be read or was rejected. Everything else was written.
    Incomplete,
    /// It was asked to stop.
    Stopped,
    /// It failed.
    Failed,
    /// Its process disappeared.
    Killed,
}

/// What a run did for one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamRun {
    /// The stream.
    pub stream: StreamName,
    /// Records written.
    pub records: u64,
    /// Rows marked as removed at the source.
    pub removed: u64,
    /// Records that were rejected.
    pub rejected: u64,
    /// Requests sent.
    pub requests: u64,
    /// Seconds waited for rate limits.
    pub rate_limited_seconds: f64,
    /// Seconds waited before repeats.
    pub retrying_seconds: f64,
    /// Bytes written.
    pub bytes: u64,
}

impl RunRecord {
    /// A run of `sync` that begins at `started_at` (RFC 3339).
    pub fn new(
        id: impl Into<String>,
        sync: impl Into<String>,
        version: impl Into<String>,
        started_at: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            sync: sync.into(),
            version: version.into(),
            started_at: started_at.into(),
            ended_at: None,
            ending: None,
            error: None,
            streams: Vec::new(),
        }
    }
}

impl StreamRun {
    /// A stream for which nothing was done yet.
    pub fn new(stream: impl Into<StreamName>) -> Self {
        Self {
            stream: stream.into(),
            records: 0,
            removed: 0,
            rejected: 0,
            requests: 0,
            rate_limited_seconds: 0.0,
            retrying_seconds: 0.0,
            bytes: 0,
        }
    }
}
