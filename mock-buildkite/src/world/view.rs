//! What an answer shows of a build, and its serialization.

use serde_json::Value;

use super::{Body, Build, World};
use crate::document::BuildDocument;
use crate::document::{Document, ObjectWriter};
use crate::seed::SeededView;

/// What an answer shows of a build.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) has_jobs: bool,
    pub(crate) has_pipeline: bool,
    pub(crate) has_retried_jobs: bool,
    /// Leave out jobs on paused queues.
    pub(crate) hides_paused: bool,
    /// Only jobs in one of these states; all if empty.
    pub(crate) job_states: Vec<String>,
    /// Add `job_state_counts`.
    pub(crate) has_counts: bool,
    /// Add `test_engine`.
    pub(crate) has_test_engine: bool,
}

impl View {
    /// Everything, retried jobs included.
    pub(crate) fn whole() -> Self {
        Self {
            has_jobs: true,
            has_pipeline: true,
            has_retried_jobs: true,
            ..Self::default()
        }
    }

    /// True if a seeded build can be written without looking into its jobs.
    fn is_plain(&self) -> bool {
        !self.hides_paused
            && self.job_states.is_empty()
            && !self.has_counts
            && !self.has_test_engine
    }
}

impl World {
    /// Writes a build as an answer shows it.
    pub(crate) fn write_build(&self, out: &mut Vec<u8>, build: &Build, view: &View) {
        let mut pipeline = Vec::new();
        if view.has_pipeline {
            self.write_pipeline(&mut pipeline, build.summary.pipeline);
        }
        self.write_build_with(out, build, view, &pipeline);
    }

    /// The same with the pipeline's text, for pages of many builds.
    pub(crate) fn write_build_with(
        &self,
        out: &mut Vec<u8>,
        build: &Build,
        view: &View,
        pipeline: &[u8],
    ) {
        match &build.body {
            Body::Seeded { world, ordinal } if view.is_plain() => {
                let view = SeededView {
                    pipeline: view.has_pipeline.then_some(pipeline),
                    has_jobs: view.has_jobs,
                    has_retried_jobs: view.has_retried_jobs,
                    agents: self.agent_texts(),
                };
                world.write_build(out, *ordinal, view);
            }
            Body::Seeded { .. } => self.write_stored(out, &self.document(build), view, pipeline),
            Body::Stored(document) => self.write_stored(out, document, view, pipeline),
        }
    }

    /// The build as a document of its own.
    pub(crate) fn document(&self, build: &Build) -> BuildDocument {
        match &build.body {
            Body::Stored(document) => (**document).clone(),
            Body::Seeded { world, ordinal } => {
                let mut text = Vec::new();
                let view = SeededView {
                    pipeline: Some(b"null"),
                    has_jobs: true,
                    has_retried_jobs: true,
                    agents: self.agent_texts(),
                };
                world.write_build(&mut text, *ordinal, view);
                let text = String::from_utf8(text).expect("seeded builds are text");
                let document = BuildDocument::parse(&text).expect("seeded builds are JSON");
                document.with_live_pipeline()
            }
        }
    }

    /// The meta-data object of a build.
    pub(crate) fn meta_data(&self, build: &Build) -> Value {
        match &build.body {
            Body::Stored(document) => document.get("meta_data"),
            Body::Seeded { world, ordinal } => {
                let mut text = Vec::new();
                world.write_meta_data(&mut text, *ordinal);
                serde_json::from_slice(&text).unwrap_or_default()
            }
        }
    }

    /// True if one of the build's jobs has this id.
    pub(crate) fn has_job(&self, build: &Build, id: &str) -> bool {
        match &build.body {
            Body::Stored(document) => document
                .jobs()
                .iter()
                .any(|job| job.text("id").as_deref() == Some(id)),
            Body::Seeded { world, ordinal } => world.has_job(*ordinal, id),
        }
    }

    /// True if all jobs of the build that name a queue wait on paused ones.
    pub(crate) fn is_all_paused(&self, build: &Build) -> bool {
        if self.paused_queues.is_empty() {
            return false;
        }
        let document = self.document(build);
        let mut queues = document
            .jobs()
            .iter()
            .filter(|job| job.text("cluster_queue_id").is_some())
            .peekable();
        queues.peek().is_some() && queues.all(|job| self.is_paused(job))
    }

    /// True if a job's queue does not dispatch.
    pub(super) fn is_paused_job(&self, job: &Document) -> bool {
        let queue = job.text("cluster_queue_id");
        let queues = self.stored_below("cluster_queues", &[]).into_iter();
        let mut of_job = queues.filter(|one| queue.is_some() && one.object.text("id") == queue);
        self.is_paused(job) || of_job.any(|one| one.object.is_true("dispatch_paused"))
    }

    fn is_paused(&self, job: &Document) -> bool {
        let queue = job.text("cluster_queue_id");
        queue.is_some_and(|queue| self.paused_queues.contains(&queue))
    }

    fn write_stored(&self, out: &mut Vec<u8>, build: &BuildDocument, view: &View, pipeline: &[u8]) {
        let mut object = ObjectWriter::open(out);
        for key in build.fields().keys() {
            match key {
                "jobs" if !build.has_jobs() => object.raw(key, b"null"),
                "jobs" if view.has_jobs => self.write_jobs(object.key(key), build, view),
                "pipeline" if view.has_pipeline && build.has_live_pipeline => {
                    object.raw(key, pipeline)
                }
                "jobs" => {}
                "pipeline" if !view.has_pipeline => {}
                _ => object.raw(key, build.fields().raw(key).unwrap_or("null").as_bytes()),
            }
        }
        if view.has_counts {
            let counts = job_state_counts(build, view.has_retried_jobs);
            object.raw("job_state_counts", counts.to_string().as_bytes());
        }
        if view.has_test_engine {
            let runs = self.test_runs(build);
            object.raw("test_engine", runs.to_string().as_bytes());
        }
        object.close();
    }

    /// Writes a job with its agent as it is now.
    fn write_job(&self, out: &mut Vec<u8>, build: &BuildDocument, job: &Document) {
        let agent = job.raw("agent").and_then(|agent| {
            let (_, rest) = agent.split_once("\"id\":\"")?;
            self.agent_text(rest.split('"').next()?)
        });
        let Some(agent) = agent.filter(|_| build.has_live_pipeline) else {
            return job.write(out, |_| true);
        };
        let mut object = ObjectWriter::open(out);
        for key in job.keys() {
            let value = job.raw(key).unwrap_or("null");
            let is_agent = key == "agent";
            object.raw(key, if is_agent { agent } else { value }.as_bytes());
        }
        object.close();
    }

    /// The runs of test suites that name a build.
    fn test_runs(&self, build: &BuildDocument) -> Value {
        let id = build.fields().text("id");
        let runs = self.stored_below("test_runs", &[]).into_iter();
        let of_build = runs.filter(|run| run.object.text("build_id") == id);
        let runs: Vec<_> = of_build
            .map(|run| {
                let slug = run.parent("suite_slug").unwrap_or_default();
                let suites = self.stored_below("test_suites", &[]).into_iter();
                let mut suites = suites.filter(|suite| {
                    suite.parent("organization_slug") == run.parent("organization_slug")
                        && suite.object.text("slug").as_deref() == Some(slug)
                });
                let suite = suites.next().map(|suite| suite.object.get("id"));
                serde_json::json!({"id": run.object.get("id"), "suite": {"id": suite, "slug": slug}})
            })
            .collect();
        serde_json::json!({ "runs": runs })
    }

    fn write_jobs(&self, out: &mut Vec<u8>, build: &BuildDocument, view: &View) {
        out.push(b'[');
        let mut is_first = true;
        for (at, job) in build.jobs().iter().enumerate() {
            let is_shown = (view.has_retried_jobs || !job.is_true("retried"))
                && (view.job_states.is_empty() || job_matches(build, at, &view.job_states))
                && !(view.hides_paused && self.is_paused(job));
            if is_shown {
                if !is_first {
                    out.push(b',');
                }
                is_first = false;
                self.write_job(out, build, job);
            }
        }
        out.push(b']');
    }
}

/// `{"total": 4, "states": {"passed": 4}}`.
fn job_state_counts(build: &BuildDocument, has_retried_jobs: bool) -> Value {
    let mut states = serde_json::Map::new();
    let mut total = 0;
    for (at, job) in build.jobs().iter().enumerate() {
        if !has_retried_jobs && job.is_true("retried") {
            continue;
        }
        total += 1;
        let count = states.entry(state_of(build, at)).or_insert(Value::from(0));
        *count = Value::from(count.as_u64().unwrap_or(0) + 1);
    }
    serde_json::json!({"total": total, "states": states})
}

/// True if a job is in one of the states; a finished waiter counts as passed.
pub(crate) fn job_matches(build: &BuildDocument, at: usize, states: &[String]) -> bool {
    states.contains(&state_of(build, at))
}

fn state_of(build: &BuildDocument, at: usize) -> String {
    let state = build.jobs()[at].text("state");
    state.unwrap_or_else(|| state_of_waiter(build, at).to_owned())
}

/// The state of a waiter, which its object does not show. It has passed once every job before it
/// has ended and none of them failed the build.
fn state_of_waiter(build: &BuildDocument, at: usize) -> &'static str {
    let mut state = "passed";
    for job in &build.jobs()[..at] {
        let is_excused = job.is_true("soft_failed") || job.is_true("retried");
        match job.text("state").as_deref() {
            None | Some("passed" | "unblocked" | "skipped" | "broken") => {}
            Some("failed" | "timed_out" | "expired") if is_excused => {}
            Some(
                "failed" | "timed_out" | "expired" | "canceled" | "waiting_failed"
                | "blocked_failed",
            ) => {
                return "waiting_failed";
            }
            Some(_) => state = "waiting",
        }
    }
    state
}

/// True if the list of jobs accepts the state as a filter value.
pub(crate) fn is_known_job_state(state: &str) -> bool {
    const STATES: [&str; 21] = [
        "pending",
        "waiting",
        "waiting_failed",
        "blocked",
        "blocked_failed",
        "unblocked",
        "unblocked_failed",
        "scheduled",
        "assigned",
        "accepted",
        "running",
        "passed",
        "failed",
        "timed_out",
        "timing_out",
        "canceled",
        "canceling",
        "skipped",
        "broken",
        "expired",
        "limited",
    ];
    STATES.contains(&state)
}
