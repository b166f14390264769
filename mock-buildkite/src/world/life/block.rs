//! Block steps: they hold a build until somebody releases it.

use serde_json::Value;

use super::{Moment, OVER, World, job, never, only, reopen, run};
use crate::dice::graphql_id;
use crate::document::Document;
use crate::world::BuildDocument;

impl World {
    /// A `running` build reaches a block step, and nothing else is left to do.
    ///
    /// The other open jobs pass, the ones behind the step stay `blocked`. A build without a
    /// blocked step gets one, as its last job. The API then says `state: passed`,
    /// `blocked: true`, `blocked_state: ""`, and `finished_at` is now, unless
    /// [`blocked_builds_have_no_end`](Self::blocked_builds_have_no_end) says otherwise.
    pub fn block_build(&mut self, id: &str) -> bool {
        let new_id = self.new_id();
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["running"])?;
            if !build.jobs().iter().any(job::is_block) {
                let block = block_step(build, &new_id);
                build.jobs_mut().push(block);
            }
            run::end_jobs(build, "passed", moment);
            hold(build, moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// Releases the first blocked block step of a build: the jobs behind it, up to the
    /// next one, become `scheduled`, or `waiting` if a wait step comes first.
    ///
    /// The build runs again, or fails again if a failed job stands: `blocked` is false,
    /// `finished_at` null, and if it had stopped, `started_at` is now.
    pub fn unblock_build(&mut self, id: &str) -> bool {
        self.unblock(id, job::is_block, &Value::Null)
    }

    /// Releases this block step of a build, by a user, given as answers show one.
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
            release(&mut build.jobs_mut()[at + 1..], &moment.now);
            reopen(build, moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }
}

/// Lets the jobs behind a block step run, up to the next one; those behind a wait step wait.
fn release(behind: &mut [Document], now: &str) {
    let mut is_behind_wait = false;
    for one in behind.iter_mut().take_while(|one| !job::is_block(one)) {
        is_behind_wait |= job::is_of_type(one, "waiter");
        if job::is_in(one, &["blocked"]) {
            match is_behind_wait {
                true => one.set("state", "waiting"),
                false => job::make_due(one, now),
            }
        }
    }
}

/// A block step holds the build from now on.
pub(super) fn hold(build: &mut BuildDocument, moment: &Moment) {
    build.set("state", "passed");
    build.set("blocked", true);
    let end = (!moment.rules.blocked_has_no_end).then_some(&moment.now);
    build.set("finished_at", end);
}

/// A block step of this build, not released yet.
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
