//! One pass over the builds feeds `builds` and `jobs`.
//!
//! The pass is made of partitions, one per organization or selected pipeline, read side by side.
//! Each is an interval of creation times that shrinks from the top; a checkpoint follows every
//! page. What a state covers is settled in one place, [`Progress::apply`], behind the point where
//! the partitions' records flow together: so it never runs ahead of a record.

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkite_client::{BuildQuery, Client, Error as ClientError, Listed, RawBuild};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Event, Message, Observer, Record, Result, StreamName};
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};

use crate::error::in_stream;
use crate::scope::{Scope, Selected};
use crate::state::{PartitionState, PassState};
use crate::streams::{BUILDS, JOBS, build_record, job_record};

/// Builds may enter a list a little later than their `created_at` says.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// What a pass needs.
pub(crate) struct Pass {
    /// `builds`, `jobs` or both.
    pub(crate) streams: Vec<StreamName>,
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) state: PassState,
    pub(crate) max_concurrency: usize,
    pub(crate) observer: Arc<dyn Observer>,
}

/// A part of the pass that is read on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    organization: String,
    pipeline: Option<String>,
}

impl Partition {
    fn key(&self) -> String {
        match &self.pipeline {
            Some(pipeline) => format!("{}/{pipeline}", self.organization),
            None => self.organization.clone(),
        }
    }
}

/// What a partition yields.
enum Step {
    /// A build with its jobs.
    Records(Vec<Record>),
    /// All records before this have been yielded.
    Page(Page),
}

/// How far an interval of a partition has been read.
struct Page {
    partition: String,
    interval: Interval,
    /// The server's time when the first page of the interval was read.
    top: Option<DateTime<Utc>>,
    /// What is left of the interval lies before this; absent for nothing.
    remaining_to: Option<DateTime<Utc>>,
    /// About how many builds are left of it.
    estimate: Option<u64>,
}

/// Which part of a partition is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interval {
    /// What was created since the partition was left off.
    New,
    /// All, or what was left of it.
    Rest,
}

impl Pass {
    /// Reads all of it.
    pub(crate) async fn read(self) -> Result<impl Stream<Item = Result<Message>> + Send> {
        let mut progress = Progress::new(&self);
        let partitions = self.partitions().await?;
        let concurrency = self.max_concurrency;
        let pass = Arc::new(self);
        let steps = stream::iter(partitions)
            .map(move |partition| Arc::clone(&pass).partition(partition))
            .flatten_unordered(concurrency);
        let messages = steps.map(move |step| {
            let messages = progress.apply(step?)?;
            Ok(stream::iter(messages.into_iter().map(Ok)))
        });
        Ok(messages.try_flatten())
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        if let Some(selected) = self.scope.selected(&self.client).await? {
            let partition = |selected: &Selected| Partition {
                organization: selected.organization.clone(),
                pipeline: Some(selected.pipeline.slug.clone()),
            };
            return Ok(selected.iter().map(partition).collect());
        }
        let organizations = self.scope.organizations(&self.client).await?;
        let partition = |organization| Partition {
            organization,
            pipeline: None,
        };
        Ok(organizations.into_iter().map(partition).collect())
    }

    /// One partition: first what is new since it was left off, then what was left.
    fn partition(self: Arc<Self>, partition: Partition) -> BoxStream<'static, Result<Step>> {
        let from = self.state.created_from;
        let Some(saved) = self.state.partitions.get(&partition.key()).copied() else {
            return self.read_interval(partition, Interval::Rest, from, None);
        };
        let overlap = saved.top - OVERLAP;
        let since = from.map_or(overlap, |from| from.max(overlap));
        let new =
            Arc::clone(&self).read_interval(partition.clone(), Interval::New, Some(since), None);
        let Some(to) = saved.remaining_to else {
            return new;
        };
        let rest = self.read_interval(partition, Interval::Rest, from, Some(to));
        // `chain` would go on after an error.
        until_error(new.chain(rest))
    }

    fn read_interval(
        self: Arc<Self>,
        partition: Partition,
        interval: Interval,
        created_from: Option<DateTime<Utc>>,
        created_to: Option<DateTime<Utc>>,
    ) -> BoxStream<'static, Result<Step>> {
        let query = BuildQuery {
            organization: partition.organization.clone(),
            pipeline: partition.pipeline.clone(),
            created_from,
            created_to,
            with_jobs: self.streams.iter().any(|stream| *stream == JOBS),
        };
        let decode = Decode::new(&self.streams, &partition.organization);
        let key = partition.key();
        let mut top = None;
        let steps = self
            .client
            .builds(query, move |build| decode.records(&build))
            .map_ok(move |listed| match listed {
                Listed::Build(records) => Step::Records(records),
                Listed::Page(page) => {
                    top = top.or(page.server_time);
                    Step::Page(Page {
                        partition: key.clone(),
                        interval,
                        top,
                        remaining_to: page.remaining_to,
                        estimate: page.estimate,
                    })
                }
            });
        let stream = self.streams[0].clone();
        let explained = steps.or_else(move |error| {
            let (pass, partition) = (Arc::clone(&self), partition.clone());
            let stream = stream.clone();
            async move { Err(pass.explain(error, &partition, &stream).await) }
        });
        explained.boxed()
    }

    async fn explain(
        &self,
        error: ClientError,
        partition: &Partition,
        stream: &StreamName,
    ) -> connector_core::Error {
        match error {
            ClientError::NotFound { .. } if partition.pipeline.is_none() => {
                let organization = &partition.organization;
                let error = self.scope.unknown(&self.client, organization).await;
                error.with_context("stream", stream)
            }
            error => in_stream(stream)(error),
        }
    }
}

/// Ends a stream behind its first error, without asking it for more.
pub(crate) fn until_error<T: Send + 'static>(
    stream: impl Stream<Item = Result<T>> + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let stream = Box::pin(stream);
    stream::try_unfold(stream, |mut stream| async move {
        let item = stream.try_next().await?;
        Ok(item.map(|item| (item, stream)))
    })
    .boxed()
}

/// Makes records out of a build.
struct Decode {
    organization: String,
    builds: Option<StreamName>,
    jobs: Option<StreamName>,
}

impl Decode {
    fn new(streams: &[StreamName], organization: &str) -> Self {
        let find = |name: &str| streams.iter().find(|stream| **stream == *name).cloned();
        Self {
            organization: organization.to_owned(),
            builds: find(BUILDS),
            jobs: find(JOBS),
        }
    }

    fn records(&self, build: &RawBuild<'_>) -> Vec<Record> {
        let mut records = Vec::with_capacity(build.jobs.len() + 1);
        if let Some(stream) = &self.builds {
            records.push(build_record(stream, build, &self.organization));
        }
        if let Some(stream) = &self.jobs {
            let record = |job: &&_| job_record(stream, job, build, &self.organization);
            records.extend(build.jobs.iter().map(record));
        }
        records
    }
}

/// How far the whole pass has come.
struct Progress {
    streams: Vec<StreamName>,
    state: PassState,
    observer: Arc<dyn Observer>,
    builds_read: u64,
    jobs_read: u64,
    builds_left: BTreeMap<String, u64>,
}

impl Progress {
    fn new(pass: &Pass) -> Self {
        Self {
            streams: pass.streams.clone(),
            state: pass.state.clone(),
            observer: Arc::clone(&pass.observer),
            builds_read: 0,
            jobs_read: 0,
            builds_left: BTreeMap::new(),
        }
    }

    fn apply(&mut self, step: Step) -> Result<Vec<Message>> {
        match step {
            Step::Records(records) => {
                self.builds_read += 1;
                self.jobs_read += records
                    .iter()
                    .filter(|record| record.stream == JOBS)
                    .count() as u64;
                Ok(records.into_iter().map(Message::Record).collect())
            }
            Step::Page(page) => {
                self.builds_left
                    .insert(page.partition.clone(), page.estimate.unwrap_or_default());
                self.estimate();
                if !self.cover(page) {
                    return Ok(Vec::new());
                }
                let checkpoint = self.state.to_state(&self.streams)?;
                Ok(vec![Message::Checkpoint(checkpoint)])
            }
        }
    }

    /// Moves the state of a partition on; false if there is nothing to save yet.
    fn cover(&mut self, page: Page) -> bool {
        let known = self.state.partitions.get(&page.partition).copied();
        let state = match page.interval {
            // Until all that is new has been read, the partition stays where it was left off.
            Interval::New if page.remaining_to.is_some() => None,
            Interval::New => page.top.map(|top| PartitionState {
                top,
                remaining_to: known.and_then(|known| known.remaining_to),
            }),
            // Without the server's time nobody could tell later what is new.
            Interval::Rest => known
                .map(|known| known.top)
                .or(page.top)
                .map(|top| PartitionState {
                    top,
                    remaining_to: page.remaining_to,
                }),
        };
        state.is_some_and(|state| {
            self.state.partitions.insert(page.partition, state);
            true
        })
    }

    /// Tells how many records there will be: builds as the server counts pages, jobs at the rate
    /// seen so far.
    fn estimate(&self) {
        let builds = self.builds_read + self.builds_left.values().sum::<u64>();
        let jobs_a_build = self.jobs_read as f64 / self.builds_read.max(1) as f64;
        for stream in &self.streams {
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
