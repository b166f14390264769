//! One pass over the builds feeds `builds` and `jobs`.
//!
//! The pass is made of partitions, one per organization or selected pipeline, read side by side,
//! see [`Partition`]. A checkpoint follows every page. A partition's coverage travels behind the
//! records it covers, and enters the state where the partitions flow together: so a state never
//! runs ahead of a record.

pub(crate) mod found;
pub(crate) mod lists;
pub(crate) mod marks;
pub(crate) mod partition;
mod pipelines;
pub(crate) mod unseen;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkite_client::Client;
use connector_core::{Event, Message, Observer, Result};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::pipelines::lacks_id;
use crate::rules::Rules;
use crate::scope::{Identified, Scope};
use crate::state::PassState;
use crate::streams::JOBS;
use partition::{Partition, Step};

/// What a pass needs.
pub(crate) struct Pass {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) state: PassState,
    pub(crate) rules: Rules,
    pub(crate) max_concurrency: usize,
    pub(crate) observer: Arc<dyn Observer>,
}

impl Pass {
    /// Reads all of it.
    pub(crate) async fn read(self) -> Result<impl Stream<Item = Result<Message>> + Send> {
        let mut progress = Progress::new(&self);
        let partitions = self.partitions().await?;
        let concurrency = self.max_concurrency;
        let pass = Arc::new(self);
        let steps = stream::iter(partitions)
            .map(move |(key, organization, pipeline)| {
                let partition = Partition::new(Arc::clone(&pass), organization, pipeline);
                partition.read().map_ok(move |step| (key.clone(), step))
            })
            .flatten_unordered(concurrency);
        let messages = steps.map(move |step| {
            let (key, step) = step?;
            let messages = progress.apply(key, step)?;
            Ok(stream::iter(messages.into_iter().map(Ok)))
        });
        Ok(messages.try_flatten())
    }

    /// Key, organization and pipeline of each.
    pub(crate) async fn partitions(&self) -> Result<Vec<(String, String, Option<Identified>)>> {
        if let Some(selected) = self.scope.selected(&self.client).await? {
            let partitions = selected.iter().map(|selected| {
                let organization = &selected.organization;
                let pipeline = Identified::of(&selected.pipeline.raw).ok_or_else(lacks_id)?;
                let key = format!("{organization}/{}", pipeline.slug);
                Ok((key, organization.clone(), Some(pipeline)))
            });
            return partitions.collect();
        }
        let organizations = self.scope.organizations(&self.client).await?;
        let partition = |organization: String| (organization.clone(), organization, None);
        Ok(organizations.into_iter().map(partition).collect())
    }
}

/// How far the whole pass has come.
struct Progress {
    state: PassState,
    observer: Arc<dyn Observer>,
    builds_read: u64,
    jobs_read: u64,
    builds_left: BTreeMap<String, u64>,
}

impl Progress {
    fn new(pass: &Pass) -> Self {
        Self {
            state: pass.state.clone(),
            observer: Arc::clone(&pass.observer),
            builds_read: 0,
            jobs_read: 0,
            builds_left: BTreeMap::new(),
        }
    }

    fn apply(&mut self, partition: String, step: Step) -> Result<Vec<Message>> {
        match step {
            Step::Gone(records) => Ok(records.into_iter().map(Message::Record).collect()),
            Step::Build(records) => {
                self.builds_read += 1;
                let is_job = |record: &&connector_core::Record| record.stream == JOBS;
                self.jobs_read += records.iter().filter(is_job).count() as u64;
                Ok(records.into_iter().map(Message::Record).collect())
            }
            Step::Page { coverage, left } => {
                self.builds_left.insert(partition.clone(), left);
                self.estimate();
                let Some(coverage) = coverage else {
                    return Ok(Vec::new());
                };
                self.state.partitions.insert(partition, *coverage);
                Ok(vec![Message::Checkpoint(self.state.to_state()?)])
            }
        }
    }

    /// Tells how many records there will be: builds as the server counts pages, jobs at the rate
    /// seen so far.
    fn estimate(&self) {
        let builds = self.builds_read + self.builds_left.values().sum::<u64>();
        let jobs_a_build = self.jobs_read as f64 / self.builds_read.max(1) as f64;
        for stream in self.state.streams() {
            let records = match stream.as_str() {
                JOBS => (builds as f64 * jobs_a_build) as u64,
                _ => builds,
            };
            self.observer.observe(Event::Estimate {
                stream: stream.clone(),
                records,
            });
        }
    }
}
