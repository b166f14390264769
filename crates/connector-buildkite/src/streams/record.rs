//! What records of several streams share.

use connector_core::{Error, ErrorKind, ObjectWriter, Record, StreamName};

/// The news that the API no longer has the record with this id.
pub(crate) fn removed(stream: StreamName, id: &str, reason: &'static str) -> Record {
    let mut key = ObjectWriter::with_capacity(id.len() + 16);
    key.string("id", id);
    Record::removed(stream, key.finish(), reason)
}

/// The API returned something else where it documents objects.
pub(super) fn not_an_object(stream: &str) -> Error {
    Error::new(ErrorKind::Protocol, "an item of the list is not an object")
        .with_context("stream", stream)
}
