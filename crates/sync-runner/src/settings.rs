//! The numbers of a sync, with their defaults.

use std::time::Duration;

/// The size of batches, and how often a state is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of records in a batch. Default: 1,000.
    pub batch_records: usize,
    /// A batch is written once its records have this many bytes; a single record may have more.
    /// Default: 1 MiB.
    pub batch_bytes: u64,
    /// Minimum time between two commits, because each one costs the destination a flush to disk.
    /// Default: one second.
    pub commit_interval: Duration,
    /// Bytes after which a commit is due in any case, so that no destination must hold more in an
    /// open transaction. Default: 32 MiB.
    pub commit_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_records: 1_000,
            batch_bytes: 1 << 20,
            commit_interval: Duration::from_secs(1),
            commit_bytes: 32 << 20,
        }
    }
}

/// How long a sync is retried when its source fails with an error that may be temporary.
///
/// A source's client repeats single requests. This is for failures that outlast those repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// Consecutive tries that commit no new state. 1 means no retry. Default: 5.
    pub tries: u32,
    /// Maximum total time spent waiting between tries of a sync. Default: one hour.
    pub wait: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            tries: 5,
            wait: Duration::from_secs(3_600),
        }
    }
}
