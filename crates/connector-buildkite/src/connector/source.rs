//! The source of the contract: reading, and what else it can do.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Forecast, ForecastingSource, Message, Observer, PartitionedSource, Partitions,
    PermissionAwareSource, ReadRequest, Replica, Result, Source, State, Stream, VerifiableSource,
    Verification,
};
use futures::stream::{self, BoxStream, StreamExt};

use crate::audit::{forecast, verify};
use crate::config::Config;
use crate::connection::missing_scopes;
use crate::error::explain;
use crate::source::{Plan, Reader};

/// Reads Buildkite.
pub(crate) struct BuildkiteSource {
    reader: Arc<Reader>,
}

impl BuildkiteSource {
    /// Nothing is requested yet.
    ///
    /// # Errors
    /// Those of [`Reader::new`].
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>) -> Result<Self> {
        let reader = Arc::new(Reader::new(config, observer)?);
        Ok(Self { reader })
    }

    /// The plan for those streams of a request that can be compared with a copy. The observer hears
    /// of the others.
    fn plan_of_comparable(&self, mut request: ReadRequest) -> Result<Plan> {
        let (left_out, kept) = (request.streams.into_iter())
            .partition::<Vec<_>, _>(|selection| self.reader.is_declared(&selection.stream));
        for selection in left_out {
            let message = "not compared: only organizations, pipelines, builds and jobs are";
            self.reader
                .notice(Some(selection.stream), message.to_owned());
        }
        request.streams = kept;
        request.expect_whole()?;
        self.reader.plan(&request)
    }
}

#[async_trait]
impl Source for BuildkiteSource {
    async fn check(&self) -> Result<()> {
        self.reader.check().await
    }

    async fn discover(&self) -> Result<Catalog> {
        Ok(self.reader.catalog())
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let reader = Arc::clone(&self.reader);
        let messages = match reader.part(&request) {
            Ok(Some(part)) => Ok(reader.read_part(part)),
            Ok(None) => self.reader.plan(&request).map(|plan| reader.read(plan)),
            Err(error) => Err(error),
        };
        messages.unwrap_or_else(|error| stream::once(async { Err(error) }).boxed())
    }

    fn partitioned(&self) -> Option<&dyn PartitionedSource> {
        Some(self)
    }

    fn forecasting(&self) -> Option<&dyn ForecastingSource> {
        Some(self)
    }

    fn verifiable(&self) -> Option<&dyn VerifiableSource> {
        Some(self)
    }

    fn permission_aware(&self) -> Option<&dyn PermissionAwareSource> {
        Some(self)
    }
}

#[async_trait]
impl PartitionedSource for BuildkiteSource {
    async fn partitions(
        &self,
        request: &ReadRequest,
        at_most: NonZeroUsize,
        end: Option<State>,
    ) -> Result<Partitions> {
        self.reader.partitions(request, at_most, end).await
    }
}

#[async_trait]
impl PermissionAwareSource for BuildkiteSource {
    async fn mark_readable(&self, catalog: Catalog) -> Result<Catalog> {
        let client = self.reader.client_for(None);
        let token = client.access_token().await.map_err(explain)?;
        let Some(granted) = token.scopes else {
            return Ok(catalog);
        };
        let mark = |stream: Stream| {
            let needed = stream.scopes.iter().map(String::as_str);
            let is_readable = missing_scopes(needed, &granted).is_empty();
            stream.with_readable(Some(is_readable))
        };
        Ok(Catalog::new(catalog.streams.into_iter().map(mark)))
    }
}

#[async_trait]
impl ForecastingSource for BuildkiteSource {
    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        request.expect_whole()?;
        forecast(&self.reader, self.reader.plan(&request)?).await
    }
}

#[async_trait]
impl VerifiableSource for BuildkiteSource {
    async fn verify(
        &self,
        request: ReadRequest,
        replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification> {
        let plan = self.plan_of_comparable(request)?;
        verify(&self.reader, plan, replica, samples).await
    }
}
