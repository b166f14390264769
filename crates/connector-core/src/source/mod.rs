//! The read half of the contract.
//!
//! A [`Source`] decides *what* to read and *when a checkpoint is safe*. It never stores state and
//! never reads the environment: its client repeats a request, the runner repeats a sync.

mod capabilities;
mod forecast;
mod message;
mod partitions;
mod request;
mod verification;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{Catalog, Result};

pub use capabilities::{
    ForecastingSource, PartitionedSource, PermissionAwareSource, VerifiableSource,
};
pub use forecast::{Forecast, StreamForecast};
pub use message::{Message, Status};
pub use partitions::Partitions;
pub use request::{ReadRequest, Selection};
pub use verification::{Finding, FindingKind, Verification};

/// Reads records out of one remote system. Methods may be called in any order, from any task.
///
/// What only some sources can do is a capability: a method that returns an object, or `None`.
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

    /// Reads the requested streams, from `request.state` on.
    ///
    /// - A [`Message::Checkpoint`] covers only records already yielded: resuming from it may
    ///   repeat a record and never skips one. After the last record comes a checkpoint that covers
    ///   it, unless the request is a part.
    /// - Each requested stream begins with [`Status::Started`] and, read to its end, closes with
    ///   [`Status::Complete`]. Streams may be mixed.
    /// - The stream of messages ends after its first `Err`, whose context names the stream it
    ///   happened in, where that is known.
    /// - Dropping it cancels the read: no further request is sent.
    /// - A request with a part that this source did not make is an error of
    ///   [`ErrorKind::Config`](crate::ErrorKind::Config). A part yields no checkpoint: what counts
    ///   is [`Partitions::end`], once all parts are read.
    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>>;

    /// Divides a read into parts for several machines.
    fn partitioned(&self) -> Option<&dyn PartitionedSource> {
        None
    }

    /// Estimates what a read costs.
    fn forecasting(&self) -> Option<&dyn ForecastingSource> {
        None
    }

    /// Compares a copy with the remote.
    fn verifiable(&self) -> Option<&dyn VerifiableSource> {
        None
    }

    /// Knows which streams the credential can read.
    fn permission_aware(&self) -> Option<&dyn PermissionAwareSource> {
        None
    }
}
