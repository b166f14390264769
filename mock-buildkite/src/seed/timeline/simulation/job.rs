//! One command: which agent takes it, how long it runs, and how it ends.

use super::{Input, Simulation, offset};
use crate::rng::Rng;
use crate::seed::recipe::{Slot, Step, Trait};
use crate::seed::timeline::agents::BAD_AGENT;
use crate::seed::timeline::arrivals::{Plan, Retry};
use crate::seed::timeline::{Ending, JobTimes, NEVER, Offset};

impl Simulation {
    /// Runs a command from the time when it is runnable. Returns when it ends.
    pub(super) fn run(&mut self, build: usize, at: usize, runnable: i64) -> i64 {
        let place = self.place(build, at);
        let Some(step) = self.slots[build][at].step() else {
            return runnable;
        };
        let (created, identity) = {
            let times = &self.builds[build];
            (times.created, times.arrival.identity)
        };
        let mut rng = Rng::of(&[self.input.seed, 12, identity, build as u64, at as u64]);
        let ending = self.ending(build, at, step, &mut rng);
        let canceled = self.builds[build].canceled;
        let canceled = (canceled != NEVER).then(|| created + i64::from(canceled));
        let is_before = |time: i64| canceled.is_none_or(|canceled| time < canceled);
        if !is_before(runnable) {
            return self.cancel(build, place, NEVER);
        }
        let organization = self.input.lines[self.builds[build].arrival.pipeline].organization;
        let pool = &mut self.pools[organization][step.queue];
        let (agent, started) = match ending {
            Ending::Lost => pool.take_this(BAD_AGENT, runnable, &mut rng),
            _ => pool.take(runnable, &mut rng),
        };
        if !is_before(started) {
            let runnable = offset(created, runnable);
            return self.cancel(build, place, runnable);
        }
        let mut finished = started + duration(step, ending, started, &self.input, &mut rng);
        let mut ending = ending;
        if let Some(canceled) = canceled.filter(|canceled| *canceled < finished) {
            (finished, ending) = (canceled + 2_500, Ending::Canceled);
        }
        pool.occupy(agent, finished, self.input.now);
        self.jobs[place] = JobTimes {
            runnable: offset(created, runnable),
            started: offset(created, started),
            finished: offset(created, finished),
            agent: u16::try_from(agent).unwrap_or(0),
            ending,
        };
        finished
    }

    /// A job that had not started is canceled with its build. Returns when.
    fn cancel(&mut self, build: usize, place: usize, runnable: Offset) -> i64 {
        let times = &self.builds[build];
        self.jobs[place] = JobTimes {
            runnable,
            finished: times.canceled,
            ending: Ending::Canceled,
            ..JobTimes::NONE
        };
        times.created + i64::from(times.canceled)
    }

    /// How a command ends if nobody cancels it.
    fn ending(&self, build: usize, at: usize, step: &Step, rng: &mut Rng) -> Ending {
        let arrival = &self.builds[build].arrival;
        let slot = self.slots[build][at];
        let is_first = !self.slots[build][..at].contains(&slot);
        let is_old = at + 1 < self.slots[build].len() && self.is_new_attempt(build, at + 1);
        match (arrival.retry, arrival.plan, slot) {
            (Some(retry), ..) if is_old => match retry {
                Retry::Lost => Ending::Lost,
                Retry::TimedOut => Ending::TimedOut,
                _ => Ending::Failed,
            },
            (_, Plan::FailsFirst(_), Slot::Upload) if self.slots[build].len() < 3 => Ending::Failed,
            (_, Plan::FailsFirst(failing), Slot::First(step)) if step == failing && is_first => {
                Ending::Failed
            }
            (_, Plan::FailsSecond(failing), Slot::Second(step)) if step == failing && is_first => {
                Ending::Failed
            }
            _ if step.trait_of == Trait::SoftFail && rng.percent(22) => Ending::SoftFailed,
            _ => Ending::Passed,
        }
    }

    /// Whether a job is the new attempt of the one before it.
    pub(super) fn is_new_attempt(&self, build: usize, at: usize) -> bool {
        let slots = &self.slots[build];
        let Some(retry) = self.builds[build].arrival.retry else {
            return false;
        };
        let step = Slot::First(retry.step());
        let first = slots.iter().position(|slot| *slot == step);
        first.is_some_and(|first| at == first + 1) && slots.get(at) == Some(&step)
    }
}

/// How long a command runs, in milliseconds.
fn duration(step: &Step, ending: Ending, started: i64, input: &Input, rng: &mut Rng) -> i64 {
    let usual = step.seconds * 1000;
    let slow = if step.trait_of == Trait::Slower && started >= input.slower_since {
        3
    } else {
        2
    };
    let usual = rng.skewed(usual * 3 / 4, usual * 2) * slow / 2;
    match ending {
        Ending::TimedOut => usual * 4,
        Ending::Failed | Ending::Lost => usual * 2 / 3,
        _ => usual,
    }
}
