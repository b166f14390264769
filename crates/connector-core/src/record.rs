//! One row on its way.

use crate::{JsonObject, StreamName};

/// One record of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its fields, as the text they came in.
    pub data: JsonObject,
}

impl Record {
    /// A record of `stream`.
    pub fn new(stream: StreamName, data: JsonObject) -> Self {
        Self { stream, data }
    }
}
