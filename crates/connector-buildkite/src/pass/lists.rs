//! The listings of one partition.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkite_client::{BuildQuery, Client, Error as ClientError, Listed, LowerBound};
use chrono::{DateTime, Utc};
use connector_core::{Error, Result, StreamName};
use futures::future::TryFutureExt;
use futures::stream::{BoxStream, StreamExt};

use super::found::{Decode, Found};
use crate::error::in_stream;
use crate::lists::{ListStream, Parent};
use crate::rules::Rules;
use crate::scope::Scope;
use crate::streams::JOBS;

/// A listing under way.
pub(crate) type List = BoxStream<'static, Result<Listed<Found>, ClientError>>;

/// Lists the builds of one organization, or of one of its pipelines.
#[derive(Clone)]
pub(crate) struct Lists {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) rules: Rules,
    pub(crate) organization: String,
    pub(crate) pipeline: Option<String>,
    /// Where errors are said to have happened.
    pub(crate) stream: StreamName,
}

/// Which builds of the partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Which {
    pub(crate) streams: BTreeSet<StreamName>,
    /// The slug of another pipeline than the partition's.
    pub(crate) pipeline: Option<String>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) finished_from: Option<DateTime<Utc>>,
    pub(crate) states: &'static [&'static str],
    pub(crate) lower_bound: LowerBound,
}

impl Lists {
    /// Everything `which` says, newest first. Ends behind its first error.
    pub(crate) fn list(&self, which: Which) -> List {
        let decode = Decode::new(&which.streams, &self.organization);
        let query = self.query(which);
        let builds = self.client.builds(query, move |build| decode.found(&build));
        // An element that cannot be used ends the list.
        let strict = builds.map(|listed| match listed {
            Ok(Listed::Unusable(unusable)) => Err(unusable.into_error()),
            listed => listed,
        });
        strict.boxed()
    }

    /// The same for one pipeline by its id, whatever its slug is now, perhaps `known`. Not found if
    /// it is there no more.
    pub(crate) fn list_pipeline(&self, which: Which, id: String, known: Option<String>) -> List {
        let lists = self.clone();
        let list = async move {
            let Lists {
                client,
                organization,
                scope,
                ..
            } = &lists;
            let slug = scope
                .slug_of(client, organization, &id, known.as_ref())
                .await?;
            let pipeline = slug.ok_or_else(|| ClientError::NotFound {
                path: format!("/v2/organizations/{organization}/pipelines"),
                message: "No pipeline found".to_owned(),
            })?;
            let which = Which {
                pipeline: Some(pipeline),
                ..which
            };
            Ok(lists.list(which))
        };
        list.try_flatten_stream().boxed()
    }

    /// What comes next out of a list.
    pub(crate) async fn next(&self, list: &mut List) -> Result<Option<Listed<Found>>> {
        match list.next().await.transpose() {
            Ok(listed) => Ok(listed),
            Err(error) => Err(self.explain(error).await),
        }
    }

    pub(crate) fn query(&self, which: Which) -> BuildQuery {
        BuildQuery {
            organization: self.organization.clone(),
            pipeline: which.pipeline.or_else(|| self.pipeline.clone()),
            created_from: which.from,
            created_to: which.to,
            finished_from: which.finished_from,
            states: which.states,
            with_jobs: which.streams.iter().any(|name| self.needs_jobs(name)),
            lower_bound: which.lower_bound,
            by_page_number: !self.rules.keyset,
            ..BuildQuery::default()
        }
    }

    fn needs_jobs(&self, stream: &StreamName) -> bool {
        let is_of_jobs = |list: &ListStream| list.parent == Parent::Job;
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
