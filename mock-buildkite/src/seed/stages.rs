//! How far each job of a seeded build got: kind, state and times.

use super::Seeded;
use super::plan::BuildPlan;
use uuid::Uuid;

use crate::rng::Rng;

/// The four shapes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Script,
    Waiter,
    Manual,
    Trigger,
}

/// What is true of one job.
#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
    pub(crate) state: &'static str,
    pub(crate) soft_failed: bool,
    pub(crate) exit_status: Option<i64>,
    pub(crate) created: i64,
    pub(crate) scheduled: i64,
    pub(crate) runnable: Option<i64>,
    pub(crate) started: Option<i64>,
    pub(crate) finished: Option<i64>,
    pub(crate) retry: Retry,
    /// Place within a parallel group of two.
    pub(crate) parallel: Option<i64>,
    pub(crate) rng: Rng,
}

/// The part of a job in a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    No,
    /// Was retried, by a person or by a rule, in the next job.
    Old {
        by_hand: bool,
        replacement: Uuid,
    },
    /// Replaces the job before.
    New {
        by_hand: bool,
        original: Uuid,
    },
}

/// The jobs of a build in the order they are served.
pub(crate) fn jobs(world: &Seeded, build: &BuildPlan) -> Vec<JobPlan> {
    let count = world.jobs_per_build;
    let shape = Shape {
        count,
        waiter: (count >= 4).then_some(count / 2),
        block: (count >= 6 && build.layout.has_block).then(|| count - 3),
        trigger: (count >= 6 && build.layout.has_trigger).then(|| count - 1),
        retry: (count >= 8 && build.layout.has_retry && build.started.is_some()).then_some(2),
    };
    (0..count).map(|at| shape.job(world, build, at)).collect()
}

/// Where the special jobs of a build stand.
struct Shape {
    count: usize,
    waiter: Option<usize>,
    block: Option<usize>,
    trigger: Option<usize>,
    /// The retried job; its replacement is the next one.
    retry: Option<usize>,
}

impl Shape {
    fn kind(&self, at: usize) -> Kind {
        match Some(at) {
            place if place == self.waiter => Kind::Waiter,
            place if place == self.block => Kind::Manual,
            place if place == self.trigger => Kind::Trigger,
            _ if self.count > 30 && at % 20 == 10 => Kind::Waiter,
            _ => Kind::Script,
        }
    }

    fn job(&self, world: &Seeded, build: &BuildPlan, at: usize) -> JobPlan {
        let mut rng = job_rng(world, build, at);
        let id = rng.uuid(build.created);
        let kind = self.kind(at);
        let state = self.state(build, at, kind, &mut rng);
        let soft = matches!(state, "soft failed" | "soft timed_out");
        let state = state.strip_prefix("soft ").unwrap_or(state);
        let mut job = JobPlan {
            kind,
            id,
            state,
            soft_failed: soft,
            exit_status: None,
            created: build.created - 40,
            scheduled: build.created - 40,
            runnable: None,
            started: None,
            finished: None,
            retry: self.retry_of(world, build, at),
            parallel: self.parallel(build, at),
            rng,
        };
        self.time(build, at, &mut job);
        job
    }

    /// The place within the parallel group of two, if both of its halves are commands.
    fn parallel(&self, build: &BuildPlan, at: usize) -> Option<i64> {
        let is_command = |at| self.kind(at) == Kind::Script;
        let has_group = build.layout.has_parallel && self.count >= 10;
        match at {
            6 | 7 if has_group && is_command(6) && is_command(7) => Some(at as i64 - 6),
            _ => None,
        }
    }

    fn retry_of(&self, world: &Seeded, build: &BuildPlan, at: usize) -> Retry {
        let by_hand = build.number.is_multiple_of(2);
        let id_of = |at| job_rng(world, build, at).uuid(build.created);
        match self.retry {
            Some(old) if old == at => Retry::Old {
                by_hand,
                replacement: id_of(at + 1),
            },
            Some(old) if old + 1 == at => Retry::New {
                by_hand,
                original: id_of(old),
            },
            _ => Retry::No,
        }
    }

    /// The state of a job, given how its build stands.
    fn state(&self, build: &BuildPlan, at: usize, kind: Kind, rng: &mut Rng) -> &'static str {
        if self.retry == Some(at) {
            return if build.number.is_multiple_of(2) {
                "failed"
            } else {
                "timed_out"
            };
        }
        let is_after_wait = self.waiter.is_some_and(|waiter| at > waiter);
        let is_after_block = self.block.is_some_and(|block| at > block);
        let third = at * 3 / self.count.max(1);
        match (build.state, kind) {
            ("skipped", _) => "skipped",
            ("not_run", _) => "broken",
            ("passed", Kind::Manual) if build.blocked => "blocked",
            ("passed", _) if build.blocked && is_after_block => "blocked",
            ("passed" | "running" | "failing" | "scheduled", Kind::Manual) if third == 0 => {
                "unblocked"
            }
            ("passed", Kind::Manual) => "unblocked",
            ("passed", Kind::Script) => ended(rng),
            ("passed", _) => "passed",
            ("failed" | "failing", Kind::Script) if at == 1 || self.count == 1 => "failed",
            ("failed" | "canceling" | "canceled", Kind::Manual) => "blocked_failed",
            ("failed", _) if is_after_block => "blocked_failed",
            ("failed", _) if is_after_wait => "waiting_failed",
            ("failed", _) => ended(rng),
            ("running" | "failing" | "scheduled", Kind::Manual) => "blocked",
            ("running" | "failing" | "scheduled", _) if is_after_block => "blocked",
            ("running" | "failing" | "scheduled", _) if is_after_wait => "waiting",
            ("scheduled", _) => "scheduled",
            ("running" | "failing", _) if third == 0 => "passed",
            ("running" | "failing", _) => "running",
            (_, _) if third == 0 && build.started.is_some() => "passed",
            ("canceling", _) if third == 1 => "canceling",
            _ => "canceled",
        }
    }

    /// Gives a job the times and the exit status that belong to its state.
    fn time(&self, build: &BuildPlan, at: usize, job: &mut JobPlan) {
        let Some(build_started) = build.started else {
            job.runnable = (job.state == "scheduled").then_some(build.scheduled + 90);
            job.finished = build.finished.filter(|_| job.state == "canceled");
            return;
        };
        let span = build
            .finished
            .map_or(60_000, |end| (end - build_started).max(2));
        let share = span / (self.count.max(1) as i64);
        let start = build_started + share * at as i64 / 2;
        let took = job.rng.skewed(1, (span - share * at as i64 / 2).max(1));
        if matches!(job.retry, Retry::New { .. }) {
            job.created = start;
        }
        let was_started = match job.state {
            "canceled" => at * 3 / self.count.max(1) == 1,
            state => matches!(
                state,
                "passed" | "failed" | "timed_out" | "running" | "canceling"
            ),
        };
        if was_started {
            job.runnable = Some(start - 900);
            job.started = Some(start);
        }
        job.finished = match job.state {
            "passed" | "failed" | "timed_out" => Some(start + took),
            "canceled" => build.finished,
            _ => None,
        };
        job.exit_status = match job.state {
            "passed" => Some(0),
            "failed" => Some(*job.rng.pick(&[&1, &1, &1, &125, &4, &255, &124, &2])),
            "timed_out" => Some(-1),
            "canceled" if was_started => Some(-1),
            _ => None,
        };
    }
}

/// A job that ended without failing its build.
fn ended(rng: &mut Rng) -> &'static str {
    match rng.below(100) {
        0..7 => "soft failed",
        7..9 => "soft timed_out",
        _ => "passed",
    }
}

fn job_rng(world: &Seeded, build: &BuildPlan, at: usize) -> Rng {
    Rng::of(&[world.seed, 12, build.ordinal as u64, at as u64])
}
