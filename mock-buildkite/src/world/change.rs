//! Changes to the builds of a world: new ones, changed ones, ones that are gone.

use serde_json::Value;

use super::{Build, BuildDocument, World};
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
    pub fn finish_build(&mut self, id: &str, state: &str) -> bool {
        let now = crate::time::millis_to_string(self.clock.now_millis());
        self.change_build(id, |build| {
            let job_state = if state == "canceled" {
                "canceled"
            } else {
                "passed"
            };
            for job in build.jobs_mut() {
                let is_open = matches!(
                    job.text("state").as_deref(),
                    Some(
                        "scheduled" | "assigned" | "accepted" | "running" | "waiting" | "canceling"
                    )
                );
                if is_open {
                    job.set("state", job_state);
                    if job.raw("started_at") == Some("null") && job_state == "passed" {
                        job.set("runnable_at", &now);
                        job.set("started_at", &now);
                    }
                    job.set("finished_at", &now);
                    if job.raw("exit_status").is_some() && job_state == "passed" {
                        job.set("exit_status", 0);
                    }
                }
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

fn retry(build: &mut BuildDocument, job_id: &str, new_id: &str, now: &str) -> Option<()> {
    let is_it = |job: &crate::Document| job.text("id").as_deref() == Some(job_id);
    let at = build.jobs().iter().position(is_it)?;
    let old = &mut build.jobs_mut()[at];
    if old.is_true("retried") {
        return None;
    }
    // The new attempt lives where the old one lived: only the id in its addresses differs.
    let mut new = crate::Document::parse(&old.to_json().replace(job_id, new_id)).ok()?;
    old.set("retried", true);
    old.set("retried_in_job_id", new_id);
    old.set("retry_type", "manual");
    let attempts = old.get("retries_count").as_u64().unwrap_or(0);
    new.set("graphql_id", crate::dice::graphql_id("Job", new_id));
    new.set("state", "scheduled");
    new.set("soft_failed", false);
    for key in [
        "exit_status",
        "agent",
        "started_at",
        "finished_at",
        "retried_in_job_id",
        "retry_type",
    ] {
        new.set(key, Value::Null);
    }
    new.set("retried", false);
    new.set("created_at", now);
    new.set("runnable_at", now);
    new.set("retries_count", attempts + 1);
    new.set(
        "retry_source",
        serde_json::json!({"job_id": job_id, "retry_type": "manual"}),
    );
    build.jobs_mut().insert(at + 1, new);
    build.set("state", "running");
    build.set("finished_at", Value::Null);
    build.set("started_at", now);
    Some(())
}

fn unblock(build: &mut BuildDocument, now: &str) -> Option<()> {
    let is_blocked = |job: &&mut crate::Document| {
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
