//! From the first job to the end of the build.

use super::{Moment, World, block, end, job, only, run_on};
use crate::document::Document;
use crate::world::BuildDocument;

impl World {
    /// The jobs of a new build are there: `creating` becomes `scheduled`. The jobs stay as they
    /// are.
    pub fn schedule_build(&mut self, id: &str) -> bool {
        let step = |build: &mut BuildDocument, _: &Moment| {
            only(build, &["creating"])?;
            build.set("state", "scheduled");
            Some(())
        };
        self.move_build(id, step).is_some()
    }

    /// The first job of a `creating` or `scheduled` build that is due runs, and with it the build:
    /// `started_at` is now. A build without such a job runs all the same.
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

    /// The next job of a `running` or `failing` build that is due runs. Nothing else changes.
    pub fn start_job(&mut self, build_id: &str) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, &["running", "failing"])?;
            start_next(build, moment)
        };
        self.move_build(build_id, step).is_some()
    }

    /// The first running job of a `running` or `failing` build passes.
    ///
    /// If it was the last one, what waits behind it comes next: jobs behind a wait step become
    /// `scheduled`; a block step holds the build, as [`block_build`](Self::block_build) does. If
    /// nothing is left, or an earlier job failed, the build ends now as `passed` or `failed`.
    pub fn pass_job(&mut self, build_id: &str) -> bool {
        self.end_job(build_id, "passed")
    }

    /// The first running job of a `running` or `failing` build fails, and not softly.
    ///
    /// With other jobs open the build becomes `failing`, and `failing_at` is now if that is the
    /// first time. Without them it ends now as `failed`: jobs behind a wait step become
    /// `waiting_failed`, those behind a block step and the step itself `blocked_failed`.
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
    /// What ran or was due passes, or is canceled with the build. What waited for another job or
    /// behind a block step fails in place when the build fails. A build that has ended or is
    /// blocked does not end again; one that is failing does not pass, and one that is being
    /// canceled does neither.
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

/// Starts the first job that is due.
fn start_next(build: &mut BuildDocument, moment: &Moment) -> Option<()> {
    let due = build.jobs_mut().iter_mut().find(|one| job::is_due(one))?;
    job::start(due, &moment.now);
    Some(())
}

/// Lets a build go where its jobs lead it, once one of them has ended.
fn settle(build: &mut BuildDocument, moment: &Moment) {
    let any = |build: &BuildDocument, is_so: fn(&Document) -> bool| build.jobs().iter().any(is_so);
    if any(build, job::is_active) {
        run_on(build, moment);
    } else if any(build, job::has_failed_hard) {
        end_with(build, "failed", moment);
    } else if release_waiting(build, moment) {
        run_on(build, moment);
    } else if any(build, job::is_block) {
        block::hold(build, moment);
    } else {
        end(build, "passed", moment);
    }
}

/// Lets the jobs behind the wait step that was reached run; false if none waits.
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

/// Ends a build and its jobs in this state.
pub(super) fn end_with(build: &mut BuildDocument, state: &str, moment: &Moment) {
    end_jobs(build, state, moment);
    if state != "canceled" && build.get("started_at").is_null() {
        build.set("started_at", &moment.now);
    }
    end(build, state, moment);
}

/// Ends all open jobs with a build that ends in this state.
pub(super) fn end_jobs(build: &mut BuildDocument, state: &str, moment: &Moment) {
    for one in build.jobs_mut() {
        end_with_build(one, state, &moment.now);
    }
}

pub(super) fn end_with_build(one: &mut Document, build_state: &str, now: &str) {
    let is_blocked = job::is_in(one, &["blocked"]);
    let is_waiting = job::is_in(one, &["waiting"]);
    match build_state {
        "canceled" if job::is_block(one) => job::give_up(one, "blocked_failed"),
        "failed" if is_blocked => job::give_up(one, "blocked_failed"),
        "failed" if is_waiting => job::give_up(one, "waiting_failed"),
        "canceled" if is_blocked || is_waiting || job::is_active(one) => {
            job::end(one, "canceled", now);
        }
        _ if is_waiting || job::is_active(one) => job::end(one, "passed", now),
        _ => {}
    }
}
