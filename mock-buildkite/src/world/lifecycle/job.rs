//! The moves of one job. Each sets the state and the times that belong to it.

use serde_json::Value;

use crate::document::Document;

/// States before the start in which a job waits only for an agent.
const DUE: [&str; 6] = [
    "pending",
    "scheduled",
    "reserved",
    "assigned",
    "accepted",
    "limited",
];

pub(super) fn is_in(job: &Document, states: &[&str]) -> bool {
    let state = job.text("state");
    state.is_some_and(|state| states.contains(&state.as_str()))
}

pub(super) fn is_of_type(job: &Document, kind: &str) -> bool {
    job.text("type").as_deref() == Some(kind)
}

/// What rules may call a job: its name, its step key and its command.
pub(super) fn names(job: &Document) -> Vec<String> {
    let keys = ["name", "step_key", "command"].iter();
    keys.filter_map(|key| job.text(key)).collect()
}

/// A block step that holds the jobs after it.
pub(super) fn is_block(job: &Document) -> bool {
    is_of_type(job, "manual") && is_in(job, &["blocked"])
}

pub(super) fn is_due(job: &Document) -> bool {
    is_in(job, &DUE)
}

pub(super) fn is_running(job: &Document) -> bool {
    is_in(job, &["running"])
}

/// It occupies an agent.
pub(super) fn has_agent(job: &Document) -> bool {
    is_in(job, &["running", "canceling", "timing_out"])
}

/// It keeps its build from ending.
pub(super) fn is_active(job: &Document) -> bool {
    is_due(job) || has_agent(job)
}

/// It ended badly and was not retried.
pub(super) fn has_failed(job: &Document) -> bool {
    is_in(job, &["failed", "timed_out", "expired"]) && !job.is_true("retried")
}

/// It fails its build.
pub(super) fn has_failed_hard(job: &Document) -> bool {
    let is_canceled = is_in(job, &["canceled"]) && !job.is_true("retried");
    (has_failed(job) || is_canceled) && !job.is_true("soft_failed")
}

/// An agent takes it.
pub(super) fn start(job: &mut Document, now: &str) {
    job.set("state", "running");
    if job.get("runnable_at").is_null() {
        job.set("runnable_at", now);
    }
    job.set("started_at", now);
}

/// From now on it waits only for an agent.
pub(super) fn make_due(job: &mut Document, now: &str) {
    job.set("state", "scheduled");
    job.set("runnable_at", now);
}

/// Ends: `passed`, `failed`, `canceled`.
pub(super) fn end(job: &mut Document, state: &str, now: &str) {
    let was_started = job.text("started_at").is_some();
    job.set("state", state);
    if state == "passed" && !was_started {
        job.set("runnable_at", now);
        job.set("started_at", now);
    }
    job.set("finished_at", now);
    let exit_status = match state {
        "passed" => Some(0),
        "failed" => Some(1),
        _ => was_started.then_some(-1),
    };
    if exit_status.is_some() {
        set_known(job, "exit_status", exit_status);
    }
}

/// It never runs: `waiting_failed`, `blocked_failed`, `skipped`, `broken`. It has no end.
pub(super) fn give_up(job: &mut Document, state: &str) {
    job.set("state", state);
    set_known(job, "unblockable", false);
    if state == "broken" {
        set_known(job, "runnable_at", Value::Null);
    }
}

/// Returns to its state before its build failed.
pub(super) fn wait_again(job: &mut Document) {
    if is_in(job, &["waiting_failed"]) {
        job.set("state", "waiting");
    } else if is_in(job, &["blocked_failed"]) {
        job.set("state", "blocked");
        set_known(job, "unblockable", true);
    }
}

/// Sets a field if jobs of this type have it.
pub(super) fn set_known(job: &mut Document, key: &str, value: impl serde::Serialize) {
    if job.raw(key).is_some() {
        job.set(key, value);
    }
}
