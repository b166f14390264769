//! Destinations whose records make something happen.

use async_trait::async_trait;

use crate::{JsonObject, Result, Stream};

/// Acts on records, and reports what became of each as data that the host stores.
///
/// Something that was begun, such as a build, may end long after its record was written. The
/// destination remembers durably that it owes that result, before the state that covers the
/// record is committed; the next run of the sync reports it if this one is killed.
#[async_trait]
pub trait ActingDestination: Send {
    /// The stream that results are records of.
    fn result_stream(&self) -> Stream;

    /// The results that have become known since the last call, also by a call that failed.
    ///
    /// The host stores them durably before the next [`commit`](crate::Destination::commit), which
    /// lets the destination forget them. After a crash a result may be reported again.
    fn take_results(&mut self) -> Vec<JsonObject>;

    /// What is known of everything still under way, for a run that ends before it does. Its
    /// results stay owed, and replace these by their key.
    fn unfinished_results(&self) -> Vec<JsonObject>;

    /// Waits until something that is under way ends and its result is there to be taken. `false`
    /// if nothing is under way. Dropping the future stops the wait, and what is owed stays owed.
    ///
    /// # Errors
    /// What is under way could not be followed; what was committed stays.
    async fn follow(&mut self) -> Result<bool>;
}
