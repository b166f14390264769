//! The text of one job: each type has exactly its own keys, in the order of the API.

use super::Seeded;
use super::organization::SeededOrganization;
use super::plan::BuildPlan;
use super::recipe::{Slot, Step};
use super::stages::{Attempt, JobPlan};
use super::text::{
    put, put_all, put_id, put_ids, put_json, put_number, put_number_or_null, put_time,
};
use crate::rng::Rng;

/// What the jobs of one build have in common.
pub(super) struct JobWriter<'a> {
    pub(super) world: &'a Seeded,
    pub(super) owner: &'a SeededOrganization,
    /// `…/builds/{number}` on the API.
    pub(super) build_url: &'a str,
    /// The same in the browser.
    pub(super) build_web_url: &'a str,
    /// The texts of the organization's agents, by queue and index.
    pub(super) agents: &'a [Vec<String>],
}

impl JobWriter<'_> {
    /// Writes one job.
    pub(super) fn write(&self, out: &mut Vec<u8>, build: &BuildPlan, job: JobPlan) {
        put(out, "{");
        put_ids(out, "Job", job.id);
        match (job.slot, job.step()) {
            (Slot::Block, _) => self.manual(out, build, &job),
            (Slot::Trigger, _) => self.trigger(out, build, &job),
            (_, Some(step)) => self.script(out, build, &job, step),
            (_, None) => put(out, ",\"type\":\"waiter\""),
        }
        put(out, "}");
    }

    fn manual(&self, out: &mut Vec<u8>, build: &BuildPlan, job: &JobPlan) {
        let unblocked = self.world.unblocked_at(build.ordinal);
        let unblocked = unblocked.filter(|_| job.state == "unblocked");
        put(
            out,
            ",\"type\":\"manual\",\"label\":\":rocket: Release to production?\"",
        );
        put_all(out, &[",\"state\":\"", job.state, "\""]);
        put(out, ",\"step_key\":\"release-gate\",\"web_url\":null");
        put(out, ",\"unblocked_by\":");
        let person = &self.owner.people[build.person].object;
        put(out, unblocked.map_or("null", |_| person));
        put_time(out, "unblocked_at", unblocked);
        put(out, ",\"unblockable\":");
        put_bool(out, job.state == "blocked");
        put(out, ",\"unblock_url\":\"");
        self.job_url(out, job, "/unblock\",\"fields\":null");
    }

    fn trigger(&self, out: &mut Vec<u8>, build: &BuildPlan, job: &JobPlan) {
        put(out, ",\"type\":\"trigger\",\"name\":\":zap: Deploy\"");
        put_all(out, &[",\"state\":\"", job.state, "\",\"async\":false"]);
        put_all(
            out,
            &[",\"step_key\":\"deploy\",\"build_url\":\"", self.build_url],
        );
        put_all(out, &["\",\"web_url\":\"", self.build_web_url, "#"]);
        put_id(out, job.id);
        put(out, "\"");
        put_time(out, "created_at", Some(job.created));
        put_time(out, "scheduled_at", Some(job.scheduled));
        put_time(out, "started_at", job.started);
        put_time(out, "finished_at", job.finished);
        put_time(out, "runnable_at", job.runnable);
        let triggered = self.world.triggered(build.ordinal);
        let triggered = triggered.filter(|_| job.started.is_some());
        put(out, ",\"triggered_build\":");
        put(out, triggered.as_deref().unwrap_or("null"));
        put(out, ",\"soft_failed\":false");
    }

    fn script(&self, out: &mut Vec<u8>, build: &BuildPlan, job: &JobPlan, step: &Step) {
        let queue = &self.owner.queues[step.queue];
        put(out, ",\"type\":\"script\",\"name\":");
        put_json(out, step.label);
        put_all(
            out,
            &[",\"step_key\":\"", step.key, "\",\"step\":{\"id\":\""],
        );
        put_id(out, self.step_rng(build, job).uuid(build.created));
        let priority = if build.branch == "main" { "1" } else { "0" };
        put_all(
            out,
            &["\",\"signature\":null},\"priority\":{\"number\":", priority],
        );
        put_all(
            out,
            &["},\"agent_query_rules\":[\"queue=", queue.name, "\"]"],
        );
        put_all(out, &[",\"state\":\"", job.state, "\",\"build_url\":\""]);
        put_all(
            out,
            &[self.build_url, "\",\"web_url\":\"", self.build_web_url, "#"],
        );
        put_id(out, job.id);
        put(out, "\",\"log_url\":\"");
        self.job_url(out, job, "/log\",\"raw_log_url\":\"");
        self.job_url(out, job, "/log.txt\",\"artifacts_url\":\"");
        self.job_url(out, job, "/artifacts\",\"command\":");
        put_json(out, step.command);
        result(out, job);
        put(out, ",\"artifact_paths\":");
        match step.artifact_paths {
            Some(paths) => put_json(out, paths),
            None => put(out, "null"),
        }
        times(out, job);
        attempt(out, job);
        parallel(out, job);
        put(out, ",\"matrix\":null,\"agent\":");
        let agent = job
            .agent
            .and_then(|at| self.agents.get(step.queue)?.get(at));
        put(out, agent.map_or("null", String::as_str));
        put(out, ",\"retried_by\":");
        let is_by_person = matches!(
            job.attempt,
            Attempt::Old {
                is_manual: true,
                ..
            }
        );
        let person = &self.owner.people[1].object;
        put(out, if is_by_person { person } else { "null" });
        put(out, ",\"cluster_id\":\"");
        put_id(out, self.owner.cluster);
        put_all(out, &["\",\"cluster_url\":\"", &self.owner.cluster_url]);
        put(out, "\",\"cluster_queue_id\":\"");
        put_id(out, queue.id);
        put_all(out, &["\",\"cluster_queue_url\":\"", &queue.url, "\""]);
    }

    /// The same for all jobs of a step.
    fn step_rng(&self, build: &BuildPlan, job: &JobPlan) -> Rng {
        let (stage, at) = match job.slot {
            Slot::First(at) => (1, at),
            Slot::Second(at) => (2, at),
            Slot::Deploy => (3, 0),
            Slot::Rollout => (4, 0),
            _ => (0, 0),
        };
        Rng::of(&[self.world.seed, 20, build.ordinal as u64, stage, at as u64])
    }

    fn job_url(&self, out: &mut Vec<u8>, job: &JobPlan, rest: &str) {
        put_all(out, &[self.build_url, "/jobs/"]);
        put_id(out, job.id);
        put(out, rest);
    }
}

fn put_bool(out: &mut Vec<u8>, value: bool) {
    put(out, if value { "true" } else { "false" });
}

/// Appends `,"key":` and a short text without special characters, or `null`.
fn put_text_or_null(out: &mut Vec<u8>, key: &str, text: Option<&str>) {
    put_all(out, &[",\"", key, "\":"]);
    match text {
        Some(text) => put_all(out, &["\"", text, "\""]),
        None => put(out, "null"),
    }
}

fn result(out: &mut Vec<u8>, job: &JobPlan) {
    put(out, ",\"soft_failed\":");
    put_bool(out, job.soft_failed);
    put(out, ",\"exit_status\":");
    put_number_or_null(out, job.exit_status);
    let signal = job.signal_reason.filter(|reason| *reason == "cancel");
    put_text_or_null(out, "signal", signal.map(|_| "SIGTERM"));
    put_text_or_null(out, "signal_reason", job.signal_reason);
    put_text_or_null(out, "broken_reason", job.broken_reason);
}

fn times(out: &mut Vec<u8>, job: &JobPlan) {
    put_time(out, "created_at", Some(job.created));
    put_time(out, "scheduled_at", Some(job.scheduled));
    put_time(out, "runnable_at", job.runnable);
    put(out, ",\"concurrency_wait_time_ms\":");
    put_number_or_null(out, job.concurrency_wait);
    put_time(out, "started_at", job.started);
    put_time(out, "finished_at", job.finished);
    put(out, ",\"expired_at\":null");
}

fn attempt(out: &mut Vec<u8>, job: &JobPlan) {
    let kind = |is_manual| if is_manual { "manual" } else { "automatic" };
    match job.attempt {
        Attempt::Only => {
            put(out, ",\"retried\":false,\"retried_in_job_id\":null");
            put(
                out,
                ",\"retries_count\":null,\"retry_source\":null,\"retry_type\":null",
            );
        }
        Attempt::Old {
            is_manual,
            replacement,
        } => {
            put(out, ",\"retried\":true,\"retried_in_job_id\":\"");
            put_id(out, replacement);
            put(out, "\",\"retries_count\":null,\"retry_source\":null");
            put_text_or_null(out, "retry_type", Some(kind(is_manual)));
        }
        Attempt::New {
            is_manual,
            original,
        } => {
            put(out, ",\"retried\":false,\"retried_in_job_id\":null");
            put(out, ",\"retries_count\":1,\"retry_source\":{\"job_id\":\"");
            put_id(out, original);
            put(out, "\"");
            put_text_or_null(out, "retry_type", Some(kind(is_manual)));
            put(out, "},\"retry_type\":null");
        }
    }
}

fn parallel(out: &mut Vec<u8>, job: &JobPlan) {
    put(out, ",\"parallel_group_index\":");
    put_number_or_null(out, job.parallel.map(|(index, _)| index));
    put(out, ",\"parallel_group_total\":");
    match job.parallel {
        Some((_, total)) => put_number(out, total),
        None => put(out, "null"),
    }
}
