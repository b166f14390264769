//! What a sync has done so far, and how it ended. Plain data, for a table, a bar or a metric.

use std::fmt;
use std::time::Duration;

use connector_core::{Error, StreamName, SyncMode, WaitReason};
use serde::{Serialize, Serializer};

/// What a sync has done so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The streams of the sync, in the order of the catalog; empty until they are known.
    pub streams: Vec<StreamProgress>,
    /// All requests and waits, including those that belong to no single stream.
    pub total: Traffic,
    /// The current wait, if there is one; of several, the one that ends last.
    #[serde(skip)]
    pub waiting: Option<Wait>,
    /// Notices for the user from source and destination: the first hundred.
    pub notices: Vec<Notice>,
    /// How many more notices there were.
    pub notices_left_out: u64,
}

impl Snapshot {
    /// Records written.
    pub fn records(&self) -> u64 {
        self.streams.iter().map(|stream| stream.records).sum()
    }

    /// Records that were removed at the source, as the destination has marked them.
    pub fn removed(&self) -> u64 {
        self.streams.iter().map(|stream| stream.removed).sum()
    }

    /// Bytes of everything written.
    pub fn bytes(&self) -> u64 {
        self.streams.iter().map(|stream| stream.bytes).sum()
    }

    /// Records that the destination has rejected.
    pub fn rejected(&self) -> u64 {
        self.streams.iter().map(|stream| stream.rejected).sum()
    }

    /// Rejected records that were not saved.
    pub fn unsaved(&self) -> u64 {
        let unsaved = |stream: &StreamProgress| stream.rejected - stream.saved;
        self.streams.iter().map(unsaved).sum()
    }
}

/// What a sync has done for one stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StreamProgress {
    /// The stream.
    pub stream: StreamName,
    /// How it is read.
    pub mode: SyncMode,
    /// How far its read has come.
    pub status: StreamStatus,
    /// Records that the destination has accepted, tombstones excluded. A record that is
    /// read again counts again.
    pub records: u64,
    /// [Tombstones](connector_core::Tombstone) that the destination has accepted.
    pub removed: u64,
    /// Bytes of the text of everything written, including tombstones and rejected records.
    pub bytes: u64,
    /// Records that the destination has rejected.
    pub rejected: u64,
    /// Rejected records that were saved with the reason.
    pub saved: u64,
    /// The first few different reasons.
    pub reasons: Vec<String>,
    /// About how many records there will be, once the source reports it.
    pub estimate: Option<u64>,
    /// Requests and waits that the source ascribes to this stream.
    pub traffic: Traffic,
}

/// How far the read of a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamStatus {
    /// Its first request has not been sent.
    Pending,
    /// It is being read.
    Started,
    /// All of it has been read.
    Complete,
}

/// Requests and waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Traffic {
    /// Requests sent, repeats included.
    pub requests: u64,
    /// Waits that came before a repeat.
    pub retries: u64,
    /// Time spent waiting for a rate limit. Serialized in seconds.
    #[serde(rename = "rate_limited_seconds", serialize_with = "seconds")]
    pub rate_limited: Duration,
    /// Time spent waiting before repeats. Serialized in seconds.
    #[serde(rename = "retrying_seconds", serialize_with = "seconds")]
    pub retrying: Duration,
}

impl Traffic {
    /// Time spent waiting for any reason.
    pub fn waited(&self) -> Duration {
        self.rate_limited + self.retrying
    }
}

/// The current wait.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// Counts the waits of a sync: another number is another wait.
    pub number: u64,
    /// How much longer it takes.
    pub left: Duration,
    /// What for.
    pub reason: WaitReason,
}

/// Something the user must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// The stream it is about, if it is about one.
    pub stream: Option<StreamName>,
    /// A sentence.
    pub message: String,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// Everything asked for has been read, written and committed.
    Complete,
    /// It was asked to stop. What was written is committed; the next sync resumes from there.
    Stopped,
    /// The source ended without an error, but did not complete all streams. Everything it yielded
    /// is committed.
    Incomplete,
    /// It failed. Everything up to the last committed state is kept.
    Failed,
}

/// What a sync has done and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// Whether it resumed from the state of an earlier sync.
    pub resumed: bool,
    /// Number of reads; more than 1 if the source failed and was retried.
    pub tries: u32,
    /// From start to end. Serialized in seconds.
    #[serde(rename = "elapsed_seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// What was done.
    pub progress: Snapshot,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// A sync that failed, or left a stream incomplete: why, and what was done before.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// What was done.
    pub report: Box<Report>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
