//! One record of a stream, or its removal.

use crate::{JsonObject, StreamName};

/// One record of one stream, or the information that it was removed at the source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its fields, as the text in which they arrived. A tombstone holds the primary key alone.
    pub data: JsonObject,
    /// Present if the source no longer has the record.
    pub tombstone: Option<Tombstone>,
}

/// The information that the source no longer has a record.
///
/// It does not mean "delete": a destination keeps the row and marks it until the record returns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tombstone {
    /// Why, in one word that the source defines: `aged_out`.
    pub reason: Box<str>,
}

impl Record {
    /// A record of `stream`.
    pub fn new(stream: StreamName, data: JsonObject) -> Self {
        Self {
            stream,
            data,
            tombstone: None,
        }
    }

    /// A tombstone: the source no longer has the record of `stream` with this primary key.
    pub fn removed(stream: StreamName, key: JsonObject, reason: impl Into<Box<str>>) -> Self {
        Self {
            stream,
            data: key,
            tombstone: Some(Tombstone {
                reason: reason.into(),
            }),
        }
    }

    /// Whether the source no longer has it.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.tombstone.is_some()
    }

    /// Why the source no longer has it; `None` while it has.
    #[must_use]
    pub fn removal_reason(&self) -> Option<&str> {
        self.tombstone.as_ref().map(|tombstone| &*tombstone.reason)
    }
}
