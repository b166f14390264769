//! How open jobs end together with their build.

use super::{Moment, end, job};
use crate::document::{BuildDocument, Document};

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

/// A block step holds the build now.
pub(super) fn hold(build: &mut BuildDocument, moment: &Moment) {
    build.set("state", "passed");
    build.set("blocked", true);
    let end = (!moment.rules.blocked_has_no_end).then_some(&moment.now);
    build.set("finished_at", end);
}
