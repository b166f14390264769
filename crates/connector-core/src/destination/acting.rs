//! Destinations whose records make something happen.

use async_trait::async_trait;

use crate::{JsonObject, Result, Stream};

/// Acts on records, and reports what became of each as data that the host stores.
///
/// Something that a record started, such as a build, may end long after the record was written.
/// Before the state that covers the record is committed, the destination stores durably that it
/// owes that result. If this run is killed, the next run of the sync reports it.
#[async_trait]
pub trait ActingDestination: Send {
    /// The stream that results are records of.
    fn result_stream(&self) -> Stream;

    /// The results that became known since the last call, even during a call that failed.
    ///
    /// The host stores them durably before the next [`commit`](crate::Destination::commit), which
    /// lets the destination forget them. After a crash a result may be reported again.
    fn take_results(&mut self) -> Vec<JsonObject>;

    /// What is known so far of everything under way, for a run that ends early. The results stay
    /// owed, and will replace these by key.
    fn unfinished_results(&self) -> Vec<JsonObject>;

    /// Waits until something that is under way ends and its result is there to be taken. `false`
    /// if nothing is under way. Dropping the future stops the wait, and what is owed stays owed.
    ///
    /// # Errors
    /// What is under way could not be followed; what was committed stays.
    async fn follow(&mut self) -> Result<bool>;
}
