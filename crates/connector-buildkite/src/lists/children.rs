//! Lists of builds and jobs, read for the builds that a pass reads.
//!
//! The requests of several builds run at the same time, and their records come in the order of
//! the builds: before the checkpoint of the page that the build is in.

use std::sync::Arc;

use buildkite_client::{Client, Error as ClientError, RawBuild};
use connector_core::{Event, Observer, Record, Result, StreamName};
use futures::stream::StreamExt;
use serde::Deserialize;

use super::refused::is_of_one_stream;
use super::{Keys, ListStream, Parent, Refusals};
use crate::error::in_stream;
use crate::listener::forward;

/// A build as the parent of lists.
#[derive(Debug, Clone)]
pub(crate) struct ParentBuild {
    keys: Keys,
    /// Jobs that ran: others have no log and no environment.
    jobs: Vec<String>,
    /// A checksum of the build's fields and of the states and ends of its jobs. It tells whether
    /// the build changed: what its agents do later is not in it.
    pub(crate) print: u32,
}

impl ParentBuild {
    pub(crate) fn of(build: &RawBuild<'_>, organization: &str) -> Self {
        let mut keys = Keys::organization(organization).with("pipeline_slug", &build.pipeline_slug);
        if let Some(id) = &build.pipeline_id {
            keys = keys.with("pipeline_id", id);
        }
        let keys = keys
            .with("build_id", build.id)
            .with_number("build_number", build.number);
        let mut print = crc32fast::Hasher::new();
        for (_, value) in &build.fields {
            print.update(value.get().as_bytes());
        }
        let mut jobs = Vec::new();
        let parsed = build.jobs.iter();
        for job in parsed.filter_map(|job| serde_json::from_str::<Job>(job.get()).ok()) {
            for part in [&job.state, &job.finished_at].into_iter().flatten() {
                print.update(part.as_bytes());
            }
            if job.has_run() {
                jobs.push(job.id);
            }
        }
        Self {
            keys,
            jobs,
            print: print.finalize(),
        }
    }

    /// The keys under which a list of this build, or of its jobs, is read.
    pub(crate) fn keys_for(&self, list: &ListStream) -> Vec<Keys> {
        match list.parent {
            Parent::Job => {
                let keys = |job: &String| self.keys.clone().with("job_id", job);
                self.jobs.iter().map(keys).collect()
            }
            _ => vec![self.keys.clone()],
        }
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
    pub(crate) max_bytes: usize,
}

impl ChildReader {
    /// The records of one parent; none if it is there no more, or the stream is refused.
    ///
    /// # Errors
    /// Those of a read, but for a missing right, which is noted as a refusal.
    pub(crate) async fn read(&self, list: &ListStream, keys: &Keys) -> Result<Vec<Record>> {
        let stream = &list.stream.name;
        if self.refusals.has(stream) {
            return Ok(Vec::new());
        }
        let client = (self.client).with_observer(forward(&self.observer, Some(stream)));
        let mut items = list.read(&client, keys, self.max_bytes);
        let mut records = Vec::new();
        while let Some(item) = items.next().await {
            match item {
                Ok((raw, record)) => {
                    self.tell_of_cut(stream, raw.get());
                    records.push(Record::new(stream.clone(), record));
                }
                // It is gone, or the feature is off for its pipeline.
                Err(ClientError::NotFound { .. }) => break,
                Err(error) => {
                    let error = in_stream(stream)(error);
                    if !is_of_one_stream(&error) {
                        return Err(error);
                    }
                    let scopes = &list.stream.scopes;
                    self.refusals.note(stream, scopes, &error, &*self.observer);
                    break;
                }
            }
        }
        Ok(records)
    }

    fn tell_of_cut(&self, stream: &StreamName, raw: &str) {
        if raw.ends_with("\"content_truncated\":true}") {
            let message = format!(
                "a log is longer than log_limit_bytes ({}); its record has the end of it",
                self.max_bytes
            );
            self.observer.observe(Event::Notice {
                stream: Some(stream.clone()),
                message,
            });
        }
    }
}
