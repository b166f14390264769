//! Reading back what a destination holds, to compare it with the source.

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::{Record, Result, State, StreamName};

/// What a destination holds. It is only read; a sync may write meanwhile.
#[async_trait]
pub trait Replica: Send + Sync {
    /// The state that the sync of this name committed last.
    ///
    /// # Errors
    /// [`ErrorKind::State`](crate::ErrorKind::State) if it is damaged,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read.
    async fn state(&self, sync: &str) -> Result<Option<State>>;

    /// All rows of a stream that are not marked as removed, in no order: for each the stored values
    /// of `fields`, in their order; null for a field that has never come. A stream that has never
    /// come has no rows.
    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>>;

    /// How what is stored compares with each of these records, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read.
    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>>;
}

/// A record beside the row with its primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The row holds just this.
    Same,
    /// There is no such row.
    Absent,
    /// These fields have other values.
    Differs(Vec<String>),
}
