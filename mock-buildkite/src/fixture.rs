//! Builds and jobs made for a test: valid as they come, one method per fact.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::dice::graphql_id;
use crate::document::Document;
use crate::seed::PUBLIC_API;
use crate::time::millis_to_string;

/// A build to be made.
///
/// ```
/// use mock_buildkite::{BuildFixture, JobFixture, World};
///
/// let mut world = World::empty();
/// let made = world.create_build(
///     BuildFixture::new("acme-inc", "widgets")
///         .state("failed")
///         .job(JobFixture::script("Unit tests").state("failed")),
/// );
/// assert_eq!(made.number, 1);
/// ```
#[derive(Debug, Clone)]
pub struct BuildFixture {
    organization: String,
    pipeline: String,
    id: Option<String>,
    number: Option<u64>,
    created_at: Option<i64>,
    meta_data: Map<String, Value>,
    fields: Vec<(String, Value)>,
    jobs: Vec<JobFixture>,
}

impl BuildFixture {
    /// A passed build of branch `main` without jobs, created and finished now.
    #[must_use]
    pub fn new(organization: &str, pipeline: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            pipeline: pipeline.to_owned(),
            id: None,
            number: None,
            created_at: None,
            meta_data: Map::new(),
            fields: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// Sets the id; any text will do.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        let id = Some(id.to_owned());
        Self { id, ..self }
    }

    /// Sets the number; the default is the pipeline's next one.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        let number = Some(number);
        Self { number, ..self }
    }

    /// Sets the time of creation; start and end of a finished build follow it.
    #[must_use]
    pub fn created_at(self, time: DateTime<Utc>) -> Self {
        let created_at = Some(time.timestamp_millis());
        Self { created_at, ..self }
    }

    /// Sets when it finished.
    #[must_use]
    pub fn finished_at(self, time: DateTime<Utc>) -> Self {
        self.field("finished_at", millis_to_string(time.timestamp_millis()))
    }

    /// Sets the state, spelled as the API spells it: `running`, `failed`. An open state has no end.
    #[must_use]
    pub fn state(self, state: &str) -> Self {
        self.field("state", state)
    }

    /// Lets it wait at a block step: the API then still says `passed` and gives an end.
    #[must_use]
    pub fn blocked(self) -> Self {
        self.field("blocked", true)
    }

    /// Sets the branch.
    #[must_use]
    pub fn branch(self, branch: &str) -> Self {
        self.field("branch", branch)
    }

    /// Sets the commit.
    #[must_use]
    pub fn commit(self, commit: &str) -> Self {
        self.field("commit", commit)
    }

    /// Sets the message.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        self.field("message", message)
    }

    /// Adds an entry to the meta-data.
    #[must_use]
    pub fn meta_data(mut self, key: &str, value: &str) -> Self {
        self.meta_data.insert(key.to_owned(), value.into());
        self
    }

    /// Sets any other field, known to the API or not.
    #[must_use]
    pub fn field(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.fields.push((key.to_owned(), value.into()));
        self
    }

    /// Adds a job.
    #[must_use]
    pub fn job(mut self, job: JobFixture) -> Self {
        self.jobs.push(job);
        self
    }

    /// The organization's slug.
    pub(crate) fn organization(&self) -> &str {
        &self.organization
    }

    /// The pipeline's slug.
    pub(crate) fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Number of jobs.
    pub(crate) fn job_count(&self) -> usize {
        self.jobs.len()
    }

    /// The build's object, with what the fixture left open filled in.
    pub(crate) fn to_json(&self, id: String, next: u64, now: i64, job_ids: Vec<String>) -> String {
        let id = self.id.clone().unwrap_or(id);
        let number = self.number.unwrap_or(next);
        let created = self.created_at.unwrap_or(now);
        let place = Place::new(&self.organization, &self.pipeline, number);
        let state = self
            .chosen("state")
            .and_then(Value::as_str)
            .unwrap_or("passed")
            .to_owned();
        let was_started = !matches!(&*state, "creating" | "scheduled" | "skipped" | "not_run");
        let is_over = matches!(
            &*state,
            "passed" | "failed" | "canceled" | "skipped" | "not_run"
        );
        let time = |at| Value::String(millis_to_string(at));
        let mut build = Document::default();
        build.set("id", &id);
        build.set("graphql_id", graphql_id("Build", &id));
        build.set("url", &place.url);
        build.set("web_url", &place.web_url);
        build.set("number", number);
        build.set("state", state);
        build.set("cancel_reason", Value::Null);
        build.set("blocked", false);
        build.set("blocked_state", "");
        build.set("message", "A build of a test");
        build.set("commit", "0123456789abcdef0123456789abcdef01234567");
        build.set("branch", "main");
        build.set("tag", Value::Null);
        build.set("env", json!({}));
        build.set("source", "api");
        build.set("author", Value::Null);
        build.set("creator", Value::Null);
        build.set("created_at", time(created));
        build.set("scheduled_at", time(created));
        build.set("started_at", was_started.then(|| time(created)));
        build.set("finished_at", is_over.then(|| time(created)));
        build.set("meta_data", &self.meta_data);
        build.set("pull_request", Value::Null);
        build.set("rebuilt_from", Value::Null);
        build.set("pipeline", Value::Null);
        let jobs = self.jobs.iter().zip(job_ids);
        let jobs: Vec<_> = jobs
            .map(|(job, id)| job.document(&place, id, created))
            .collect();
        build.set("jobs", jobs);
        build.set("cluster_id", Value::Null);
        build.set("cluster_url", Value::Null);
        for (key, value) in &self.fields {
            build.set(key, value);
        }
        build.to_json()
    }

    fn chosen(&self, key: &str) -> Option<&Value> {
        let chosen = self.fields.iter().rev().find(|(name, _)| name == key)?;
        Some(&chosen.1)
    }
}

/// The addresses of a build.
struct Place {
    url: String,
    web_url: String,
}

impl Place {
    fn new(organization: &str, pipeline: &str, number: u64) -> Self {
        Self {
            url: format!("{PUBLIC_API}/{organization}/pipelines/{pipeline}/builds/{number}"),
            web_url: format!("https://buildkite.com/{organization}/{pipeline}/builds/{number}"),
        }
    }
}

/// A job of a build to be made.
#[derive(Debug, Clone)]
pub struct JobFixture {
    kind: &'static str,
    name: String,
    fields: Vec<(String, Value)>,
}

impl JobFixture {
    /// A command job that passed.
    #[must_use]
    pub fn script(name: &str) -> Self {
        Self::new("script", name)
    }

    /// A wait step: it has an id and nothing else.
    #[must_use]
    pub fn waiter() -> Self {
        Self::new("waiter", "")
    }

    /// A block step that was released; `state("blocked")` holds the build.
    #[must_use]
    pub fn manual(label: &str) -> Self {
        Self::new("manual", label)
    }

    /// A trigger step that passed.
    #[must_use]
    pub fn trigger(name: &str) -> Self {
        Self::new("trigger", name)
    }

    fn new(kind: &'static str, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            fields: Vec::new(),
        }
    }

    /// Sets the state: `failed`, `running`, `scheduled`.
    #[must_use]
    pub fn state(self, state: &str) -> Self {
        self.field("state", state)
    }

    /// Sets the id; any text will do.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.field("id", id)
    }

    /// Sets the key of its step.
    #[must_use]
    pub fn step_key(self, key: &str) -> Self {
        self.field("step_key", key)
    }

    /// Sets the key of its group.
    #[must_use]
    pub fn group_key(self, key: &str) -> Self {
        self.field("group_key", key)
    }

    /// Sets the queue it runs on.
    #[must_use]
    pub fn queue_id(self, id: &str) -> Self {
        self.field("cluster_queue_id", id)
    }

    /// Marks it as an attempt that was replaced by another job.
    #[must_use]
    pub fn retried_in(self, job_id: &str) -> Self {
        self.field("retried", true)
            .field("retried_in_job_id", job_id)
    }

    /// Sets any other field.
    #[must_use]
    pub fn field(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.fields.push((key.to_owned(), value.into()));
        self
    }

    fn document(&self, place: &Place, id: String, created: i64) -> Document {
        let chosen = |key: &str| {
            let chosen = self.fields.iter().rev().find(|(name, _)| name == key);
            chosen
                .and_then(|(_, value)| value.as_str())
                .map(str::to_owned)
        };
        let id = chosen("id").unwrap_or(id);
        let mut job = Document::default();
        job.set("id", &id);
        job.set("graphql_id", graphql_id("Job", &id));
        job.set("type", self.kind);
        match self.kind {
            "waiter" => {}
            "manual" => self.manual_fields(&mut job, place, &id),
            _ => {
                let state = chosen("state").unwrap_or_else(|| "passed".to_owned());
                self.run_fields(&mut job, place, &id, &state, created);
            }
        }
        for (key, value) in &self.fields {
            job.set(key, value);
        }
        job
    }

    fn manual_fields(&self, job: &mut Document, place: &Place, id: &str) {
        job.set("label", &self.name);
        job.set("state", "unblocked");
        for key in ["step_key", "web_url", "unblocked_by", "unblocked_at"] {
            job.set(key, Value::Null);
        }
        job.set("unblockable", false);
        job.set("unblock_url", format!("{}/jobs/{id}/unblock", place.url));
        job.set("fields", Value::Null);
    }

    fn run_fields(&self, job: &mut Document, place: &Place, id: &str, state: &str, created: i64) {
        let is_script = self.kind == "script";
        let was_started = matches!(
            state,
            "running" | "canceling" | "passed" | "failed" | "timed_out"
        );
        let is_over = matches!(state, "passed" | "failed" | "timed_out" | "canceled");
        let time = |at| Value::String(millis_to_string(at));
        job.set("name", &self.name);
        if is_script {
            job.set("step_key", Value::Null);
            job.set("step", json!({"id": id, "signature": null}));
            job.set("priority", json!({"number": 0}));
            job.set("agent_query_rules", ["queue=default"]);
        }
        job.set("state", state);
        if !is_script {
            job.set("async", false);
            job.set("step_key", Value::Null);
        }
        job.set("build_url", &place.url);
        job.set("web_url", format!("{}#{id}", place.web_url));
        if is_script {
            let log_url = format!("{}/jobs/{id}/log", place.url);
            job.set("log_url", &log_url);
            job.set("raw_log_url", format!("{log_url}.txt"));
            job.set(
                "artifacts_url",
                format!("{}/jobs/{id}/artifacts", place.url),
            );
            job.set("command", "make test");
            job.set("soft_failed", false);
            let exit_status = match state {
                "passed" => json!(0),
                "failed" => json!(1),
                "timed_out" => json!(-1),
                _ => Value::Null,
            };
            job.set("exit_status", exit_status);
            job.set("artifact_paths", Value::Null);
        }
        job.set("created_at", time(created));
        job.set("scheduled_at", time(created));
        job.set("runnable_at", was_started.then(|| time(created)));
        job.set("started_at", was_started.then(|| time(created)));
        job.set("finished_at", is_over.then(|| time(created)));
        if !is_script {
            job.set("triggered_build", Value::Null);
            job.set("soft_failed", false);
            return;
        }
        job.set("expired_at", Value::Null);
        job.set("retried", false);
        for key in [
            "retried_in_job_id",
            "retries_count",
            "retry_source",
            "retry_type",
        ] {
            job.set(key, Value::Null);
        }
        for key in [
            "parallel_group_index",
            "parallel_group_total",
            "matrix",
            "agent",
            "retried_by",
        ] {
            job.set(key, Value::Null);
        }
        for key in [
            "cluster_id",
            "cluster_url",
            "cluster_queue_id",
            "cluster_queue_url",
        ] {
            job.set(key, Value::Null);
        }
    }
}
