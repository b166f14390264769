//! The write half of the contract.
//!
//! A [`Destination`] stores records, or acts on them, and reports what became of each. What it has
//! committed is durable: after a crash at any point the last committed state and all records
//! before it are there.

mod acting;
mod claim;
mod copy;
mod history;
mod outcome;
mod plan;
mod replica;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Record, Result, State};

pub use acting::ActingDestination;
pub use claim::{Claim, Holder};
pub use copy::{DeleteByKey, OpenRowReader};
pub use history::{RunEnding, RunHistory, RunRecord, StreamRun};
pub use outcome::Outcome;
pub use plan::{AcceptedStreams, Capabilities, StreamPlan, WriteMode, WritePlan};
pub use replica::{Comparison, CopyInventory, Replica, StoredStream, StoredSync};

/// Writes records into one remote system or file.
///
/// The order of calls: `check` and `accepted_streams` at any time; then `start` once; then
/// `write`, `commit` and `add_stream` in any order; then `finish`.
///
/// What only some destinations can do is a capability: a method that returns an object, or `None`.
#[async_trait]
pub trait Destination: Send {
    /// What it can do. Its [role](crate::DestinationRole::capabilities) gives the same answer.
    fn capabilities(&self) -> Capabilities;

    /// Proves that it can be written to, without changing anything.
    ///
    /// # Errors
    /// The error that `start` would meet: credential, permission, configuration or machine.
    async fn check(&mut self) -> Result<()>;

    /// Which streams it accepts.
    ///
    /// # Errors
    /// Where the remote must be asked: as [`check`](Self::check).
    async fn accepted_streams(&mut self) -> Result<AcceptedStreams>;

    /// Prepares for the streams of `plan` and returns the state that the last sync of this name
    /// has committed here, if this destination keeps states.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a stream that it does not accept or a
    /// write mode that it does not support,
    /// [`ErrorKind::State`](crate::ErrorKind::State) for a damaged state,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be opened.
    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>>;

    /// Prepares for another stream, or for a stream whose schema has grown, while the sync runs.
    /// Nothing that was written before is lost or finished.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()>;

    /// Writes a batch, in order, and returns one outcome per record, in the same order.
    ///
    /// A [tombstone](Record::tombstone) holds its primary key alone. The stored row stays and is
    /// marked until the record returns. If no row is stored, there is nothing to do. The
    /// documentation of a destination that cannot mark rows says so.
    ///
    /// # Errors
    /// Only if the whole batch, and all after it, cannot be written; then nothing after the last
    /// commit counts. A record that is refused for itself is [`Outcome::Rejected`].
    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>>;

    /// The most records that it takes at once. A destination that acts on a slow remote takes
    /// few, so that what it did is recorded soon. By default there is no limit.
    fn batch_limit(&self) -> usize {
        usize::MAX
    }

    /// Makes everything written so far durable, and with it, in one step, `state`. Without a
    /// state the last one stays.
    ///
    /// The call also confirms that the host has stored every result that it took, see
    /// [`ActingDestination::take_results`].
    ///
    /// # Errors
    /// Nothing since the last commit counts.
    async fn commit(&mut self, state: Option<&State>) -> Result<()>;

    /// Ends the sync: streams that are overwritten are replaced now. Called once, after the last
    /// commit of a sync that completed.
    ///
    /// # Errors
    /// What was committed stays.
    async fn finish(&mut self) -> Result<()>;

    /// Acts on records, and reports what became of them.
    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        None
    }

    /// Keeps two runs of one sync apart.
    fn claim(&mut self) -> Option<&mut dyn Claim> {
        None
    }

    /// Keeps the history of runs beside the records.
    fn run_history(&mut self) -> Option<&mut dyn RunHistory> {
        None
    }

    /// Deletes rows by their keys.
    fn delete_by_key(&mut self) -> Option<&mut dyn DeleteByKey> {
        None
    }

    /// Finds the rows that can still change.
    fn open_rows(&mut self) -> Option<&mut dyn OpenRowReader> {
        None
    }

    /// Reads back what it holds.
    fn replica(&self) -> Option<Arc<dyn Replica>> {
        None
    }
}
