//! What every place for lines can do.

use connector_core::{Outcome, Record, Result, State, StreamPlan};

/// Takes records one after the other.
pub(crate) trait Sink: Send {
    /// Prepares for another stream.
    fn add(&mut self, stream: &StreamPlan) -> Result<()>;

    /// Adds a record, unless it is refused.
    fn put(&mut self, record: &Record) -> Result<Outcome>;

    /// Makes durable what was added, and the state with it.
    fn commit(&mut self, state: Option<&State>) -> Result<()>;
}

/// What becomes of a record whose stream is not in the plan.
pub(crate) fn not_announced() -> Outcome {
    let reason = "its stream is not among those that the sync was started with";
    Outcome::Rejected(reason.to_owned())
}
