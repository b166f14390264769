//! What a read yields.

use crate::{Record, State, StreamName};

/// One message of a read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// A record.
    Record(Record),
    /// Once all records before this are durable, the state may be saved.
    Checkpoint(State),
    /// A stream begins or ends.
    Status(StreamName, Status),
}

/// How far the read of a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Its first request is about to be sent.
    Started,
    /// All of its records have been yielded.
    Complete,
}
