//! Ends before the work is done: canceled, skipped, not run.

use super::{Moment, World, end, job, only, run};
use crate::world::BuildDocument;

impl World {
    /// Cancels a `scheduled`, `running` or `failing` build. A blocked one counts as finished.
    ///
    /// Jobs that run become `canceling` and so does the build, without an end yet:
    /// [`finish_canceling`](Self::finish_canceling) gives it one. If none runs, the build is
    /// `canceled` at once; `started_at` stays null if it never started. Jobs that had not run
    /// become `canceled` now, block steps `blocked_failed`.
    pub fn cancel_build(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["scheduled", "running", "failing"])?;
            if !build.jobs().iter().any(job::has_agent) {
                run::end_with(build, "canceled", moment);
                return Some(());
            }
            cancel_jobs(build, moment);
            build.set("state", "canceling");
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// The last jobs of a `canceling` build have stopped: they and the build are `canceled` now.
    pub fn finish_canceling(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["canceling"])?;
            run::end_with(build, "canceled", moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// A newer build came first: a `creating` or `scheduled` build becomes `skipped`, and so do
    /// its jobs.
    ///
    /// It never starts. Its end is now, unless
    /// [`skipped_builds_have_no_end`](Self::skipped_builds_have_no_end) says otherwise.
    pub fn skip_build(&mut self, id: &str) -> bool {
        self.give_up(id, &["creating", "scheduled"], "skipped", "skipped")
    }

    /// No step of a `creating` build is to run: it becomes `not_run`, its jobs `broken`.
    ///
    /// It never starts. Its end is now, unless
    /// [`skipped_builds_have_no_end`](Self::skipped_builds_have_no_end) says otherwise.
    pub fn not_run_build(&mut self, id: &str) -> bool {
        self.give_up(id, &["creating"], "not_run", "broken")
    }

    fn give_up(&mut self, id: &str, before: &[&str], state: &str, job_state: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, before)?;
            for one in build.jobs_mut() {
                if job::is_due(one) || job::is_in(one, &["waiting", "blocked"]) {
                    job::give_up(one, job_state);
                }
            }
            end(build, state, moment);
            if moment.rules.skipped_has_no_end {
                build.set("finished_at", serde_json::Value::Null);
            }
            Some(())
        };
        self.move_build(id, step).is_some()
    }
}

/// Jobs that run are told to stop, all others are canceled now.
fn cancel_jobs(build: &mut BuildDocument, moment: &Moment) {
    for one in build.jobs_mut() {
        match job::has_agent(one) {
            true => one.set("state", "canceling"),
            false => run::end_with_build(one, "canceled", &moment.now),
        }
    }
}
