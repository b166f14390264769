//! The lifecycle of builds: every move from one state to the next.
//!
//! ```text
//! creating → scheduled → running → passed
//!                      ↘ failing → failed
//! scheduled/running/failing → canceling → canceled
//! creating/scheduled → skipped          creating → not_run
//! running → blocked (state `passed`, `blocked` true) → unblocked → running
//! passed/failed → a job is retried → running or failing, and a later end
//! ```
//!
//! A move that the API would refuse changes nothing and returns false or `None`, so a caller may
//! try any move on any build. Moves happen now, by the world's clock.

mod autoplay;
mod block;
mod cancel;
mod ending;
mod job;
mod outcome;
mod rebuild;
mod retry;
mod run;
mod script;
mod scripted;
mod triggered;

use serde_json::Value;

use super::{Build, World};
use crate::document::BuildDocument;
use crate::time::millis_to_string;
pub(super) use autoplay::Autoplay;
pub use outcome::{JobOutcome, JobRule};
pub(super) use script::Script;

/// What the documentation leaves open about the ends of builds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rules {
    blocked_has_no_end: bool,
    skipped_has_no_end: bool,
}

/// When a move happens, and by which rules.
struct Moment {
    now: String,
    rules: Rules,
    /// The script of the build, if it has one.
    script: Option<Script>,
}

impl World {
    /// Whether a blocked build has `finished_at: null`. Default: it has the time when it was
    /// blocked, as in every recorded answer.
    pub fn blocked_builds_have_no_end(&mut self, is_so: bool) {
        self.rules.blocked_has_no_end = is_so;
    }

    /// Whether a build that is skipped or not run has `finished_at: null`. Default: it has the time
    /// when that happened, because the documentation counts both as finished.
    pub fn skipped_builds_have_no_end(&mut self, is_so: bool) {
        self.rules.skipped_has_no_end = is_so;
    }

    /// Makes a move. If the step returns `None`, the build does not change.
    fn move_build<T>(
        &mut self,
        id: &str,
        step: impl FnOnce(&mut BuildDocument, &Moment) -> Option<T>,
    ) -> Option<T> {
        let at = self.position(id)?;
        let mut document = self.document(&self.builds[at]);
        let moment = Moment {
            now: millis_to_string(self.move_time()),
            rules: self.rules,
            script: self.scripts.get(id).cloned(),
        };
        let before = document.clone();
        let outcome = step(&mut document, &moment)?;
        self.assign_agents(self.builds[at].summary.pipeline, &mut document);
        self.release_agents(&before, &document);
        self.note_move(&before, &document);
        self.builds[at] = self.builds[at].changed(document);
        Some(outcome)
    }
}

/// States from which no build returns.
const OVER: [&str; 4] = ["canceling", "canceled", "skipped", "not_run"];

/// `None` unless the build is in one of these states and not blocked.
fn only(build: &BuildDocument, states: &[&str]) -> Option<()> {
    let state = build.fields().text("state")?;
    let is_allowed = states.contains(&state.as_str()) && !build.fields().is_true("blocked");
    is_allowed.then_some(())
}

/// `None` if the build is in one of these states.
fn never(build: &BuildDocument, states: &[&str]) -> Option<()> {
    only(build, states).is_none().then_some(())
}

/// Ends the build in this state.
fn end(build: &mut BuildDocument, state: &str, moment: &Moment) {
    build.set("state", state);
    build.set("blocked", false);
    build.set("finished_at", &moment.now);
}

/// Sets the build to `running`, or to `failing` if one of its jobs has failed.
fn run_on(build: &mut BuildDocument, moment: &Moment) {
    let is_failing = build.jobs().iter().any(job::has_failed_hard);
    if is_failing && build.get("failing_at").is_null() {
        build.set("failing_at", &moment.now);
    }
    build.set("state", if is_failing { "failing" } else { "running" });
    build.set("blocked", false);
    build.set("finished_at", Value::Null);
    if build.get("started_at").is_null() {
        build.set("started_at", &moment.now);
    }
}

/// Makes a build that may have ended run again, which moves `started_at` to the restart. Jobs that
/// failed together with the build wait again, unless other failed jobs remain.
fn reopen(build: &mut BuildDocument, moment: &Moment) {
    let had_ended =
        build.fields().is_true("blocked") || only(build, &["passed", "failed"]).is_some();
    if had_ended {
        build.set("started_at", &moment.now);
    }
    if !build.jobs().iter().any(job::has_failed_hard) {
        build.jobs_mut().iter_mut().for_each(job::wait_again);
    }
    run_on(build, moment);
}
