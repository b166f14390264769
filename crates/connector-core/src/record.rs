//! One row on its way.

use crate::{JsonObject, StreamName};

/// One record of one stream, or the news that the source no longer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its fields, as the text they came in; of a record that is gone the primary key alone.
    pub data: JsonObject,
    /// Why the source no longer has it, in a word of the source's (`aged_out`); `None` while it
    /// has. What is gone is not to be deleted: a destination keeps the row and marks it.
    pub gone: Option<Box<str>>,
}

impl Record {
    /// A record of `stream`.
    pub fn new(stream: StreamName, data: JsonObject) -> Self {
        Self {
            stream,
            data,
            gone: None,
        }
    }

    /// The news that the source no longer has the record of `stream` with this primary key.
    pub fn gone(stream: StreamName, key: JsonObject, why: impl Into<Box<str>>) -> Self {
        Self {
            stream,
            data: key,
            gone: Some(why.into()),
        }
    }
}
