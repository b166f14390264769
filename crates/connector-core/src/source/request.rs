//! What to read.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind, Result, State, StreamName, SyncMode};

/// What to read. A part is only a smaller request: it can be serialized and read anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadRequest {
    /// The streams wanted, each once.
    pub streams: Vec<Selection>,
    /// Where the last read ended; absent for a first read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Which part, as [`PartitionedSource`](crate::PartitionedSource) made it; absent for the
    /// whole. Opaque to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Value>,
    /// How many readers share the remote's rate limit at the same time: each takes an equal part
    /// of it.
    #[serde(default = "one")]
    pub readers: NonZeroU32,
    /// Rows of the copy that can still change, as far as the host knows: for each the values of
    /// [`OpenRows::wanted`](crate::OpenRows::wanted). A source looks for those that it does not
    /// find otherwise, and yields tombstones for those that the remote no longer has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open_rows: BTreeMap<StreamName, Vec<Vec<Value>>>,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

impl ReadRequest {
    /// All of `streams`, from the beginning.
    pub fn new(streams: impl IntoIterator<Item = Selection>) -> Self {
        Self {
            streams: streams.into_iter().collect(),
            state: None,
            partition: None,
            readers: one(),
            open_rows: BTreeMap::new(),
        }
    }

    /// Resumes from `state`.
    #[must_use]
    pub fn with_state(mut self, state: Option<State>) -> Self {
        self.state = state;
        self
    }

    /// Makes it the part that `partition` describes.
    #[must_use]
    pub fn with_partition(mut self, partition: Value) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Sets how many readers share the rate limit.
    #[must_use]
    pub fn with_readers(mut self, readers: NonZeroU32) -> Self {
        self.readers = readers;
        self
    }

    /// Sets the rows of the copy that can still change.
    #[must_use]
    pub fn with_open_rows(mut self, open_rows: BTreeMap<StreamName, Vec<Vec<Value>>>) -> Self {
        self.open_rows = open_rows;
        self
    }

    /// Checks that the request is not a part. For sources that cannot be divided.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it is.
    pub fn expect_whole(&self) -> Result<()> {
        if self.partition.is_none() {
            return Ok(());
        }
        let message = "the read request carries a part that this source did not make";
        Err(Error::new(ErrorKind::Config, message))
    }
}

/// One stream to read, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Selection {
    /// A name from the catalog.
    pub stream: StreamName,
    /// One of the stream's sync modes.
    pub mode: SyncMode,
}

impl Selection {
    /// Reads a stream in `mode`.
    pub fn new(stream: impl Into<StreamName>, mode: SyncMode) -> Self {
        Self {
            stream: stream.into(),
            mode,
        }
    }

    /// Reads all of a stream.
    pub fn full_refresh(stream: impl Into<StreamName>) -> Self {
        Self::new(stream, SyncMode::FullRefresh)
    }

    /// Reads what is new or changed in a stream.
    pub fn incremental(stream: impl Into<StreamName>) -> Self {
        Self::new(stream, SyncMode::Incremental)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_survives_its_json_form_and_is_no_whole() {
        let part = ReadRequest::new([Selection::incremental("builds")])
            .with_partition(json!({"window": [1, 2]}));
        let text = serde_json::to_string(&part).unwrap();
        let read: ReadRequest = serde_json::from_str(&text).unwrap();
        assert_eq!(read, part);
        assert!(read.expect_whole().is_err());
        let whole = ReadRequest::new([Selection::incremental("builds")]);
        assert!(whole.expect_whole().is_ok());
    }
}
