//! From the first job to the end of the build.

use super::ending::{self, end_with};
use super::{Moment, World, end, job, only, run_on};
use crate::document::BuildDocument;
use crate::document::Document;

impl World {
    /// A `creating` build has its jobs now and becomes `scheduled`.
    pub fn schedule_build(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, _: &Moment| {
            only(build, &["creating"])?;
            build.set("state", "scheduled");
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// Starts a `creating` or `scheduled` build and its first scheduled job: `started_at` is now. A
    /// build without such a job starts as well.
    pub fn start_build(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["creating", "scheduled"])?;
            // Refused or not, the build runs.
            let _is_started = start_next(build, moment);
            run_on(build, moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// Starts the next scheduled job of a `running` or `failing` build.
    pub fn start_job(&mut self, build_id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["running", "failing"])?;
            start_next(build, moment)
        };
        self.move_build(build_id, step).is_some()
    }

    /// The first running job of a `running` or `failing` build passes.
    ///
    /// If it was the last open one, the next jobs follow: jobs after a wait step become
    /// `scheduled`; a block step holds the build, see [`block_build`](Self::block_build). If no
    /// job is left, or an earlier job failed, the build ends now as `passed` or `failed`.
    pub fn pass_job(&mut self, build_id: &str) -> bool {
        self.end_job(build_id, "passed")
    }

    /// The first running job of a `running` or `failing` build fails, and not softly.
    ///
    /// If other jobs are open, the build becomes `failing`, and `failing_at` is now if this is the
    /// first time. Otherwise it ends now as `failed`: jobs after a wait step become
    /// `waiting_failed`, a block step and the jobs after it `blocked_failed`.
    pub fn fail_job(&mut self, build_id: &str) -> bool {
        self.end_job(build_id, "failed")
    }

    fn end_job(&mut self, build_id: &str, state: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["running", "failing"])?;
            let running = build
                .jobs_mut()
                .iter_mut()
                .find(|one| job::is_running(one))?;
            job::end(running, state, &moment.now);
            settle(build, moment);
            Some(())
        };
        self.move_build(build_id, step).is_some()
    }

    /// Finishes a build now, in this state: `passed`, `failed`, `canceled`. Open jobs end with it.
    ///
    /// Jobs that run or are scheduled pass, or are canceled with the build. Waiting and blocked
    /// jobs fail with a build that fails. A build that has ended or is blocked does not end
    /// again; a failing build cannot pass, and a canceling build can only be canceled.
    pub fn finish_build(&mut self, id: &str, state: &str) -> bool {
        let before: &[&str] = match state {
            "passed" => &["creating", "scheduled", "running"],
            "failed" => &["creating", "scheduled", "running", "failing"],
            "canceled" => &["creating", "scheduled", "running", "failing", "canceling"],
            _ => return false,
        };
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, before)?;
            end_with(build, state, moment);
            Some(())
        };
        self.move_build(id, step).is_some()
    }
}

/// Starts the first scheduled job.
fn start_next(build: &mut BuildDocument, moment: &Moment) -> Option<()> {
    let due = build.jobs_mut().iter_mut().find(|one| job::is_due(one))?;
    job::start(due, &moment.now);
    Some(())
}

/// Moves a build to the state that follows from its jobs, after one of them has ended.
fn settle(build: &mut BuildDocument, moment: &Moment) {
    let any = |build: &BuildDocument, is_so: fn(&Document) -> bool| build.jobs().iter().any(is_so);
    if any(build, job::is_active) {
        run_on(build, moment);
    } else if any(build, job::has_failed_hard) {
        end_with(build, "failed", moment);
    } else if release_waiting(build, moment) {
        run_on(build, moment);
    } else if any(build, job::is_block) {
        ending::hold(build, moment);
    } else {
        end(build, "passed", moment);
    }
}

/// Schedules the jobs after the wait step that was reached; false if none waits.
fn release_waiting(build: &mut BuildDocument, moment: &Moment) -> bool {
    let jobs = build.jobs_mut();
    let is_waiting = |one: &Document| job::is_in(one, &["waiting"]);
    let Some(first) = jobs.iter().position(is_waiting) else {
        return false;
    };
    let is_barrier = |one: &Document| job::is_of_type(one, "waiter") || job::is_block(one);
    if jobs[..first].iter().any(job::is_block) {
        return false;
    }
    for one in jobs[first..].iter_mut().take_while(|one| !is_barrier(one)) {
        if is_waiting(one) {
            job::make_due(one, &moment.now);
        }
    }
    true
}
