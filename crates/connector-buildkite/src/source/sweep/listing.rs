//! The lists of builds of one partition.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkite_client::{BuildQuery, Client, Error as ClientError, Listed, LowerBound, RawBuild};
use chrono::{DateTime, Utc};
use connector_core::{Error, Result, StreamName};
use futures::future::TryFutureExt;
use futures::stream::{BoxStream, StreamExt};

use super::build::{BuildDecoder, ReadBuild};
use crate::error::in_stream;
use crate::source::scope::Scope;
use crate::streams::{JOBS, ListStream, Parent};

/// A list that is being read.
pub(crate) type BuildList = BoxStream<'static, Result<Listed<ReadBuild>, ClientError>>;

/// Lists the builds of one organization, or of one of its pipelines.
#[derive(Clone)]
pub(crate) struct Listing {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) organization: String,
    pub(crate) pipeline: Option<String>,
    /// The stream that errors name.
    pub(crate) stream: StreamName,
}

/// Which builds of the partition to list, and for which streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuildFilter {
    pub(crate) streams: BTreeSet<StreamName>,
    /// The slug of another pipeline than that of the partition.
    pub(crate) pipeline: Option<String>,
    pub(crate) from: Option<DateTime<Utc>>,
    /// Not included.
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) finished_from: Option<DateTime<Utc>>,
    /// Empty for all.
    pub(crate) states: &'static [&'static str],
    pub(crate) lower_bound: LowerBound,
}

impl Listing {
    /// All builds that `filter` describes, newest first. The list ends after its first error.
    pub(crate) fn list(&self, filter: BuildFilter) -> BuildList {
        let decoder = BuildDecoder::new(&filter.streams, &self.organization);
        let query = self.query(filter);
        let decode = move |build: RawBuild<'_>| decoder.decode(&build);
        self.client.builds(query, decode).boxed()
    }

    /// The same for one pipeline by its id, whatever its slug is now, perhaps `known`.
    /// [`ClientError::NotFound`] if it is no longer there.
    pub(crate) fn list_pipeline(
        &self,
        filter: BuildFilter,
        id: String,
        known: Option<String>,
    ) -> BuildList {
        let listing = self.clone();
        let list = async move {
            let slug = listing.slug_of(&id, known.as_ref()).await?;
            let pipeline = slug.ok_or_else(|| ClientError::NotFound {
                path: format!("/v2/organizations/{}/pipelines", listing.organization),
                message: "No pipeline found".to_owned(),
            })?;
            let filter = BuildFilter {
                pipeline: Some(pipeline),
                ..filter
            };
            Ok(listing.list(filter))
        };
        list.try_flatten_stream().boxed()
    }

    /// The next item of a list.
    pub(crate) async fn next(&self, list: &mut BuildList) -> Result<Option<Listed<ReadBuild>>> {
        match list.next().await.transpose() {
            Ok(listed) => Ok(listed),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// How many builds `filter` describes; `None` if the server does not tell.
    pub(crate) async fn count(&self, filter: BuildFilter) -> Result<Option<u64>> {
        let query = self.query(filter);
        match self.client.count_builds(&query).await {
            Ok(count) => Ok(count),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// The slug that a pipeline has now, perhaps `known`; `None` if it is no longer there.
    pub(crate) async fn slug_of(
        &self,
        id: &str,
        known: Option<&String>,
    ) -> Result<Option<String>, ClientError> {
        let Self {
            client,
            scope,
            organization,
            ..
        } = self;
        scope.slug_of(client, organization, id, known).await
    }

    /// Whether a pipeline has this slug, as far as they have been listed.
    pub(super) fn lists_slug(&self, slug: &str) -> bool {
        let listed = self.scope.listed_pipelines(&self.organization);
        listed.is_some_and(|listed| listed.values().any(|known| known == slug))
    }

    fn query(&self, filter: BuildFilter) -> BuildQuery {
        BuildQuery {
            organization: self.organization.clone(),
            pipeline: filter.pipeline.or_else(|| self.pipeline.clone()),
            created_from: filter.from,
            created_to: filter.to,
            finished_from: filter.finished_from,
            states: filter.states,
            with_jobs: filter.streams.iter().any(|name| self.needs_jobs(name)),
            lower_bound: filter.lower_bound,
            ..BuildQuery::default()
        }
    }

    fn needs_jobs(&self, stream: &StreamName) -> bool {
        let is_of_jobs = |list: &Arc<ListStream>| list.parent == Parent::Job;
        stream == JOBS || self.scope.list(stream).is_some_and(is_of_jobs)
    }

    pub(crate) async fn explain(&self, error: ClientError) -> Error {
        match error {
            ClientError::NotFound { ref message, .. } if message.contains("organization") => {
                let error = self.scope.unknown(&self.client, &self.organization).await;
                error.with_context("stream", &self.stream)
            }
            error => in_stream(&self.stream)(error),
        }
    }
}
