//! Block steps: they hold a build until somebody unblocks it.

use serde_json::Value;

use super::scripted::settle;
use super::{Moment, OVER, World, ending, job, never, only, reopen};
use crate::document::BuildDocument;
use crate::document::Document;
use crate::ids::graphql_id;

impl World {
    /// A `running` build reaches a block step, and nothing else is left to do.
    ///
    /// Other open jobs pass, and jobs after the step stay `blocked`. A build without a blocked step
    /// gets one as its last job. The API then shows `state: passed`, `blocked: true`,
    /// `blocked_state: ""`, and `finished_at` is now unless
    /// [`blocked_builds_have_no_end`](Self::blocked_builds_have_no_end) changes that.
    pub fn block_build(&mut self, id: &str) -> bool {
        let new_id = self.new_id();
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["running"])?;
            if !build.jobs().iter().any(job::is_block) {
                let block = block_step(build, &new_id);
                build.jobs_mut().push(block);
            }
            ending::end_jobs(build, "passed", moment);
            ending::hold(build, moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// Unblocks the first blocked step of a build. The jobs after it, up to the next block step,
    /// become `scheduled`, or `waiting` if a wait step comes first.
    ///
    /// The build is `running` again, or `failing` if a job has failed: `blocked` is false,
    /// `finished_at` is null, and if the build had stopped, `started_at` is now.
    pub fn unblock_build(&mut self, id: &str) -> bool {
        self.unblock(id, job::is_block, &Value::Null)
    }

    /// Unblocks this step of a build, by a user in the form that answers show.
    pub(crate) fn unblock_job_by(&mut self, id: &str, job_id: &str, user: &Value) -> bool {
        let is_it =
            |one: &Document| job::is_block(one) && one.text("id").as_deref() == Some(job_id);
        self.unblock(id, is_it, user)
    }

    fn unblock(&mut self, id: &str, is_it: impl Fn(&Document) -> bool, user: &Value) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            never(build, &OVER)?;
            never(build, &["creating"])?;
            let at = build.jobs().iter().position(is_it)?;
            let block = &mut build.jobs_mut()[at];
            block.set("state", "unblocked");
            block.set("unblockable", false);
            block.set("unblocked_at", &moment.now);
            if !user.is_null() {
                block.set("unblocked_by", user);
            }
            if moment.script.is_none() {
                release(&mut build.jobs_mut()[at + 1..], &moment.now);
            }
            reopen(build, moment);
            if moment.script.is_some() {
                settle(build, moment);
            }
            Some(())
        };
        self.move_build(id, step).is_some()
    }
}

/// Schedules the jobs after a block step, up to the next one. Jobs after a wait step wait.
fn release(behind: &mut [Document], now: &str) {
    let mut is_behind_wait = false;
    for one in behind.iter_mut().take_while(|one| !job::is_block(one)) {
        is_behind_wait |= job::is_of_type(one, "waiter");
        if job::is_in(one, &["blocked"]) {
            if is_behind_wait {
                one.set("state", "waiting")
            } else {
                job::make_due(one, now)
            }
        }
    }
}

/// A blocked block step of this build.
fn block_step(build: &BuildDocument, id: &str) -> Document {
    let url = build.fields().text("url").unwrap_or_default();
    let mut block = Document::default();
    block.set("id", id);
    block.set("graphql_id", graphql_id("Job", id));
    block.set("type", "manual");
    block.set("label", "Go on?");
    block.set("state", "blocked");
    for key in ["step_key", "web_url", "unblocked_by", "unblocked_at"] {
        block.set(key, Value::Null);
    }
    block.set("unblockable", true);
    block.set("unblock_url", format!("{url}/jobs/{id}/unblock"));
    block.set("fields", Value::Null);
    block
}
