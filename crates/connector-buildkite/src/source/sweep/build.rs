//! What a sweep takes from a build: its records, and what the next read must know of it.

use std::collections::BTreeSet;

use buildkite_client::{RawBuild, Timestamp};
use chrono::{DateTime, Utc};
use connector_core::{Record, StreamName};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::lists::children::ParentBuild;
use crate::source::state::OpenBuild;
use crate::streams::{BUILDS, JOBS, OPEN_STATES, TERMINAL_STATES, build_record, job_record};

/// A build that was read.
pub(crate) struct ReadBuild {
    pub(crate) records: Vec<Record>,
    pub(crate) id: String,
    /// Absent if the answer left the pipeline out.
    pub(crate) pipeline_id: Option<String>,
    pub(crate) pipeline_slug: String,
    /// Pipeline, number and time of creation.
    pub(crate) build: OpenBuild,
    pub(crate) settledness: Settledness,
    /// The latest time that the server wrote into it. The server's clock was not behind that.
    pub(crate) latest: DateTime<Utc>,
    /// The build as the parent of lists, if any of those are read.
    pub(crate) parent: Option<Box<ParentBuild>>,
}

/// Whether a build can change without getting a new end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settledness {
    /// It has ended. If it runs again it is open, and later has another end.
    Settled,
    Open,
    /// It waits at a block step and has no end. Most servers give it one.
    BlockedWithoutEnd,
}

/// Makes records out of builds.
pub(crate) struct BuildDecoder {
    organization: String,
    builds: Option<StreamName>,
    jobs: Option<StreamName>,
    /// Whether lists of builds or jobs are read.
    has_children: bool,
}

impl BuildDecoder {
    pub(crate) fn new(streams: &BTreeSet<StreamName>, organization: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            builds: streams.get(BUILDS).cloned(),
            jobs: streams.get(JOBS).cloned(),
            has_children: streams.iter().any(|name| name != BUILDS && name != JOBS),
        }
    }

    pub(crate) fn decode(&self, build: &RawBuild<'_>) -> ReadBuild {
        let finished_at = text_of(build.field("finished_at")).and_then(Timestamp::parse);
        let created_at = build.created_at.at;
        let parent = || Box::new(ParentBuild::new(build, &self.organization));
        let pipeline = build.pipeline_id.as_ref().unwrap_or(&build.pipeline_slug);
        let settledness = settledness(build, finished_at.is_some());
        let is_open = settledness != Settledness::Settled;
        ReadBuild {
            records: self.records(build),
            id: build.id.to_owned(),
            pipeline_id: build.pipeline_id.as_deref().map(str::to_owned),
            pipeline_slug: build.pipeline_slug.clone().into_owned(),
            build: OpenBuild {
                pipeline: pipeline.to_string(),
                number: build.number,
                created_at,
                jobs: if is_open {
                    self.job_ids(build)
                } else {
                    Vec::new()
                },
            },
            settledness,
            parent: self.has_children.then(parent),
            latest: finished_at.map_or(created_at, |end| end.at.max(created_at)),
        }
    }

    /// The ids of its jobs, if those are read.
    fn job_ids(&self, build: &RawBuild<'_>) -> Vec<String> {
        #[derive(Deserialize)]
        struct Job {
            id: String,
        }
        if self.jobs.is_none() {
            return Vec::new();
        }
        let jobs = build.jobs.iter();
        let jobs = jobs.filter_map(|job| serde_json::from_str::<Job>(job.get()).ok());
        jobs.map(|job| job.id).collect()
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

/// A blocked build has an end, and another one after it was unblocked (API facts 9.3). Where that
/// is not so, it counts as open.
fn settledness(build: &RawBuild<'_>, has_end: bool) -> Settledness {
    let blocked = build.field("blocked");
    if blocked.is_some_and(|raw| raw.get() == "true") {
        return if has_end {
            Settledness::Settled
        } else {
            Settledness::BlockedWithoutEnd
        };
    }
    let state = text_of(build.field("state")).unwrap_or_default();
    // If the state is not known here, an end tells.
    let has_ended = has_end && !OPEN_STATES.contains(&state);
    if TERMINAL_STATES.contains(&state) || has_ended {
        Settledness::Settled
    } else {
        Settledness::Open
    }
}

/// A text without escapes: states and times have none.
fn text_of(raw: Option<&RawValue>) -> Option<&str> {
    raw?.get().strip_prefix('"')?.strip_suffix('"')
}
