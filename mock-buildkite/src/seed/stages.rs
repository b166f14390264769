//! How far each job of a seeded build is at a time: state, times, agent.

use uuid::Uuid;

use super::Seeded;
use super::plan::BuildPlan;
use super::recipe::{PARALLEL, Slot, Step, Trait};
use super::timeline::{BuildTimes, Ending, JobTimes, NEVER, NO_AGENT, Plan, Retry};
use crate::rng::Rng;

/// A job as it looks at a time.
#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub(crate) slot: Slot,
    pub(crate) id: Uuid,
    pub(crate) state: &'static str,
    pub(crate) soft_failed: bool,
    pub(crate) exit_status: Option<i64>,
    pub(crate) signal_reason: Option<&'static str>,
    pub(crate) broken_reason: Option<&'static str>,
    pub(crate) created: i64,
    pub(crate) scheduled: i64,
    pub(crate) runnable: Option<i64>,
    pub(crate) started: Option<i64>,
    pub(crate) finished: Option<i64>,
    /// Index among the agents of its queue.
    pub(crate) agent: Option<usize>,
    pub(crate) attempt: Attempt,
    /// Index and number of parallel jobs.
    pub(crate) parallel: Option<(i64, i64)>,
    /// Milliseconds that it waited for its concurrency group.
    pub(crate) concurrency_wait: Option<i64>,
}

/// The part of a job in a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Only,
    /// Was retried, by a person or by a rule, in the next job.
    Old {
        is_manual: bool,
        replacement: Uuid,
    },
    /// Replaces the job before.
    New {
        is_manual: bool,
        original: Uuid,
    },
}

/// The jobs of a build in the order they are served. New attempts that are still to come are left
/// out, and nothing else.
pub(crate) fn jobs(world: &Seeded, build: &BuildPlan) -> Vec<JobPlan> {
    let times = &world.timelines.builds[build.ordinal];
    let recipe = world.pipelines[build.pipeline].recipe;
    let slots = recipe.slots(times.arrival.retry.map(Retry::step));
    let stages = Stages {
        world,
        build,
        times,
        slots: &slots,
    };
    (0..slots.len()).filter_map(|at| stages.job(at)).collect()
}

struct Stages<'a> {
    world: &'a Seeded,
    build: &'a BuildPlan,
    times: &'a BuildTimes,
    slots: &'a [Slot],
}

impl Stages<'_> {
    fn job(&self, at: usize) -> Option<JobPlan> {
        let mut rng = self.rng(at);
        let id = rng.uuid(self.build.created);
        let slot = self.slots[at];
        let times = self.job_times(at);
        let [runnable, started, finished] =
            [times.runnable, times.started, times.finished].map(|time| self.at(time));
        let attempt = self.attempt(at)?;
        let state = self.state(at, slot, times);
        let is_over = finished.is_some();
        let was_lost = is_over && times.ending == Ending::Lost;
        let created = self.created(at, attempt, runnable);
        let (exit_status, finished) = if matches!(slot, Slot::Block) {
            (None, None)
        } else {
            (
                self.exit_status(times, &mut rng),
                finished.or(self.canceled_at(state)),
            )
        };
        Some(JobPlan {
            slot,
            id,
            state,
            soft_failed: is_over && times.ending == Ending::SoftFailed,
            exit_status,
            signal_reason: match times.ending {
                Ending::Lost if was_lost => Some("agent_stop"),
                Ending::Canceled if is_over && started.is_some() => Some("cancel"),
                _ => None,
            },
            broken_reason: (state == "broken").then_some(match self.times.arrival.plan {
                Plan::NotRun => "conditional_failed",
                _ => "branch_mismatch",
            }),
            created,
            scheduled: self.created(at, Attempt::Only, runnable),
            runnable,
            started,
            finished,
            agent: (times.agent != NO_AGENT && started.is_some()).then_some(times.agent.into()),
            attempt,
            parallel: self.parallel(at),
            concurrency_wait: self.concurrency_wait(slot, runnable),
        })
    }

    fn rng(&self, at: usize) -> Rng {
        Rng::of(&[self.world.seed, 16, self.build.ordinal as u64, at as u64])
    }

    fn id(&self, at: usize) -> Uuid {
        self.rng(at).uuid(self.build.created)
    }

    fn at(&self, offset: u32) -> Option<i64> {
        self.times.at(offset, self.world.now)
    }

    fn job_times(&self, at: usize) -> JobTimes {
        let per_build = self.world.jobs_per_build;
        self.world.timelines.jobs[self.build.ordinal * per_build + at]
    }

    /// When the job was created: the first job uploads all others, a new attempt comes later.
    fn created(&self, at: usize, attempt: Attempt, runnable: Option<i64>) -> i64 {
        let upload = self.job_times(0);
        let uploaded = self.at(upload.started).filter(|_| at > 0);
        match attempt {
            Attempt::New { .. } => runnable.unwrap_or(self.build.created),
            _ => uploaded.map_or(self.build.created + 40, |started| {
                let length = i64::from(upload.finished.saturating_sub(upload.started));
                started + length / 2
            }),
        }
    }

    /// The part of a job in a retry; none for a new attempt that does not exist yet.
    fn attempt(&self, at: usize) -> Option<Attempt> {
        let Some(retry) = self.times.arrival.retry else {
            return Some(Attempt::Only);
        };
        let is_manual = retry.is_manual();
        let step = Slot::First(retry.step());
        let old = self.slots.iter().position(|slot| *slot == step);
        match old {
            Some(old) if old == at && self.at(self.job_times(at + 1).runnable).is_some() => {
                let replacement = self.id(at + 1);
                Some(Attempt::Old {
                    is_manual,
                    replacement,
                })
            }
            Some(old) if old + 1 == at => {
                self.at(self.job_times(at).runnable)?;
                let original = self.id(old);
                Some(Attempt::New {
                    is_manual,
                    original,
                })
            }
            _ => Some(Attempt::Only),
        }
    }

    fn parallel(&self, at: usize) -> Option<(i64, i64)> {
        let parallel = Slot::First(PARALLEL);
        if self.slots[at] != parallel {
            return None;
        }
        let is_retried = self
            .times
            .arrival
            .retry
            .is_some_and(|one| one.step() == PARALLEL);
        let count = self.slots.iter().filter(|slot| **slot == parallel).count() as i64;
        let total = count - i64::from(is_retried);
        let first = self.slots.iter().position(|slot| *slot == parallel)?;
        let index = (at - first) as i64 - i64::from(is_retried && at > first);
        (total > 1).then_some((index, total))
    }

    fn concurrency_wait(&self, slot: Slot, runnable: Option<i64>) -> Option<i64> {
        let is_limited = slot
            .step()
            .is_some_and(|step| step.trait_of == Trait::Concurrency);
        let unblocked = self.at(self.times.reopened).filter(|_| is_limited)?;
        Some(runnable? - unblocked - 100)
    }

    fn exit_status(&self, times: JobTimes, rng: &mut Rng) -> Option<i64> {
        self.at(times.finished)?;
        match times.ending {
            Ending::Passed => Some(0),
            Ending::Failed | Ending::SoftFailed => {
                Some(*rng.pick(&[&1, &1, &1, &1, &125, &4, &255, &124, &2]))
            }
            Ending::TimedOut | Ending::Lost => Some(-1),
            Ending::Canceled if times.started != NEVER => Some(-1),
            _ => None,
        }
    }

    /// A job that had not run is canceled together with its build.
    fn canceled_at(&self, state: &str) -> Option<i64> {
        self.at(self.times.canceled).filter(|_| state == "canceled")
    }

    fn is_canceled(&self) -> bool {
        self.at(self.times.canceled).is_some()
    }

    fn state(&self, at: usize, slot: Slot, times: JobTimes) -> &'static str {
        let is_after_block = matches!(
            slot,
            Slot::Block | Slot::Deploy | Slot::Trigger | Slot::Rollout
        );
        match self.times.arrival.plan {
            Plan::NotRun => return "broken",
            Plan::Skipped => return "skipped",
            _ if is_after_block && !self.times.arrival.is_main => return "broken",
            _ => {}
        }
        if self.at(times.finished).is_some() {
            return ended(times);
        }
        if self.at(times.started).is_some() {
            return if self.is_canceled() {
                "canceling"
            } else {
                "running"
            };
        }
        if slot == Slot::Block {
            return self.block_state();
        }
        if self.is_canceled() {
            return "canceled";
        }
        if self.at(times.runnable).is_some() || at == 0 {
            return "scheduled";
        }
        let has_failed = self.build.state == "failed";
        match (is_after_block, has_failed) {
            (true, true) => "blocked_failed",
            (true, false) => "blocked",
            (false, true) => "waiting_failed",
            (false, false) => "waiting",
        }
    }

    fn block_state(&self) -> &'static str {
        let is_unblocked = self.times.is_unblocked && self.at(self.times.reopened).is_some();
        if is_unblocked {
            "unblocked"
        } else if self.is_canceled() || self.build.state == "failed" {
            "blocked_failed"
        } else {
            "blocked"
        }
    }
}

fn ended(times: JobTimes) -> &'static str {
    match times.ending {
        Ending::Passed | Ending::None => "passed",
        Ending::Failed | Ending::SoftFailed | Ending::Lost => "failed",
        Ending::TimedOut => "timed_out",
        Ending::Canceled => "canceled",
    }
}

impl JobPlan {
    /// The step of a command.
    pub(crate) fn step(&self) -> Option<&'static Step> {
        self.slot.step()
    }
}
