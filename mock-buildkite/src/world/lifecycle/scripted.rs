//! Builds with a script: what happens when their jobs start and end.

use serde_json::{Value, json};

use super::ending::end_with;
use super::outcome::JobOutcome;
use super::script::Script;
use super::{Moment, World, end, ending, job, only, run_on};
use crate::document::{BuildDocument, Document};
use crate::steps::Kind;

impl World {
    /// The next move of a build with a script; false if nothing has changed.
    pub(super) fn move_scripted(&mut self, id: &str) -> bool {
        let state = self
            .build_by_id(id)
            .map(|build| build.summary.state.clone());
        match state.as_deref() {
            Some("creating" | "scheduled") => {
                self.resolve_commit(id);
                self.settle_scripted(id, &["creating", "scheduled"]);
                self.start_scripted(id)
            }
            Some("running" | "failing") => {
                let has_ended = self.end_scripted(id);
                let has_settled = self.settle_scripted(id, &["running", "failing"]);
                self.start_scripted(id) || has_ended || has_settled
            }
            Some("canceling") => self.finish_canceling(id),
            _ => false,
        }
    }

    /// Brings a build to where its jobs lead it.
    pub(super) fn settle_scripted(&mut self, id: &str, states: &[&str]) -> bool {
        let before = self
            .build_by_id(id)
            .map(|build| self.document(build).to_json());
        let step = |build: &mut BuildDocument, moment: &Moment| {
            only(build, states)?;
            settle(build, moment);
            Some(())
        };
        self.move_build(id, step);
        let after = self
            .build_by_id(id)
            .map(|build| self.document(build).to_json());
        before != after
    }

    /// Starts the jobs that are due and may run.
    fn start_scripted(&mut self, id: &str) -> bool {
        let mut has_moved = false;
        for job_id in self.startable(id) {
            let now = self.move_time();
            let step = |build: &mut BuildDocument, moment: &Moment| {
                only(build, &["creating", "scheduled", "running", "failing"])?;
                let one = build.job_mut(&job_id)?;
                let runnable = one
                    .text("runnable_at")
                    .and_then(|at| crate::time::parse_millis(&at));
                job::start(one, &moment.now);
                if moment.limit(one).is_some() {
                    let wait = now - runnable.unwrap_or(now);
                    job::set_known(one, "concurrency_wait_time_ms", wait);
                }
                run_on(build, moment);
                Some(())
            };
            has_moved |= self.move_build(id, step).is_some();
        }
        self.start_triggers(id) || has_moved
    }

    /// Ids of the commands that are due, on queues that dispatch, in groups that have room.
    fn startable(&self, id: &str) -> Vec<String> {
        let (Some(build), Some(script)) = (self.build_by_id(id), self.scripts.get(id)) else {
            return Vec::new();
        };
        let document = self.document(build);
        let mut started: Vec<String> = Vec::new();
        let mut ids = Vec::new();
        for one in document.jobs() {
            let is_due = job::is_due(one) && job::is_of_type(one, "script");
            let group = script.step(one).and_then(|step| match &step.kind {
                Kind::Command(command) => command.concurrency.clone(),
                _ => None,
            });
            let has_room = group.as_ref().is_none_or(|(group, limit)| {
                let running = self.running_in_group(group);
                let starting = started.iter().filter(|one| *one == group).count();
                running + starting < usize::try_from(*limit).unwrap_or(usize::MAX)
            });
            if is_due && has_room && !self.is_paused_job(one) {
                started.extend(group.map(|(group, _)| group));
                ids.extend(one.text("id"));
            }
        }
        ids
    }

    /// How many jobs of a concurrency group run.
    fn running_in_group(&self, group: &str) -> usize {
        let open = self.scripts.iter().filter_map(|(id, script)| {
            let build = self.build_by_id(id)?;
            let is_open = matches!(&*build.summary.state, "running" | "failing" | "canceling");
            is_open.then(|| (self.document(build), script))
        });
        open.map(|(build, script)| {
            let running = build.jobs().iter().filter(|one| job::has_agent(one));
            let of_group = running.filter(|one| {
                script.step(one).is_some_and(|step| match &step.kind {
                    Kind::Command(command) => command
                        .concurrency
                        .as_ref()
                        .is_some_and(|(name, _)| name == group),
                    _ => false,
                })
            });
            of_group.count()
        })
        .sum()
    }

    /// Ends the running commands of a build, and the trigger steps whose builds have ended.
    fn end_scripted(&mut self, id: &str) -> bool {
        let Some(build) = self.build_by_id(id) else {
            return false;
        };
        let document = self.document(build);
        let running = document.jobs().iter().filter(|one| job::is_running(one));
        let mut has_moved = false;
        for one in running.cloned().collect::<Vec<_>>() {
            let outcome = if job::is_of_type(&one, "trigger") {
                self.trigger_outcome(&one)
            } else {
                Some(self.job_outcome(id, &one))
            };
            if let (Some(outcome), Some(job_id)) = (outcome, one.text("id")) {
                has_moved |= self.end_with_outcome(id, &job_id, outcome);
            }
        }
        has_moved
    }

    fn end_with_outcome(&mut self, id: &str, job_id: &str, outcome: JobOutcome) -> bool {
        let step = |build: &mut BuildDocument, moment: &Moment| {
            let one = build.job_mut(job_id)?;
            job::end(one, outcome.state(), &moment.now);
            job::set_known(one, "exit_status", outcome.exit_status());
            job::set_known(one, "signal_reason", outcome.signal_reason());
            let is_excused = moment.excuses(one, outcome);
            job::set_known(one, "soft_failed", is_excused);
            Some(())
        };
        let has_ended = self.move_build(id, step).is_some();
        if has_ended && outcome.has_failed() {
            self.retry_by_rule(id, job_id, outcome);
        }
        has_ended
    }

    /// Retries a failed job if a rule of its step says so.
    fn retry_by_rule(&mut self, id: &str, job_id: &str, outcome: JobOutcome) {
        let (Some(build), Some(script)) = (self.build_by_id(id), self.scripts.get(id)) else {
            return;
        };
        let document = self.document(build);
        let is_it = |one: &&Document| one.text("id").as_deref() == Some(job_id);
        let one = document.jobs().iter().find(is_it);
        let retries = one.and_then(|one| {
            let Kind::Command(command) = &script.step(one)?.kind else {
                return None;
            };
            let retries = one.get("retries_count").as_u64().unwrap_or(0);
            Some(
                command
                    .retry
                    .retries(outcome.exit_status().unwrap_or(-1), retries),
            )
        });
        if retries == Some(true) {
            self.retry_job_by_rule(id, job_id);
        }
    }

    /// The first job resolves `HEAD` and fills in the message.
    fn resolve_commit(&mut self, id: &str) {
        let sha = crate::rng::Rng::of_text(&format!("{id}/commit")).hex(40);
        let step = |build: &mut BuildDocument, _: &Moment| {
            let commit = build.fields().text("commit").unwrap_or_default();
            let is_resolved = commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_hexdigit());
            if !is_resolved {
                build.set("commit", &sha);
            }
            let message = build.fields().text("message").unwrap_or_default();
            if message.is_empty() {
                let branch = build.fields().text("branch").unwrap_or_default();
                build.set("message", format!("Update {branch}"));
            }
            Some(())
        };
        self.move_build(id, step);
    }
}

/// Moves a build to the state that follows from its jobs.
pub(super) fn settle(build: &mut BuildDocument, moment: &Moment) {
    let Some(script) = &moment.script else {
        return;
    };
    while release(build, script, &moment.now) {}
    unhold(build, script);
    let any = |build: &BuildDocument, is_so: fn(&Document) -> bool| build.jobs().iter().any(is_so);
    if any(build, job::is_active) {
        if build.get("started_at").is_string() {
            run_on(build, moment);
        }
    } else if let Some(state) = reached_block(build, script) {
        ending::hold(build, moment);
        if !any(build, job::has_failed_hard) {
            build.set("state", state);
        }
    } else if any(build, job::has_failed_hard) {
        end_with(build, "failed", moment);
    } else if build
        .jobs()
        .iter()
        .all(|one| job::is_in(one, &["broken", "skipped"]) || job::is_of_type(one, "waiter"))
    {
        end(build, "not_run", moment);
    } else {
        end(build, "passed", moment);
    }
}

/// Releases one job that waits for nothing any more; false if there is none.
fn release(build: &mut BuildDocument, script: &Script, now: &str) -> bool {
    let waiting = |one: &&Document| {
        job::is_in(one, &["waiting", "blocked", "pending"]) && !job::is_of_type(one, "manual")
    };
    let ready = build.jobs().iter().filter(waiting).find_map(|one| {
        let is_well = script.readiness(build, one)?;
        let allows = script.step(one).is_some_and(|step| step.allows_failure);
        Some((one.text("id")?, is_well || allows))
    });
    let Some((id, is_well)) = ready else {
        return give_up_block(build, script);
    };
    if let Some(one) = build.job_mut(&id) {
        if is_well {
            job::make_due(one, now);
        } else {
            give_up(one);
        }
    }
    true
}

/// Jobs that no block step holds any more wait for other jobs.
fn unhold(build: &mut BuildDocument, script: &Script) {
    let held = |one: &&Document| job::is_in(one, &["blocked"]) && !job::is_of_type(one, "manual");
    let held = build.jobs().iter().filter(held);
    let free = held.filter(|one| !script.is_held(build, one));
    let ids: Vec<_> = free.filter_map(|one| one.text("id")).collect();
    for id in ids {
        if let Some(one) = build.job_mut(&id) {
            one.set("state", "waiting");
        }
    }
}

/// A block step behind a failure is never reached.
fn give_up_block(build: &mut BuildDocument, script: &Script) -> bool {
    let blocks = build.jobs().iter().filter(|one| job::is_block(one));
    let failed = blocks.filter_map(|one| {
        let is_well = script.readiness(build, one)?;
        let allows = script.step(one).is_some_and(|step| step.allows_failure);
        (!is_well && !allows).then(|| one.text("id"))
    });
    let Some(id) = failed.flatten().next() else {
        return false;
    };
    if let Some(one) = build.job_mut(&id) {
        job::give_up(one, "blocked_failed");
    }
    true
}

fn give_up(one: &mut Document) {
    let state = if job::is_in(one, &["blocked"]) {
        "blocked_failed"
    } else {
        "waiting_failed"
    };
    job::give_up(one, state);
}

/// The state that a reached block step gives its build; none if no block step is reached.
fn reached_block(build: &BuildDocument, script: &Script) -> Option<String> {
    let mut blocks = build.jobs().iter().filter(|one| job::is_block(one));
    let block = blocks.find(|one| script.readiness(build, one).is_some())?;
    let state = match &script.step(block)?.kind {
        Kind::Manual { blocked_state, .. } => blocked_state.clone(),
        _ => None,
    };
    Some(state.unwrap_or_else(|| "passed".to_owned()))
}

impl Moment {
    /// The concurrency group of a job.
    fn limit(&self, one: &Document) -> Option<(String, u64)> {
        match &self.script.as_ref()?.step(one)?.kind {
            Kind::Command(command) => command.concurrency.clone(),
            _ => None,
        }
    }

    /// Whether a failure does not fail the build.
    fn excuses(&self, one: &Document, outcome: JobOutcome) -> bool {
        let step = self.script.as_ref().and_then(|script| script.step(one));
        outcome.has_failed()
            && step.is_some_and(|step| match &step.kind {
                Kind::Command(command) => command
                    .soft_fail
                    .excuses(outcome.exit_status().unwrap_or(-1)),
                Kind::Trigger(trigger) => trigger.soft_fail,
                _ => false,
            })
    }
}

impl World {
    /// Starts the trigger steps that are due: each creates a build.
    fn start_triggers(&mut self, id: &str) -> bool {
        let (Some(build), Some(script)) = (self.build_by_id(id), self.scripts.get(id)) else {
            return false;
        };
        let document = self.document(build);
        let due = document
            .jobs()
            .iter()
            .filter(|one| job::is_of_type(one, "trigger") && job::is_in(one, &["scheduled"]));
        let due: Vec<_> = due
            .filter_map(|one| match &script.step(one)?.kind {
                Kind::Trigger(trigger) => Some((one.text("id")?, (**trigger).clone())),
                _ => None,
            })
            .collect();
        let has_moved = !due.is_empty();
        for (job_id, trigger) in due {
            let triggered = self.create_triggered(id, &trigger);
            let is_over = triggered.is_none() || trigger.is_async;
            let step = |build: &mut BuildDocument, moment: &Moment| {
                let one = build.job_mut(&job_id)?;
                job::start(one, &moment.now);
                one.set("triggered_build", &triggered);
                if is_over {
                    let state = if triggered.is_some() {
                        "passed"
                    } else {
                        "failed"
                    };
                    job::end(one, state, &moment.now);
                    one.set("soft_failed", triggered.is_none() && trigger.soft_fail);
                }
                run_on(build, moment);
                Some(())
            };
            self.move_build(id, step);
        }
        has_moved
    }

    /// How the build of a trigger step has ended; none if it has not.
    fn trigger_outcome(&self, one: &Document) -> Option<JobOutcome> {
        let child = one.get("triggered_build")["id"].as_str()?.to_owned();
        let Some(build) = self.build_by_id(&child) else {
            return Some(JobOutcome::Failed(1));
        };
        match &*build.summary.state {
            _ if build.summary.blocked => None,
            "passed" => Some(JobOutcome::Passed),
            "failed" | "not_run" | "skipped" => Some(JobOutcome::Failed(1)),
            "canceled" => Some(JobOutcome::Canceled),
            _ => None,
        }
    }
}

/// How a build names the one that triggered it.
pub(super) fn triggered_from(parent: &BuildDocument, pipeline: &str) -> Value {
    json!({
        "build_id": parent.get("id"),
        "build_number": parent.get("number"),
        "build_pipeline_slug": pipeline,
    })
}
