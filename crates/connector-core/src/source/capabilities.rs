//! What only some sources can do.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Catalog, Forecast, Partitions, ReadRequest, Replica, Result, State, Verification};

/// Divides a read into parts for several machines.
#[async_trait]
pub trait PartitionedSource: Send + Sync {
    /// At most `at_most` parts that together are exactly `request` up to the end, which is known
    /// before reading. The same request with the same `end` gives the same parts.
    ///
    /// If `end` is `None`, the end is now, and the source asks the remote for it.
    ///
    /// # Errors
    /// Those of [`Source::check`](crate::Source::check), where the remote must be asked;
    /// [`ErrorKind::State`](crate::ErrorKind::State) for a state or an end that is damaged;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the request is itself a part.
    async fn partitions(
        &self,
        request: &ReadRequest,
        at_most: NonZeroUsize,
        end: Option<State>,
    ) -> Result<Partitions>;
}

/// Estimates what a read costs.
#[async_trait]
pub trait ForecastingSource: Send + Sync {
    /// What reading `request` will cost. Asks the remote for numbers, not for records.
    ///
    /// # Errors
    /// Those of [`Source::check`](crate::Source::check).
    async fn forecast(&self, request: ReadRequest) -> Result<Forecast>;
}

/// Compares a copy with the remote.
#[async_trait]
pub trait VerifiableSource: Send + Sync {
    /// Compares what a destination holds of `request` with the remote, at a small part of the cost
    /// of reading it again. `request.state` is the state of the copy; `samples` is how many
    /// requests to spend on comparing records by content.
    ///
    /// # Errors
    /// Those of [`Source::check`](crate::Source::check) and of the replica.
    async fn verify(
        &self,
        request: ReadRequest,
        replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification>;
}

/// Knows which streams the credential can read.
#[async_trait]
pub trait PermissionAwareSource: Send + Sync {
    /// The catalog with [`Stream::is_readable`](crate::Stream::is_readable) set, as far as the
    /// remote reports it.
    ///
    /// # Errors
    /// Those of [`Source::check`](crate::Source::check).
    async fn mark_readable(&self, catalog: Catalog) -> Result<Catalog>;
}
