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
use connector_core::{Event, Message, Observer, Record, Result};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::lists::children::ChildReader;
use crate::lists::{Keys, ListStream, Refusals};
use crate::pipelines::lacks_id;
use crate::rules::Rules;
use crate::scope::{Identified, Scope};
use crate::state::PassState;
use crate::streams::{BUILDS, JOBS};
use partition::{Children, Partition, Step};

/// What a pass needs.
pub(crate) struct Pass {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) state: PassState,
    pub(crate) rules: Rules,
    pub(crate) max_concurrency: usize,
    pub(crate) observer: Arc<dyn Observer>,
    /// Reads the lists of builds and jobs.
    pub(crate) children: ChildReader,
}

impl Pass {
    /// Reads all of it.
    pub(crate) async fn read(self) -> Result<impl Stream<Item = Result<Message>> + Send> {
        let mut progress = Progress::new(&self);
        let partitions = self.partitions().await?;
        let concurrency = self.max_concurrency;
        let (scope, children) = (Arc::clone(&self.scope), self.children.clone());
        let pass = Arc::new(self);
        let steps = stream::iter(partitions)
            .map(move |(key, organization, pipeline)| {
                let partition = Partition::new(Arc::clone(&pass), organization, pipeline);
                partition.read().map_ok(move |step| (key.clone(), step))
            })
            .flatten_unordered(concurrency);
        // In their order, so that a page's checkpoint comes behind the lists of its builds.
        let parts = steps
            .map_ok(move |(key, step)| stream::iter(parts(&scope, key, step)).map(Ok))
            .try_flatten()
            .map_ok(move |part| children.clone().read_part(part))
            .try_buffered(concurrency);
        let messages = parts.map(move |part| {
            let messages = progress.apply(part?)?;
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

/// A piece of work, in the order in which it counts.
enum Part {
    /// A step of the partition with this key.
    Step(String, Step),
    /// A list of a build or job.
    List(Box<ListStream>, Keys),
    /// What such a list held.
    Listed(Vec<Record>),
}

/// A step, and behind a build the lists that are read for it.
fn parts(scope: &Scope, key: String, mut step: Step) -> Vec<Part> {
    let children = match &mut step {
        Step::Build(_, children) => children.take(),
        _ => None,
    };
    let mut parts = vec![Part::Step(key, step)];
    if let Some(Children { build, streams }) = children {
        let lists = streams.iter().filter_map(|name| scope.list(name));
        parts.extend(lists.flat_map(|list| {
            let keys = build.keys_for(list).into_iter();
            keys.map(|keys| Part::List(Box::new(list.clone()), keys))
        }));
    }
    parts
}

impl ChildReader {
    async fn read_part(self, part: Part) -> Result<Part> {
        match part {
            Part::List(list, keys) => self.read(&list, &keys).await.map(Part::Listed),
            part => Ok(part),
        }
    }
}

/// How far the whole pass has come.
struct Progress {
    state: PassState,
    refusals: Refusals,
    observer: Arc<dyn Observer>,
    builds_read: u64,
    jobs_read: u64,
    builds_left: BTreeMap<String, u64>,
}

impl Progress {
    fn new(pass: &Pass) -> Self {
        Self {
            state: pass.state.clone(),
            refusals: pass.children.refusals.clone(),
            observer: Arc::clone(&pass.observer),
            builds_read: 0,
            jobs_read: 0,
            builds_left: BTreeMap::new(),
        }
    }

    fn apply(&mut self, part: Part) -> Result<Vec<Message>> {
        let (partition, step) = match part {
            Part::Step(partition, step) => (partition, step),
            Part::Listed(records) => {
                return Ok(records.into_iter().map(Message::Record).collect());
            }
            Part::List(..) => return Ok(Vec::new()),
        };
        match step {
            Step::Gone(records) => Ok(records.into_iter().map(Message::Record).collect()),
            Step::Build(records, _) => {
                self.builds_read += 1;
                let is_job = |record: &&Record| record.stream == JOBS;
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
                // What was refused has not come: its state stays where it was.
                self.state.leave_out(|stream| self.refusals.has(stream));
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
                BUILDS => builds,
                _ => continue,
            };
            self.observer.observe(Event::Estimate {
                stream: stream.clone(),
                records,
            });
        }
    }
}
