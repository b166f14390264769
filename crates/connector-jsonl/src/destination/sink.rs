//! A place for lines.

use connector_core::{Outcome, Record, Result, State, StreamPlan};

/// Takes records, one after the other.
pub(crate) trait Sink: Send {
    /// Prepares for another stream.
    fn add(&mut self, stream: &StreamPlan) -> Result<()>;

    /// Adds a record, unless it is rejected.
    fn put(&mut self, record: &Record) -> Result<Outcome>;

    /// Makes the records durable, and with them the state.
    fn commit(&mut self, state: Option<&State>) -> Result<()>;
}

/// The outcome of a record whose stream is not in the plan.
pub(crate) fn unknown_stream() -> Outcome {
    let reason = "its stream is not among those that the sync was started with";
    Outcome::Rejected(reason.to_owned())
}
