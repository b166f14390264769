//! Finding and deleting rows of a copy.

use async_trait::async_trait;
use serde_json::Value;

use crate::{JsonObject, OpenRows, Result, StreamName};

/// Finds the rows that can still change.
#[async_trait]
pub trait OpenRowReader: Send {
    /// The rows of a stream that `open` describes and that are not marked as removed: for each,
    /// the values of its [wanted](OpenRows::wanted) fields. A stream that was never written has
    /// none.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the copy cannot be read.
    async fn open_rows(&mut self, stream: &StreamName, open: &OpenRows) -> Result<Vec<Vec<Value>>>;
}

/// Deletes rows by their keys.
#[async_trait]
pub trait DeleteByKey: Send {
    /// Deletes the rows with these primary keys, and returns how many there were.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a stream without a primary key;
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the copy cannot be changed.
    async fn delete(&mut self, stream: &StreamName, keys: Vec<JsonObject>) -> Result<u64>;
}
