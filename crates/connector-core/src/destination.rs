//! The write half of the contract.
//!
//! A [`Destination`] stores records, or acts on them, and says of each what became of it. What it
//! has committed is durable: after a crash at any point the last committed state and all records
//! before it are there.

use async_trait::async_trait;

use crate::{Catalog, Error, ErrorKind, JsonObject, Record, Result, State, Stream, StreamName};

/// Writes records into one remote system or file.
///
/// The order of calls: `check` and `accepts` at any time; then `start` once, then `write` and
/// `commit` in turn, then `finish`.
#[async_trait]
pub trait Destination: Send {
    /// Proves that it can be written to, without changing anything.
    ///
    /// # Errors
    /// The error that `start` would meet: credential, permission, configuration or machine.
    async fn check(&mut self) -> Result<()>;

    /// Which streams it takes.
    ///
    /// # Errors
    /// Where the remote must be asked: as [`check`](Self::check).
    async fn accepts(&mut self) -> Result<Accepts>;

    /// Prepares for the streams of `plan` and returns the state that the last sync of this name
    /// has committed here, if this destination keeps states.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a stream that it does not take,
    /// [`ErrorKind::State`](crate::ErrorKind::State) for a damaged state,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be opened.
    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>>;

    /// Writes a batch, in order, and returns one outcome per record, in the same order.
    ///
    /// A record that is [`gone`](Record::gone) holds its primary key alone: what is stored under
    /// that key stays, and is marked until the record comes again; where nothing is stored there
    /// is nothing to do. A destination that cannot mark says so in its documentation.
    ///
    /// # Errors
    /// Only if the whole batch, and all after it, cannot be written; then nothing after the last
    /// commit counts. A record that is refused for itself is [`Outcome::Rejected`].
    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>>;

    /// The most records that it takes at once. One that acts on a slow remote takes few, so that
    /// a sync that is stopped stops soon. By default there is no limit.
    fn most_at_once(&self) -> usize {
        usize::MAX
    }

    /// Makes everything written so far durable, and with it, in one step, `state`. Without a
    /// state the last one stays.
    ///
    /// # Errors
    /// Nothing since the last commit counts.
    async fn commit(&mut self, state: Option<&State>) -> Result<()>;

    /// Brings what is still under way to its end. Called once, after the last commit of a sync
    /// that did not fail.
    ///
    /// # Errors
    /// What is under way could not be followed to its end; what was committed stays.
    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What a sync is going to write.
#[derive(Debug, Clone, PartialEq)]
pub struct WritePlan {
    /// The name under which state is kept: one for each source that writes here.
    pub sync: String,
    /// The streams that will come.
    pub streams: Vec<Stream>,
}

/// The streams that a destination takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Accepts {
    /// Any stream: it follows the schema that comes.
    Any,
    /// Only these, with the schema that a record must have.
    Streams(Catalog),
}

impl Accepts {
    /// Whether a stream is taken.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], listing the streams that are, if it is not.
    pub fn expect(&self, stream: &StreamName) -> Result<()> {
        let Self::Streams(taken) = self else {
            return Ok(());
        };
        if taken.streams.iter().any(|known| known.name == *stream) {
            return Ok(());
        }
        let names: Vec<_> = taken.streams.iter().map(|s| s.name.as_str()).collect();
        let message = format!(
            "the destination does not take this stream; it takes: {}",
            names.join(", ")
        );
        Err(Error::new(ErrorKind::Config, message).with_context("stream", stream))
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Taken; with the remote's answer, where there is one.
    Accepted(Option<JsonObject>),
    /// Refused for good; the reason is a sentence without the record's values.
    Rejected(String),
    /// As [`Rejected`](Self::Rejected), and kept with the reason where the destination's
    /// configuration says: nothing is lost, so that the host need not fail.
    SetAside(String),
}
