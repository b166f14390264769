//! The text of one job: each type has exactly its own keys, in the order of the API.

use super::Seeded;
use super::agent::JobAgent;
use super::organization::SeededOrganization;
use super::plan::BuildPlan;
use super::stages::{JobPlan, Kind, Retry};
use super::text::{
    put, put_all, put_id, put_ids, put_json, put_number, put_number_or_null, put_time,
};
use super::words::{COMMANDS, LABELS};
use crate::address::{ORGANIZATIONS, WEB};
use crate::rng::Rng;

/// What the jobs of one build have in common.
pub(super) struct JobWriter<'a> {
    pub(super) world: &'a Seeded,
    pub(super) owner: &'a SeededOrganization,
    /// `…/builds/{number}` on the API.
    pub(super) build_url: &'a str,
    /// The same in the browser.
    pub(super) build_web_url: &'a str,
}

impl JobWriter<'_> {
    /// Writes one job.
    pub(super) fn write(&self, out: &mut Vec<u8>, at: usize, build: &BuildPlan, job: JobPlan) {
        put(out, "{");
        put_ids(out, "Job", job.id);
        match job.kind {
            Kind::Waiter => put(out, ",\"type\":\"waiter\""),
            Kind::Manual => self.manual(out, build, job),
            Kind::Trigger => self.trigger(out, job),
            Kind::Script => self.script(out, at, job),
        }
        put(out, "}");
    }

    fn manual(&self, out: &mut Vec<u8>, build: &BuildPlan, mut job: JobPlan) {
        let is_unblocked = job.state == "unblocked";
        put(
            out,
            ",\"type\":\"manual\",\"label\":\":rocket: Release to production?\"",
        );
        put_all(out, &[",\"state\":\"", job.state, "\",\"step_key\":"]);
        put(
            out,
            if job.rng.percent(50) {
                "\"release-gate\""
            } else {
                "null"
            },
        );
        put(out, ",\"web_url\":null,\"unblocked_by\":");
        if is_unblocked {
            put(out, &self.owner.people[build.person].object)
        } else {
            put(out, "null")
        }
        let middle = build.started.map(|time| time + 15_000);
        put_time(out, "unblocked_at", middle.filter(|_| is_unblocked));
        let is_unblockable = if job.state == "blocked" {
            "true"
        } else {
            "false"
        };
        put_all(
            out,
            &[",\"unblockable\":", is_unblockable, ",\"unblock_url\":\""],
        );
        self.job_url(out, &job, "/unblock\",\"fields\":null");
    }

    fn trigger(&self, out: &mut Vec<u8>, mut job: JobPlan) {
        put(
            out,
            ",\"type\":\"trigger\",\"name\":\":zap: Deploy\",\"state\":\"",
        );
        put_all(
            out,
            &[
                job.state,
                "\",\"async\":false,\"step_key\":null,\"build_url\":\"",
            ],
        );
        put_all(
            out,
            &[self.build_url, "\",\"web_url\":\"", self.build_web_url, "#"],
        );
        put_id(out, job.id);
        put(out, "\"");
        put_time(out, "created_at", Some(job.created));
        put_time(out, "scheduled_at", Some(job.scheduled));
        put_time(out, "started_at", job.started);
        put_time(out, "finished_at", job.finished);
        put_time(out, "runnable_at", job.runnable);
        put(out, ",\"triggered_build\":");
        match job.started {
            Some(started) => self.triggered_build(out, &mut job.rng, started),
            None => put(out, "null"),
        }
        put(out, ",\"soft_failed\":false");
    }

    fn triggered_build(&self, out: &mut Vec<u8>, rng: &mut Rng, started: i64) {
        let number = (rng.below(900) + 1).to_string();
        put(out, "{\"id\":\"");
        put_id(out, rng.uuid(started));
        put_all(
            out,
            &["\",\"number\":", &number, ",\"url\":\"", ORGANIZATIONS, "/"],
        );
        put_all(
            out,
            &[
                &self.owner.slug,
                "/pipelines/deploy-target/builds/",
                &number,
            ],
        );
        put_all(out, &["\",\"web_url\":\"", WEB, "/", &self.owner.slug]);
        put_all(out, &["/deploy-target/builds/", &number, "\"}"]);
    }

    fn script(&self, out: &mut Vec<u8>, at: usize, mut job: JobPlan) {
        // A retry, like the halves of a parallel group, is the same step once more.
        let step = match (job.retry, job.parallel) {
            (Retry::New { .. }, _) | (_, Some(1)) => at - 1,
            _ => at,
        };
        let mut step_rng = Rng::of(&[self.world.seed, 13, step as u64]);
        let queue = &self.owner.queues[step_rng.below(3) as usize];
        put(out, ",\"type\":\"script\",\"name\":");
        put_json(
            out,
            if at == 0 {
                ":pipeline: Upload"
            } else {
                step_rng.pick(&LABELS)
            },
        );
        put(out, ",\"step_key\":");
        match at {
            0 => put(out, "\"upload\""),
            _ => put(out, "null"),
        }
        put(out, ",\"step\":{\"id\":\"");
        put_id(out, step_rng.uuid(job.scheduled));
        put(out, "\",\"signature\":null},\"priority\":{\"number\":");
        put(out, step_rng.pick(&["0", "0", "0", "1", "100"]));
        put_all(
            out,
            &["},\"agent_query_rules\":[\"queue=", queue.name, "\"]"],
        );
        put_all(
            out,
            &[
                ",\"state\":\"",
                job.state,
                "\",\"build_url\":\"",
                self.build_url,
            ],
        );
        put_all(out, &["\",\"web_url\":\"", self.build_web_url, "#"]);
        put_id(out, job.id);
        put(out, "\",\"log_url\":\"");
        self.job_url(out, &job, "/log\",\"raw_log_url\":\"");
        self.job_url(out, &job, "/log.txt\",\"artifacts_url\":\"");
        self.job_url(out, &job, "/artifacts\",\"command\":");
        put_json(out, step_rng.pick(&COMMANDS));
        put(
            out,
            if job.soft_failed {
                ",\"soft_failed\":true"
            } else {
                ",\"soft_failed\":false"
            },
        );
        put(out, ",\"exit_status\":");
        put_number_or_null(out, job.exit_status);
        put(out, ",\"artifact_paths\":");
        put(
            out,
            step_rng.pick(&["null", "null", "null", "\"log/**/*\"", "\"\""]),
        );
        self.times_and_retry(out, &job);
        self.agent(out, &mut job, queue.name, &queue.url);
        self.retried_by(out, &job);
        put(out, ",\"cluster_id\":\"");
        put_id(out, self.owner.cluster);
        put_all(out, &["\",\"cluster_url\":\"", &self.owner.cluster_url]);
        put(out, "\",\"cluster_queue_id\":\"");
        put_id(out, queue.id);
        put_all(out, &["\",\"cluster_queue_url\":\"", &queue.url, "\""]);
    }

    fn times_and_retry(&self, out: &mut Vec<u8>, job: &JobPlan) {
        put_time(out, "created_at", Some(job.created));
        put_time(out, "scheduled_at", Some(job.scheduled));
        put_time(out, "runnable_at", job.runnable);
        put_time(out, "started_at", job.started);
        put_time(out, "finished_at", job.finished);
        put(out, ",\"expired_at\":null,\"retried\":");
        let kind = |by_hand| if by_hand { "manual" } else { "automatic" };
        match job.retry {
            Retry::No => put(
                out,
                "false,\"retried_in_job_id\":null,\"retries_count\":null,\"retry_source\":null,\"retry_type\":null",
            ),
            Retry::Old {
                by_hand,
                replacement,
            } => {
                put(out, "true,\"retried_in_job_id\":\"");
                put_id(out, replacement);
                put(
                    out,
                    "\",\"retries_count\":null,\"retry_source\":null,\"retry_type\":\"",
                );
                put_all(out, &[kind(by_hand), "\""]);
            }
            Retry::New { by_hand, original } => {
                put(
                    out,
                    "false,\"retried_in_job_id\":null,\"retries_count\":1,\"retry_source\":{\"job_id\":\"",
                );
                put_id(out, original);
                put_all(
                    out,
                    &[
                        "\",\"retry_type\":\"",
                        kind(by_hand),
                        "\"},\"retry_type\":null",
                    ],
                );
            }
        }
        match job.parallel {
            Some(place) => {
                put(out, ",\"parallel_group_index\":");
                put_number(out, place);
                put(out, ",\"parallel_group_total\":2");
            }
            None => put(
                out,
                ",\"parallel_group_index\":null,\"parallel_group_total\":null",
            ),
        }
        put(out, ",\"matrix\":null");
    }

    fn agent(&self, out: &mut Vec<u8>, job: &mut JobPlan, queue: &str, queue_url: &str) {
        put(out, ",\"agent\":");
        match job.started {
            Some(started) => {
                let agent = JobAgent {
                    owner: self.owner,
                    queue,
                    queue_url,
                    started,
                    finished: job.finished,
                };
                agent.write(out, &mut job.rng);
            }
            None => put(out, "null"),
        }
    }

    fn retried_by(&self, out: &mut Vec<u8>, job: &JobPlan) {
        put(out, ",\"retried_by\":");
        match job.retry {
            Retry::Old { by_hand: true, .. } => put(out, &self.owner.people[1].object),
            _ => put(out, "null"),
        }
    }

    fn job_url(&self, out: &mut Vec<u8>, job: &JobPlan, rest: &str) {
        put_all(out, &[self.build_url, "/jobs/"]);
        put_id(out, job.id);
        put(out, rest);
    }
}
