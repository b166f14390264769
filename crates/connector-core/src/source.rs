//! The read half of the contract.
//!
//! A [`Source`] decides *what* to read and *when a checkpoint is safe*. It never stores state and
//! never reads the environment: its client repeats a request, the runner repeats a sync.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Catalog, Error, ErrorKind, Forecast, Record, Replica, Result, State, StreamName, SyncMode,
    Verification,
};

/// Reads records out of one remote system. Methods may be called in any order, from any task.
#[async_trait]
pub trait Source: Send + Sync {
    /// Proves that configuration and credential work, with the cheapest calls there are.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) if the remote rejects the credential,
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) if it may not read,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a key names what does not exist.
    async fn check(&self) -> Result<()>;

    /// The streams there are. The same answer each time, as long as nothing changes.
    ///
    /// # Errors
    /// Those of [`check`](Self::check), where the remote must be asked.
    async fn discover(&self) -> Result<Catalog>;

    /// The catalog with [`Stream::is_readable`](crate::Stream::is_readable) set, where the
    /// remote tells what the credential may read. By default nothing is known.
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    async fn mark_readable(&self, catalog: Catalog) -> Result<Catalog> {
        Ok(catalog)
    }

    /// Reads the requested streams, from `request.state` on.
    ///
    /// - A [`Message::Checkpoint`] covers only records already yielded: resuming from it may
    ///   repeat a record and never skips one.
    /// - Each requested stream begins with [`Status::Started`] and, read to its end, closes with
    ///   [`Status::Complete`]. Streams may be mixed.
    /// - The stream of messages ends after its first `Err`, whose context names the stream it
    ///   happened in, where that is known.
    /// - Dropping it cancels the read: no further request is sent.
    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>>;

    /// Parts of `request`, at most `at_most`, that can be read by different machines at the same
    /// time; together they are the whole. By default the request itself.
    ///
    /// # Errors
    /// Those of [`check`](Self::check), where the remote must be asked.
    async fn split(&self, request: ReadRequest, at_most: NonZeroUsize) -> Result<Vec<ReadRequest>> {
        let _ = at_most;
        Ok(vec![request])
    }

    /// What reading `request` will cost. Asks the remote for numbers, not for records.
    ///
    /// # Errors
    /// Those of [`check`](Self::check); [`ErrorKind::Config`] if this source cannot tell.
    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        drop(request);
        Err(Error::new(
            ErrorKind::Config,
            "this source cannot tell what a read will cost",
        ))
    }

    /// Compares what a destination holds of `request` with the remote, at a cost that is low
    /// beside reading it again. `request.state` is the state of the copy; `samples` is how many
    /// requests to spend on comparing records by content.
    ///
    /// # Errors
    /// Those of [`check`](Self::check) and of the replica; [`ErrorKind::Config`] if this source
    /// cannot compare.
    async fn verify(
        &self,
        request: ReadRequest,
        replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification> {
        drop((request, replica, samples));
        Err(Error::new(
            ErrorKind::Config,
            "this source cannot compare itself with a copy",
        ))
    }
}

/// What to read. A partition is only a smaller read request: it can be serialized and read
/// anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadRequest {
    /// The streams wanted, each once.
    pub streams: Vec<Selection>,
    /// Where the last read got to; absent for a first read.
    pub state: Option<State>,
    /// Which part, as [`Source::split`] made it; absent for the whole. Opaque to others.
    pub partition: Option<Value>,
}

impl ReadRequest {
    /// All of `streams`, from the beginning.
    pub fn new(streams: impl IntoIterator<Item = Selection>) -> Self {
        Self {
            streams: streams.into_iter().collect(),
            state: None,
            partition: None,
        }
    }

    /// Goes on from `state`.
    #[must_use]
    pub fn with_state(mut self, state: Option<State>) -> Self {
        self.state = state;
        self
    }
}

/// One stream to read, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// A name out of the catalog.
    pub stream: StreamName,
    /// One of the stream's sync modes.
    pub mode: SyncMode,
}

impl Selection {
    /// Reads all of a stream.
    pub fn full_refresh(stream: impl Into<StreamName>) -> Self {
        Self {
            stream: stream.into(),
            mode: SyncMode::FullRefresh,
        }
    }

    /// Reads what is new or changed in a stream.
    pub fn incremental(stream: impl Into<StreamName>) -> Self {
        Self {
            stream: stream.into(),
            mode: SyncMode::Incremental,
        }
    }
}

/// One step of a read.
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

/// Where the read of a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Its first request is about to be sent.
    Started,
    /// All of its records have been yielded.
    Complete,
}
