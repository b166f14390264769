//! Early ends: canceled, skipped, not run.

use super::{Moment, World, end, ending, job, only};
use crate::document::BuildDocument;

impl World {
    /// Cancels a `scheduled`, `running` or `failing` build. A blocked one counts as finished.
    ///
    /// Running jobs and the build become `canceling`, until
    /// [`finish_canceling`](Self::finish_canceling) ends them. If no job runs, the build is
    /// `canceled` at once; `started_at` stays null if it never started. Jobs that had not run
    /// become `canceled`, block steps `blocked_failed`.
    pub fn cancel_build(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["scheduled", "running", "failing"])?;
            if !build.jobs().iter().any(job::has_agent) {
                ending::end_with(build, "canceled", moment);
                return Some(());
            }
            cancel_jobs(build, moment);
            build.set("state", "canceling");
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// The jobs of a `canceling` build have stopped: they and the build become `canceled`.
    pub fn finish_canceling(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["canceling"])?;
            ending::end_with(build, "canceled", moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// A newer build came first: a `creating` or `scheduled` build becomes `skipped`, and so do
    /// its jobs.
    ///
    /// It never starts. Its end is now unless
    /// [`skipped_builds_have_no_end`](Self::skipped_builds_have_no_end) changes that.
    pub fn skip_build(&mut self, id: &str) -> bool {
        self.give_up(id, &["creating", "scheduled"], "skipped", "skipped")
    }

    /// No step of a `creating` build applies: it becomes `not_run`, and its jobs `broken`.
    ///
    /// It never starts. Its end is now unless
    /// [`skipped_builds_have_no_end`](Self::skipped_builds_have_no_end) changes that.
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

/// Running jobs start to stop; all others are canceled now.
fn cancel_jobs(build: &mut BuildDocument, moment: &Moment) {
    for one in build.jobs_mut() {
        if job::has_agent(one) {
            one.set("state", "canceling")
        } else {
            ending::end_with_build(one, "canceled", &moment.now)
        }
    }
}
