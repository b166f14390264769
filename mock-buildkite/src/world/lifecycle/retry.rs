//! Retries: a new attempt replaces a job, and the build runs again.

use serde_json::{Value, json};

use super::job::{self, set_known};
use super::{Moment, OVER, World, never, reopen};
use crate::address;
use crate::document::BuildDocument;
use crate::document::Document;
use crate::world::User;

/// The most retries that an automatic rule can demand.
const MOST_AUTOMATIC: u64 = 10;

/// Who retries a job.
#[derive(Debug, Clone, Copy)]
enum Asker<'a> {
    Person(&'a User),
    Rule,
}

impl Asker<'_> {
    fn retry_type(self) -> &'static str {
        match self {
            Self::Person(_) => "manual",
            Self::Rule => "automatic",
        }
    }
}

impl World {
    /// Retries a job as a user does: a new attempt, `scheduled`, follows the old one.
    ///
    /// The old job stays, with `retried: true`. The build is `running` again, or `failing` if
    /// another job has failed: `finished_at` is null, and if it had ended, `started_at` is now.
    /// Jobs that failed together with the build wait again.
    ///
    /// Returns the id of the new attempt. `None` if there is no such job, it has not ended, it was
    /// retried before, or its build was canceled, skipped or not run.
    pub fn retry_job(&mut self, build_id: &str, job_id: &str) -> Option<String> {
        self.retry_job_by(build_id, job_id, &User::demo())
    }

    /// The same for this user.
    pub(crate) fn retry_job_by(
        &mut self,
        build_id: &str,
        job_id: &str,
        user: &User,
    ) -> Option<String> {
        let is_it = |one: &Document| one.text("id").as_deref() == Some(job_id) && can_retry(one);
        self.retry(build_id, is_it, Asker::Person(user))
    }

    /// Retries the first job that has failed and was not retried.
    pub fn retry_first_failed_job(&mut self, build_id: &str) -> Option<String> {
        let is_it = |one: &Document| job::has_failed(one) && can_retry(one);
        self.retry(build_id, is_it, Asker::Person(&User::demo()))
    }

    /// Retries the first failed job as an automatic rule does: `retry_type` is `automatic` and
    /// `retried_by` stays null. Also `None` after the tenth attempt, the most that a rule allows.
    pub fn retry_job_automatically(&mut self, build_id: &str) -> Option<String> {
        let is_it = |one: &Document| {
            let attempts = one.get("retries_count").as_u64().unwrap_or(0);
            job::has_failed(one) && can_retry(one) && attempts < MOST_AUTOMATIC
        };
        self.retry(build_id, is_it, Asker::Rule)
    }

    /// Retries this job as an automatic rule does.
    pub(super) fn retry_job_by_rule(&mut self, build_id: &str, job_id: &str) -> Option<String> {
        let is_it = |one: &Document| one.text("id").as_deref() == Some(job_id) && can_retry(one);
        self.retry(build_id, is_it, Asker::Rule)
    }

    fn retry(
        &mut self,
        build_id: &str,
        is_it: impl Fn(&Document) -> bool,
        asker: Asker<'_>,
    ) -> Option<String> {
        let new_id = self.new_id();
        let step = |build: &mut BuildDocument, moment: &Moment| {
            never(build, &OVER)?;
            never(build, &["creating", "scheduled"])?;
            let at = build.jobs().iter().position(is_it)?;
            let old = &mut build.jobs_mut()[at];
            let new = next_attempt(old, &new_id, asker, &moment.now);
            replace(old, &new_id, asker);
            build.jobs_mut().insert(at + 1, new);
            reopen(build, moment);
            Some(())
        };
        self.move_build(build_id, step)?;
        let document = self.build_by_id(build_id).map(|build| self.document(build));
        let old = document.as_ref().and_then(|build| {
            let new = build
                .jobs()
                .iter()
                .find(|one| one.text("id").as_ref() == Some(&new_id))?;
            new.get("retry_source")["job_id"]
                .as_str()
                .map(str::to_owned)
        });
        if let (Some(script), Some(old)) = (self.scripts.get_mut(build_id), old) {
            script.add_attempt(&old, &new_id);
        }
        Some(new_id)
    }
}

/// A command job that has ended and was not retried.
fn can_retry(one: &Document) -> bool {
    const ENDED: [&str; 5] = ["passed", "failed", "timed_out", "expired", "canceled"];
    job::is_of_type(one, "script") && job::is_in(one, &ENDED) && !one.is_true("retried")
}

/// Marks a job as replaced by another.
fn replace(old: &mut Document, new_id: &str, asker: Asker<'_>) {
    old.set("retried", true);
    old.set("retried_in_job_id", new_id);
    old.set("retry_type", asker.retry_type());
    if let Asker::Person(user) = asker {
        old.set("retried_by", user.object());
    }
}

/// The job that replaces another: the same step, not started yet.
fn next_attempt(old: &Document, new_id: &str, asker: Asker<'_>, now: &str) -> Document {
    let mut new = old.clone();
    address::give_job_id(&mut new, new_id);
    make_new(&mut new, now);
    job::make_due(&mut new, now);
    let attempts = old.get("retries_count").as_u64().unwrap_or(0);
    new.set("retries_count", attempts + 1);
    let source = json!({"job_id": old.text("id"), "retry_type": asker.retry_type()});
    new.set("retry_source", source);
    new
}

/// Clears the fields that a job has from a run.
pub(super) fn make_new(one: &mut Document, now: &str) {
    set_known(one, "soft_failed", false);
    set_known(one, "created_at", now);
    for key in [
        "exit_status",
        "agent",
        "runnable_at",
        "started_at",
        "finished_at",
        "expired_at",
    ] {
        set_known(one, key, Value::Null);
    }
}
