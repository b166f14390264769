//! The stages of a build, from its first job to its end.

use super::{Event, Simulation};
use crate::rng::Rng;
use crate::seed::recipe::Slot;
use crate::seed::timeline::arrivals::{Arrival, Plan, Retry};
use crate::seed::timeline::{Ending, NEVER};

impl Simulation {
    pub(super) fn created(&mut self, time: i64, build: usize) {
        let times = &mut self.builds[build];
        match times.arrival.plan {
            Plan::NotRun => times.finished = 900,
            Plan::Skipped => times.finished = 45_000,
            Plan::Canceled(after) => times.canceled = after,
            _ => {}
        }
        if times.arrival.is_rebuild {
            self.rebuild(time, build);
        }
        if self.builds[build].finished != NEVER {
            return;
        }
        if self.slots[build].is_empty() {
            return self.run_without_jobs(build);
        }
        let uploaded = self.run(build, 0, time + 350);
        let upload = self.jobs[self.place(build, 0)];
        self.builds[build].started = upload.started;
        if upload.ending == Ending::Failed {
            self.fail(build, uploaded);
        }
        self.next(build, uploaded, Event::FirstStage);
    }

    /// A build of a world without jobs has a start and an end all the same.
    fn run_without_jobs(&mut self, build: usize) {
        let mut rng = Rng::of(&[self.input.seed, 19, build as u64]);
        let mut draw = |from, to| u32::try_from(rng.skewed(from, to)).unwrap_or(0);
        let started = draw(1_000, 60_000);
        let finished = started + draw(20_000, 1_200_000);
        let times = &mut self.builds[build];
        times.started = started;
        times.finished = finished;
        if times.canceled < finished {
            times.finished = times.canceled + 2_500;
            if times.canceled < started {
                times.started = NEVER;
            }
            return;
        }
        times.canceled = NEVER;
        if matches!(
            times.arrival.plan,
            Plan::FailsFirst(_) | Plan::FailsSecond(_)
        ) {
            times.failing = finished;
            times.has_failed = true;
            self.failed[times.arrival.pipeline] = Some(build);
        }
    }

    /// Makes a build repeat the last one of its pipeline that failed.
    fn rebuild(&mut self, time: i64, build: usize) {
        let pipeline = self.builds[build].arrival.pipeline;
        let ended_before = |at: &usize| {
            let other = &self.builds[*at];
            other.created + i64::from(other.finished) < time
        };
        if let Some(original) = self.failed[pipeline].filter(ended_before) {
            self.failed[pipeline] = None;
            let (identity, is_main) = {
                let arrival = &self.builds[original].arrival;
                (arrival.identity, arrival.is_main)
            };
            let times = &mut self.builds[build];
            times.original = Some(original);
            times.arrival.identity = identity;
            times.arrival.is_main = is_main;
        }
    }

    pub(super) fn first_stage(&mut self, time: i64, build: usize) {
        let mut end = time;
        let mut retried = None;
        let retry = self.builds[build].arrival.retry;
        for at in 1..self.slots[build].len() {
            if !matches!(self.slots[build][at], Slot::First(_)) {
                continue;
            }
            let is_new = self.is_new_attempt(build, at);
            if is_new {
                retried = Some(at);
            } else {
                let done = self.run(build, at, time + 200);
                if self.jobs[self.place(build, at)].ending == Ending::Failed && retry.is_none() {
                    self.fail(build, done);
                }
                end = end.max(done);
            }
        }
        let Some(at) = retried else {
            return self.next(build, end, Event::SecondStage);
        };
        let old = self.jobs[self.place(build, at - 1)];
        let old_end = self.builds[build].created + i64::from(old.finished);
        match retry {
            Some(Retry::FlakyManual(later)) => {
                self.fail(build, old_end);
                self.builds[build].stopped = self.offset(build, end);
                let reopened = end + i64::from(later);
                self.builds[build].reopened = self.offset(build, reopened);
                self.next(build, reopened, Event::Retried);
            }
            _ => self.next(build, old_end + 1_000, Event::Retried),
        }
    }

    /// The new attempt of the retried job runs.
    pub(super) fn retried(&mut self, time: i64, build: usize) {
        let slots = self.slots[build].len();
        let Some(at) = (1..slots).find(|at| self.is_new_attempt(build, *at)) else {
            return;
        };
        self.run(build, at, time);
        let started = self.jobs[self.place(build, at)].started;
        let times = &mut self.builds[build];
        if times.reopened != NEVER {
            times.restarted = started;
        }
        let first = (1..slots).filter(|at| matches!(self.slots[build][*at], Slot::First(_)));
        let end = first.map(|at| self.jobs[self.place(build, at)].finished);
        let end = end.filter(|end| *end != NEVER).max().unwrap_or(0);
        let end = self.builds[build].created + i64::from(end);
        self.next(build, end, Event::SecondStage);
    }

    pub(super) fn second_stage(&mut self, time: i64, build: usize) {
        if matches!(self.builds[build].arrival.plan, Plan::FailsFirst(_)) {
            self.builds[build].has_failed = true;
            return self.next(build, time, Event::Ended);
        }
        let mut end = time;
        for at in 0..self.slots[build].len() {
            if matches!(self.slots[build][at], Slot::Second(_)) {
                let done = self.run(build, at, time + 200);
                if self.jobs[self.place(build, at)].ending == Ending::Failed {
                    self.fail(build, done);
                    self.builds[build].has_failed = true;
                }
                end = end.max(done);
            }
        }
        let is_deployed = self.slots[build].contains(&Slot::Block);
        let has_target = self.slots[build].contains(&Slot::Trigger);
        let times = &mut self.builds[build];
        let goes_to_block = is_deployed && times.arrival.is_main && !times.has_failed;
        match times.arrival.plan {
            Plan::Passes(Some(later))
                if goes_to_block && (!has_target || self.children_left > 0) =>
            {
                let unblocked = end + i64::from(later);
                self.children_left -= usize::from(has_target);
                self.builds[build].is_unblocked = true;
                self.builds[build].stopped = self.offset(build, end);
                self.builds[build].reopened = self.offset(build, unblocked);
                self.builds[build].restarted = NEVER;
                self.next(build, unblocked, Event::Unblocked);
            }
            _ => {
                self.builds[build].is_blocked = goes_to_block;
                self.next(build, end, Event::Ended);
            }
        }
    }

    /// Somebody releases the block step: the release notes and the trigger step run.
    pub(super) fn unblocked(&mut self, time: i64, build: usize) {
        let slots = self.slots[build].len();
        let pipeline = self.builds[build].arrival.pipeline;
        let free = self.deployments[pipeline];
        let done = self.run(build, slots - 2, (time + 100).max(free));
        self.deployments[pipeline] = done;
        let place = self.place(build, slots - 1);
        if self.slots[build][slots - 1] == Slot::Rollout {
            let end = self.run(build, slots - 1, time + 100).max(done);
            let first = self.jobs[place].started.min(self.jobs[place - 1].started);
            self.builds[build].restarted = first;
            return self.next(build, end, Event::Ended);
        }
        let started = self.offset(build, time + 400);
        self.jobs[place].runnable = self.offset(build, time + 100);
        self.jobs[place].started = started;
        self.builds[build].restarted = started;
        let Some(target) = self.input.lines[pipeline].target else {
            return;
        };
        let parent = &self.builds[build].arrival;
        let mut rng = Rng::of(&[self.input.seed, 18, parent.identity, build as u64]);
        let arrival = Arrival {
            pipeline: target,
            plan: (self.input.child_plan)(&mut rng),
            retry: None,
            is_rebuild: false,
            ..*parent
        };
        let child = self.add(time + 900, arrival, Some(build));
        self.builds[build].child = Some(child);
    }

    pub(super) fn ended(&mut self, build: usize) {
        let jobs = self.place(build, 0)..self.place(build, self.slots[build].len());
        let last = self.jobs[jobs].iter().map(|job| job.finished);
        let last = last.filter(|end| *end != NEVER).max().unwrap_or(0);
        let times = &mut self.builds[build];
        if last < times.canceled {
            // It ended before anybody canceled it.
            times.canceled = NEVER;
        }
        times.is_blocked &= times.canceled == NEVER;
        times.finished = last + 60;
        if times.has_failed && times.canceled == NEVER {
            self.failed[times.arrival.pipeline] = Some(build);
        }
        if let Some(parent) = self.builds[build].parent {
            self.end_trigger(parent, build);
        }
    }

    /// The trigger step of a build ends with the build that it created.
    fn end_trigger(&mut self, parent: usize, child: usize) {
        let child = &self.builds[child];
        let (has_failed, end) = (
            child.has_failed,
            child.created + i64::from(child.finished) + 300,
        );
        let place = self.place(parent, self.slots[parent].len() - 1);
        self.jobs[place].finished = self.offset(parent, end);
        self.jobs[place].ending = Ending::Passed;
        if has_failed {
            self.jobs[place].ending = Ending::Failed;
            self.fail(parent, end);
            self.builds[parent].has_failed = true;
        }
        self.next(parent, end, Event::Ended);
    }
}
