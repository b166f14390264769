//! Changes to the builds of a world: new ones, changed ones, ones that are gone.

use serde_json::{Value, json};

use super::{Build, BuildDocument, User, World};
use crate::dice::graphql_id;
use crate::document::Document;
use crate::fixture::BuildFixture;

/// A build that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedBuild {
    /// Its id.
    pub id: String,
    /// Its number within the pipeline.
    pub number: u64,
}

impl World {
    /// Makes a build, with the next number of its pipeline unless the fixture names one.
    ///
    /// Organization and pipeline are added if they are new.
    pub fn create_build(&mut self, fixture: BuildFixture) -> CreatedBuild {
        self.add_pipeline(fixture.organization(), fixture.pipeline());
        let owner = self
            .organization(fixture.organization())
            .unwrap_or_default();
        let pipeline = self.pipeline(owner, fixture.pipeline()).unwrap_or_default();
        let id = self.new_id();
        let next = 1 + self.last_number(pipeline);
        let job_ids = (0..fixture.job_count()).map(|_| self.new_id()).collect();
        let text = fixture.to_json(id, next, self.clock.now_millis(), job_ids);
        let document = BuildDocument::parse(&text).expect("a fixture is JSON");
        let build = Build::stored(document.with_live_pipeline(), pipeline);
        let created = CreatedBuild {
            id: build.facts.id.to_string(),
            number: build.facts.number,
        };
        self.builds.push(build);
        self.sort();
        created
    }

    /// Changes a build. Returns false if there is none with this id.
    pub fn change_build(&mut self, id: &str, change: impl FnOnce(&mut BuildDocument)) -> bool {
        let Some(at) = self.builds.iter().position(|build| &*build.facts.id == id) else {
            return false;
        };
        let mut document = self.document(&self.builds[at]);
        change(&mut document);
        self.builds[at] = Build::stored(document, self.builds[at].facts.pipeline);
        self.sort();
        true
    }

    /// Removes a build, as retention does. Returns false if there is none with this id.
    pub fn remove_build(&mut self, id: &str) -> bool {
        let before = self.builds.len();
        self.builds.retain(|build| &*build.facts.id != id);
        self.builds.len() < before
    }

    /// Adds a build as it is, byte for byte.
    pub(super) fn insert_recorded(&mut self, document: BuildDocument, pipeline: usize) {
        let id = document.fields().text("id").unwrap_or_default();
        self.remove_build(&id);
        self.builds.push(Build::stored(document, pipeline));
    }

    fn last_number(&self, pipeline: usize) -> u64 {
        let numbers = self
            .builds
            .iter()
            .filter(|build| build.facts.pipeline == pipeline);
        numbers.map(|build| build.facts.number).max().unwrap_or(0)
    }

    /// Retries a job as a person does: a new attempt stands right after it, the build runs again.
    ///
    /// Returns the id of the new attempt, or `None` if there is no such job or it was retried.
    pub fn retry_job(&mut self, build_id: &str, job_id: &str) -> Option<String> {
        let new_id = self.new_id();
        let now = crate::time::millis_to_string(self.clock.now_millis());
        let mut is_done = false;
        self.change_build(build_id, |build| {
            is_done = retry(build, job_id, &new_id, &now).is_some();
        });
        is_done.then_some(new_id)
    }

    /// Finishes a build now, in this state: `passed`, `failed`, `canceled`. Open jobs end with it.
    ///
    /// What ran or was due passes, or is canceled with the build. What waited for another job or
    /// behind a block step fails in place when the build fails. Returns false if there is no build
    /// with this id.
    pub fn finish_build(&mut self, id: &str, state: &str) -> bool {
        let now = crate::time::millis_to_string(self.clock.now_millis());
        self.change_build(id, |build| {
            for job in build.jobs_mut() {
                finish_job(job, state, &now);
            }
            if build.get("started_at").is_null() && state != "canceled" {
                build.set("started_at", &now);
            }
            build.set("state", state);
            build.set("blocked", false);
            build.set("finished_at", &now);
        })
    }

    /// Releases the first blocked block step of a build: the build runs again.
    pub fn unblock_build(&mut self, id: &str) -> bool {
        let now = crate::time::millis_to_string(self.clock.now_millis());
        let mut is_done = false;
        self.change_build(id, |build| is_done = unblock(build, &now).is_some());
        is_done
    }
}

/// How a job stands once its build has ended; `None` if nothing changes for it.
fn end_of_job(job: &Document, build_state: &str) -> Option<&'static str> {
    let is_manual = job.text("type").as_deref() == Some("manual");
    match (build_state, job.text("state")?.as_str()) {
        ("canceled", "blocked") if is_manual => Some("blocked_failed"),
        ("canceled", "blocked") => Some("canceled"),
        ("failed", "blocked") => Some("blocked_failed"),
        ("failed", "waiting") => Some("waiting_failed"),
        (
            _,
            "pending" | "waiting" | "scheduled" | "reserved" | "assigned" | "accepted" | "running"
            | "canceling" | "timing_out",
        ) => match build_state {
            "canceled" => Some("canceled"),
            _ => Some("passed"),
        },
        _ => None,
    }
}

fn finish_job(job: &mut Document, build_state: &str, now: &str) {
    let Some(state) = end_of_job(job, build_state) else {
        return;
    };
    let was_started = job.text("started_at").is_some();
    job.set("state", state);
    if job.raw("unblockable").is_some() {
        job.set("unblockable", false);
    }
    if !matches!(state, "passed" | "canceled") {
        return;
    }
    if state == "passed" && !was_started {
        job.set("runnable_at", now);
        job.set("started_at", now);
    }
    job.set("finished_at", now);
    if job.raw("exit_status").is_some() && (state == "passed" || was_started) {
        job.set("exit_status", if state == "passed" { 0 } else { -1 });
    }
}

fn retry(build: &mut BuildDocument, job_id: &str, new_id: &str, now: &str) -> Option<()> {
    let is_it = |job: &Document| job.text("id").as_deref() == Some(job_id);
    let at = build.jobs().iter().position(is_it)?;
    let old = &mut build.jobs_mut()[at];
    if old.is_true("retried") {
        return None;
    }
    let new = next_attempt(old, job_id, new_id, now);
    old.set("retried", true);
    old.set("retried_in_job_id", new_id);
    old.set("retry_type", "manual");
    old.set("retried_by", User::demo().object());
    build.jobs_mut().insert(at + 1, new);
    build.set("state", "running");
    build.set("blocked", false);
    build.set("finished_at", Value::Null);
    build.set("started_at", now);
    Some(())
}

/// The job that takes the place of one: the same step, not started yet.
fn next_attempt(old: &Document, old_id: &str, new_id: &str, now: &str) -> Document {
    let mut new = old.clone();
    new.set("id", new_id);
    new.set("graphql_id", graphql_id("Job", new_id));
    for key in ["log_url", "raw_log_url", "artifacts_url"] {
        if let Some(url) = old.text(key) {
            let url = url.replace(&format!("/jobs/{old_id}/"), &format!("/jobs/{new_id}/"));
            new.set(key, url);
        }
    }
    if let Some(url) = old.text("web_url") {
        let page = url.split('#').next().unwrap_or_default();
        new.set("web_url", format!("{page}#{new_id}"));
    }
    new.set("state", "scheduled");
    new.set("soft_failed", false);
    for key in ["exit_status", "agent", "started_at", "finished_at"] {
        new.set(key, Value::Null);
    }
    new.set("created_at", now);
    new.set("runnable_at", now);
    let attempts = old.get("retries_count").as_u64().unwrap_or(0);
    new.set("retries_count", attempts + 1);
    let source = json!({"job_id": old_id, "retry_type": "manual"});
    new.set("retry_source", source);
    new
}

fn unblock(build: &mut BuildDocument, now: &str) -> Option<()> {
    let is_blocked = |job: &&mut Document| {
        job.text("type").as_deref() == Some("manual")
            && job.text("state").as_deref() == Some("blocked")
    };
    let block = build.jobs_mut().iter_mut().find(is_blocked)?;
    block.set("state", "unblocked");
    block.set("unblockable", false);
    block.set("unblocked_at", now);
    for job in build.jobs_mut() {
        if job.text("state").as_deref() == Some("blocked")
            && job.text("type").as_deref() != Some("manual")
        {
            job.set("state", "scheduled");
            job.set("runnable_at", now);
        }
    }
    build.set("blocked", false);
    build.set("state", "running");
    build.set("started_at", now);
    build.set("finished_at", Value::Null);
    Some(())
}
