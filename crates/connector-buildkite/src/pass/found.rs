//! What a pass takes from a build: its records, and what the next sync must know of it.

use std::collections::BTreeSet;

use buildkite_client::{RawBuild, Timestamp};
use chrono::{DateTime, Utc};
use connector_core::{Record, StreamName};
use serde_json::value::RawValue;

use crate::lists::children::ParentBuild;
use crate::state::OpenBuild;
use crate::streams::{BUILDS, JOBS, build_record, job_record};

/// States that a build leaves by itself, as filters call them (API facts 9.1).
pub(crate) const OPEN: &[&str] = &["creating", "scheduled", "running", "failing", "canceling"];
/// States that it does not leave by itself.
pub(crate) const TERMINAL: [&str; 5] = ["passed", "failed", "canceled", "skipped", "not_run"];

/// A build that was read.
pub(crate) struct Found {
    pub(crate) records: Vec<Record>,
    pub(crate) id: String,
    /// Absent if the answer left the pipeline out.
    pub(crate) pipeline_id: Option<String>,
    pub(crate) pipeline_slug: String,
    /// Pipeline, number and time of creation.
    pub(crate) build: OpenBuild,
    pub(crate) standing: Standing,
    /// The latest time that the server wrote into it: its clock was not behind that.
    pub(crate) latest: DateTime<Utc>,
    /// The build as the parent of lists, if any of those is read.
    pub(crate) parent: Option<Box<ParentBuild>>,
}

/// Whether a build can change without showing it by a new end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has come to its end; if it runs again it is open, and later has another end.
    Settled,
    Open,
    /// It waits at a block step and has no end, as most servers give it.
    BlockedWithoutEnd,
}

/// Makes records out of builds.
pub(crate) struct Decode {
    organization: String,
    builds: Option<StreamName>,
    jobs: Option<StreamName>,
    /// Whether lists of builds or jobs are read.
    has_children: bool,
}

impl Decode {
    pub(crate) fn new(streams: &BTreeSet<StreamName>, organization: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            builds: streams.get(BUILDS).cloned(),
            jobs: streams.get(JOBS).cloned(),
            has_children: streams.iter().any(|name| name != BUILDS && name != JOBS),
        }
    }

    pub(crate) fn found(&self, build: &RawBuild<'_>) -> Found {
        let finished_at = text_of(build.field("finished_at")).and_then(Timestamp::parse);
        let created_at = build.created_at.at;
        Found {
            records: self.records(build),
            id: build.id.to_owned(),
            pipeline_id: build.pipeline_id.as_deref().map(str::to_owned),
            pipeline_slug: build.pipeline_slug.clone().into_owned(),
            build: OpenBuild {
                pipeline: build
                    .pipeline_id
                    .as_ref()
                    .unwrap_or(&build.pipeline_slug)
                    .to_string(),
                number: build.number,
                created_at,
            },
            standing: standing(build, finished_at.is_some()),
            parent: (self.has_children)
                .then(|| Box::new(ParentBuild::of(build, &self.organization))),
            latest: finished_at.map_or(created_at, |end| end.at.max(created_at)),
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

/// A blocked build has an end, and another one once it went on (API facts 9.3); where that is not
/// so, it counts as open.
fn standing(build: &RawBuild<'_>, has_end: bool) -> Standing {
    let is_blocked = build
        .field("blocked")
        .is_some_and(|raw| raw.get() == "true");
    if is_blocked {
        return match has_end {
            true => Standing::Settled,
            false => Standing::BlockedWithoutEnd,
        };
    }
    let state = text_of(build.field("state")).unwrap_or_default();
    // Of a state that nobody knows, an end tells.
    let has_ended = has_end && !OPEN.contains(&state);
    match TERMINAL.contains(&state) || has_ended {
        true => Standing::Settled,
        false => Standing::Open,
    }
}

/// A text without escapes: states and times have none.
fn text_of(raw: Option<&RawValue>) -> Option<&str> {
    raw?.get().strip_prefix('"')?.strip_suffix('"')
}
