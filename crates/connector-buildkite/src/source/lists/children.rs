//! Lists of builds and jobs, read for the builds that a sweep reads.
//!
//! The requests of several builds run at the same time. Their records come in the order of the
//! builds: before the checkpoint of the page that the build is on.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkite_client::{Client, Error as ClientError, RawBuild};
use connector_core::{Event, Observer, Record, Result, StreamName};
use futures::stream::StreamExt;
use serde::Deserialize;

use super::keys::Keys;
use super::refusals::{Refusals, is_of_one_stream};
use crate::connection::forward;
use crate::error::in_stream;
use crate::source::scope::Scope;
use crate::streams::{ListStream, Parent};

/// A build as the parent of lists.
#[derive(Debug, Clone)]
pub(crate) struct ParentBuild {
    keys: Keys,
    /// Jobs that ran: others have no log and no environment.
    jobs: Vec<String>,
    /// A checksum of the build's fields and of the states and ends of its jobs. It tells whether
    /// the build changed; what its agents do later does not count.
    pub(crate) checksum: u32,
}

/// A list of one build or job.
pub(crate) struct ChildList {
    list: Arc<ListStream>,
    keys: Keys,
}

impl ChildList {
    /// The stream that its records are of.
    pub(crate) fn stream(&self) -> &StreamName {
        &self.list.stream.name
    }
}

impl ParentBuild {
    pub(crate) fn new(build: &RawBuild<'_>, organization: &str) -> Self {
        let mut keys = Keys::organization(organization).with("pipeline_slug", &build.pipeline_slug);
        if let Some(id) = &build.pipeline_id {
            keys = keys.with("pipeline_id", id);
        }
        let keys = keys
            .with("build_id", build.id)
            .with_number("build_number", build.number);
        let mut checksum = crc32fast::Hasher::new();
        for (_, value) in &build.fields {
            checksum.update(value.get().as_bytes());
        }
        let mut jobs = Vec::new();
        let parsed = build.jobs.iter();
        for job in parsed.filter_map(|job| serde_json::from_str::<Job>(job.get()).ok()) {
            for part in [&job.state, &job.finished_at].into_iter().flatten() {
                checksum.update(part.as_bytes());
            }
            if job.has_run() {
                jobs.push(job.id);
            }
        }
        Self {
            keys,
            jobs,
            checksum: checksum.finalize(),
        }
    }

    /// Its lists of these streams, and those of its jobs.
    pub(crate) fn lists(&self, scope: &Scope, streams: &BTreeSet<StreamName>) -> Vec<ChildList> {
        let lists = streams.iter().filter_map(|name| scope.list(name));
        lists.flat_map(|list| self.lists_of(list)).collect()
    }

    fn lists_of(&self, list: &Arc<ListStream>) -> Vec<ChildList> {
        let child = |keys| ChildList {
            list: Arc::clone(list),
            keys,
        };
        if list.parent == Parent::Job {
            let keys = |job| self.keys.clone().with("job_id", job);
            return self.jobs.iter().map(|job| child(keys(job))).collect();
        }
        vec![child(self.keys.clone())]
    }
}

#[derive(Deserialize)]
struct Job {
    id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    state: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl Job {
    /// Whether it is a command that was started.
    fn has_run(&self) -> bool {
        self.started_at.is_some() && self.kind.as_deref() == Some("script")
    }
}

/// Reads lists of builds and jobs.
#[derive(Clone)]
pub(crate) struct ChildReader {
    pub(crate) client: Client,
    pub(crate) refusals: Refusals,
    pub(crate) observer: Arc<dyn Observer>,
    /// Of a longer log only the end is read.
    pub(crate) max_bytes: usize,
}

impl ChildReader {
    /// The records of a list; none if its build or job is no longer there, or the stream is
    /// refused.
    ///
    /// # Errors
    /// Those of a read, except a missing scope, which is noted as a refusal.
    pub(crate) async fn read(&self, child: ChildList) -> Result<Vec<Record>> {
        let ChildList { list, keys } = child;
        let stream = &list.stream.name;
        if self.refusals.has(stream) {
            return Ok(Vec::new());
        }
        let client = (self.client).with_observer(forward(&self.observer, Some(stream)));
        let mut items = Arc::clone(&list).read(&client, &keys, self.max_bytes);
        let mut records = Vec::new();
        while let Some(item) = items.next().await {
            match item {
                Ok((raw, record)) => {
                    self.report_cut(stream, raw.get());
                    records.push(Record::new(stream.clone(), record));
                }
                // It was removed, or the feature is off for its pipeline.
                Err(ClientError::NotFound { .. }) => break,
                Err(error) => {
                    self.refuse(&list, error)?;
                    break;
                }
            }
        }
        Ok(records)
    }

    /// Notes the refusal of a stream. Other errors stop the read.
    fn refuse(&self, list: &ListStream, error: ClientError) -> Result<()> {
        let stream = &list.stream;
        let error = in_stream(&stream.name)(error);
        if !is_of_one_stream(&error) {
            return Err(error);
        }
        self.refusals
            .note(&stream.name, &stream.scopes, &error, &*self.observer);
        Ok(())
    }

    fn report_cut(&self, stream: &StreamName, raw: &str) {
        if raw.ends_with("\"content_truncated\":true}") {
            let message = format!(
                "a log is longer than log_limit_bytes ({}); its record has only the end",
                self.max_bytes
            );
            self.observer.observe(Event::Notice {
                stream: Some(stream.clone()),
                message,
            });
        }
    }
}
