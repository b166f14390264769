//! Reading back what a destination holds, to compare it with the source.

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Record, Result, State, StreamName};

/// What a destination holds. It is only read; a sync may write at the same time.
#[async_trait]
pub trait Replica: Send + Sync {
    /// The last state that the sync of this name committed.
    ///
    /// # Errors
    /// [`ErrorKind::State`](crate::ErrorKind::State) if it is damaged,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read.
    async fn state(&self, sync: &str) -> Result<Option<State>>;

    /// All rows of a stream that are not marked as removed, in no particular order: for each, the
    /// stored values of `fields`, in their order. A field that was never written is null. A stream
    /// that was never written has no rows.
    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>>;

    /// How what is stored compares with each of these records, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read.
    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>>;

    /// Reports what the copy holds, if it can.
    fn inventory(&self) -> Option<&dyn CopyInventory> {
        None
    }
}

/// Reports what a copy holds, in numbers.
#[async_trait]
pub trait CopyInventory: Send + Sync {
    /// The syncs that have committed a state here, by name. Costs little.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the copy cannot be read.
    async fn syncs(&self) -> Result<Vec<StoredSync>>;

    /// The streams that were written, by name, with the number of their rows.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the copy cannot be read.
    async fn streams(&self) -> Result<Vec<StoredStream>>;
}

/// A sync that has committed a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredSync {
    /// Its name.
    pub name: String,
    /// When it last committed its state, RFC 3339; `None` if the copy does not keep it.
    pub committed_at: Option<String>,
}

/// The rows of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredStream {
    /// The stream.
    pub stream: StreamName,
    /// All rows.
    pub rows: u64,
    /// Those that are marked as removed at the source.
    pub removed: u64,
}

impl StoredSync {
    /// The sync of this name, which committed its state last at this time, RFC 3339.
    pub fn new(name: impl Into<String>, committed_at: Option<String>) -> Self {
        Self {
            name: name.into(),
            committed_at,
        }
    }
}

impl StoredStream {
    /// The stream has this many rows, including those that are marked as removed.
    pub fn new(stream: impl Into<StreamName>, rows: u64, removed: u64) -> Self {
        Self {
            stream: stream.into(),
            rows,
            removed,
        }
    }
}

/// How a record compares with the row of its primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The row holds exactly this record.
    Same,
    /// There is no such row.
    Absent,
    /// These fields have other values.
    Differs(Vec<String>),
}
