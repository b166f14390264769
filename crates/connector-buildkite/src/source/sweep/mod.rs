//! One sweep over the builds feeds `builds`, `jobs` and the lists below them.
//!
//! A sweep consists of partitions, one for each organization or selected pipeline, which are read
//! side by side, see [`Partition`]. A checkpoint follows every page. The coverage of a partition
//! travels behind the records it covers and enters the state where the partitions flow together,
//! so a state is never ahead of a record.

pub(crate) mod build;
pub(crate) mod item;
pub(crate) mod listing;
mod lost;
pub(crate) mod marks;
pub(crate) mod partition;
mod pipelines;
mod progress;
pub(crate) mod search;
mod take;
pub(crate) mod windows;

use std::sync::Arc;

use buildkite_client::Client;
use connector_core::{Message, Observer, Result};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::source::lists::children::ChildReader;
use crate::source::scope::{PipelineRef, Scope};
use crate::source::state::SweepState;
use listing::Listing;
use progress::SweepProgress;

/// What a sweep needs.
pub(crate) struct Sweep {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) state: SweepState,
    pub(crate) max_concurrency: usize,
    pub(crate) observer: Arc<dyn Observer>,
    /// Reads the lists of builds and jobs.
    pub(crate) children: ChildReader,
}

/// Which partition: an organization, or one of its pipelines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionRef {
    pub(crate) organization: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline: Option<PipelineRef>,
}

impl PartitionRef {
    /// Its name in states: `acme`, `acme/web`.
    pub(crate) fn key(&self) -> String {
        match &self.pipeline {
            Some(pipeline) => format!("{}/{}", self.organization, pipeline.slug),
            None => self.organization.clone(),
        }
    }
}

impl Sweep {
    /// Reads all of it.
    ///
    /// # Errors
    /// Those of a read.
    pub(crate) async fn read(self) -> Result<impl Stream<Item = Result<Message>> + Send> {
        let (refusals, observer) = (self.children.refusals.clone(), Arc::clone(&self.observer));
        let mut progress = SweepProgress::new(self.state.clone(), refusals, observer);
        let partitions = self.partitions().await?;
        let lost = self.lost(&partitions).await?;
        let lost: Vec<_> = lost.into_iter().flat_map(|lost| self.lose(lost)).collect();
        let (max_concurrency, children) = (self.max_concurrency, self.children.clone());
        let sweep = Arc::new(self);
        let items = stream::iter(partitions)
            .map(move |partition| Arc::clone(&sweep).read_or_lose(partition))
            .flatten_unordered(max_concurrency);
        let items = stream::iter(lost).chain(items);
        // In their order, so that the checkpoint of a page comes after the lists of its builds.
        let items = items
            .map_ok(move |item| item.resolve(children.clone()))
            .try_buffered(max_concurrency);
        let items = items.map(Some).chain(stream::iter([None]));
        let messages = items.map(move |item| {
            let messages = match item {
                Some(item) => progress.apply(item?)?,
                None => progress.finish()?,
            };
            Ok(stream::iter(messages.into_iter().map(Ok)))
        });
        Ok(messages.try_flatten())
    }

    /// The lists of builds of a partition.
    pub(crate) fn listing(&self, partition: &PartitionRef) -> Listing {
        Listing {
            client: self.client.clone(),
            scope: Arc::clone(&self.scope),
            organization: partition.organization.clone(),
            pipeline: (partition.pipeline.as_ref()).map(|pipeline| pipeline.slug.clone()),
            stream: self.state.streams()[0].clone(),
        }
    }

    /// Its partitions.
    ///
    /// # Errors
    /// Those of a read.
    pub(crate) async fn partitions(&self) -> Result<Vec<PartitionRef>> {
        if let Some(selected) = self.scope.selected(&self.client).await? {
            let partitions = selected.iter().map(|selected| {
                Ok(PartitionRef {
                    organization: selected.organization.clone(),
                    pipeline: Some(PipelineRef::of(&selected.pipeline.raw)?),
                })
            });
            return partitions.collect();
        }
        let organizations = self.scope.organizations(&self.client).await?;
        let partition = |organization| PartitionRef {
            organization,
            pipeline: None,
        };
        Ok(organizations.into_iter().map(partition).collect())
    }
}
