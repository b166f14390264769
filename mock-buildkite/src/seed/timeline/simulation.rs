//! The simulation: builds in the order of their events, jobs on the agents of their queues.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::agents::{BAD_AGENT, Pool};
use super::arrivals::{Arrival, Plan, Retry};
use super::{BuildTimes, Ending, JobTimes, NEVER, Offset, Timelines};
use crate::rng::Rng;
use crate::seed::recipe::{Recipe, Slot, Step, Trait};

/// What the simulation needs to know of a pipeline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) organization: usize,
    pub(crate) recipe: Recipe,
    /// The pipeline that its trigger steps trigger.
    pub(crate) target: Option<usize>,
}

/// What is to be simulated.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) seed: u64,
    /// The present.
    pub(crate) now: i64,
    pub(crate) lines: Vec<Line>,
    /// Builds that nothing else triggers, with their times of creation, oldest first.
    pub(crate) arrivals: Vec<(i64, Arrival)>,
    /// How many builds trigger steps may create.
    pub(crate) children: usize,
    pub(crate) organizations: usize,
    pub(crate) queues: usize,
    pub(crate) jobs_per_build: usize,
    /// Steps that got slower did so then.
    pub(crate) slower_since: i64,
    /// The plan of a triggered build.
    pub(crate) child_plan: fn(&mut Rng) -> Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Created,
    FirstStage,
    Retried,
    SecondStage,
    Unblocked,
    Ended,
}

struct Simulation {
    input: Input,
    events: BinaryHeap<Reverse<(i64, usize, Event)>>,
    builds: Vec<BuildTimes>,
    slots: Vec<Vec<Slot>>,
    jobs: Vec<JobTimes>,
    pools: Vec<Vec<Pool>>,
    /// The last failed build of each pipeline that was not rebuilt.
    failed: Vec<Option<usize>>,
    /// When the group of deployments of each pipeline is free.
    deployments: Vec<i64>,
    children_left: usize,
}

/// Simulates all builds. Returns the number of triggered builds as well.
pub(crate) fn simulate(input: Input) -> (Timelines, usize) {
    let children = input.children;
    let mut simulation = Simulation::new(input);
    while let Some(Reverse((time, build, event))) = simulation.events.pop() {
        simulation.handle(time, build, event);
    }
    let used = children - simulation.children_left;
    (simulation.into_timelines(), used)
}

impl Simulation {
    fn new(mut input: Input) -> Self {
        let arrivals = std::mem::take(&mut input.arrivals);
        let pools = pools(&input, &arrivals);
        let pipelines = input.lines.len();
        let mut simulation = Self {
            children_left: input.children,
            events: BinaryHeap::with_capacity(arrivals.len()),
            builds: Vec::with_capacity(arrivals.len() + input.children),
            slots: Vec::new(),
            jobs: Vec::new(),
            pools,
            failed: vec![None; pipelines],
            deployments: vec![0; pipelines],
            input,
        };
        for (created, arrival) in arrivals {
            simulation.add(created, arrival, None);
        }
        simulation
    }

    /// Adds a build that will be created.
    fn add(&mut self, created: i64, arrival: Arrival, parent: Option<usize>) -> usize {
        let at = self.builds.len();
        self.builds.push(BuildTimes::new(created, arrival, parent));
        let recipe = self.input.lines[arrival.pipeline].recipe;
        self.slots
            .push(recipe.slots(arrival.retry.map(Retry::step)));
        let jobs = (at + 1) * self.input.jobs_per_build;
        self.jobs.resize(jobs, JobTimes::NONE);
        self.events.push(Reverse((created, at, Event::Created)));
        at
    }

    fn handle(&mut self, time: i64, build: usize, event: Event) {
        match event {
            Event::Created => self.created(time, build),
            Event::FirstStage => self.first_stage(time, build),
            Event::Retried => self.retried(time, build),
            Event::SecondStage => self.second_stage(time, build),
            Event::Unblocked => self.unblocked(time, build),
            Event::Ended => self.ended(build),
        }
    }

    fn created(&mut self, time: i64, build: usize) {
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
        if self.builds[build].finished != NEVER || self.slots[build].is_empty() {
            return;
        }
        let uploaded = self.run(build, 0, time + 350);
        let upload = self.jobs[self.place(build, 0)];
        self.builds[build].started = upload.started;
        if upload.ending == Ending::Failed {
            self.fail(build, uploaded);
        }
        self.next(build, uploaded, Event::FirstStage);
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

    fn first_stage(&mut self, time: i64, build: usize) {
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
    fn retried(&mut self, time: i64, build: usize) {
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

    fn second_stage(&mut self, time: i64, build: usize) {
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
    fn unblocked(&mut self, time: i64, build: usize) {
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

    fn ended(&mut self, build: usize) {
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

    /// Runs a command from the time when it is runnable. Returns when it ends.
    fn run(&mut self, build: usize, at: usize, runnable: i64) -> i64 {
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
    fn is_new_attempt(&self, build: usize, at: usize) -> bool {
        let slots = &self.slots[build];
        let Some(retry) = self.builds[build].arrival.retry else {
            return false;
        };
        let step = Slot::First(retry.step());
        let first = slots.iter().position(|slot| *slot == step);
        first.is_some_and(|first| at == first + 1) && slots.get(at) == Some(&step)
    }

    /// A job has failed hard: the build is failing from then on.
    fn fail(&mut self, build: usize, time: i64) {
        let time = self.offset(build, time);
        let failing = &mut self.builds[build].failing;
        *failing = (*failing).min(time);
    }

    /// Queues the next event of a build, or its end if it was canceled before.
    fn next(&mut self, build: usize, time: i64, event: Event) {
        let times = &self.builds[build];
        let is_canceled =
            times.canceled != NEVER && time >= times.created + i64::from(times.canceled);
        let event = if is_canceled { Event::Ended } else { event };
        self.events.push(Reverse((time, build, event)));
    }

    fn offset(&self, build: usize, time: i64) -> Offset {
        offset(self.builds[build].created, time)
    }

    fn place(&self, build: usize, at: usize) -> usize {
        build * self.input.jobs_per_build + at
    }

    /// Everything, oldest build first.
    fn into_timelines(self) -> Timelines {
        let mut order: Vec<usize> = (0..self.builds.len()).collect();
        order.sort_by_key(|at| (self.builds[*at].created, *at));
        let mut new_index = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_index[*old] = new;
        }
        let per_build = self.input.jobs_per_build;
        let mut jobs = Vec::with_capacity(self.jobs.len());
        let mut builds = Vec::with_capacity(order.len());
        for old in order {
            let mut times = self.builds[old].clone();
            for link in [&mut times.parent, &mut times.child, &mut times.original] {
                *link = link.map(|at| new_index[at]);
            }
            builds.push(times);
            jobs.extend_from_slice(&self.jobs[old * per_build..(old + 1) * per_build]);
        }
        let agents = self.pools.into_iter().map(|pools| {
            let pools = pools.into_iter();
            pools.map(Pool::into_agents).collect()
        });
        Timelines {
            builds,
            jobs,
            agents: agents.collect(),
        }
    }
}

impl BuildTimes {
    fn new(created: i64, arrival: Arrival, parent: Option<usize>) -> Self {
        Self {
            arrival,
            created,
            parent,
            child: None,
            original: None,
            started: NEVER,
            failing: NEVER,
            stopped: NEVER,
            reopened: NEVER,
            restarted: NEVER,
            canceled: NEVER,
            finished: NEVER,
            has_failed: false,
            is_unblocked: false,
            is_blocked: false,
        }
    }
}

/// Agents enough for the usual work of each queue, but not for its busiest hours.
fn pools(input: &Input, arrivals: &[(i64, Arrival)]) -> Vec<Vec<Pool>> {
    let first = arrivals.first().map_or(0, |(created, _)| *created);
    let last = arrivals.last().map_or(0, |(created, _)| *created);
    let span = (last - first).max(3_600_000);
    let mut work = vec![vec![0_i64; input.queues]; input.organizations];
    let mut of_line = vec![None; input.lines.len()];
    for (_, arrival) in arrivals {
        let line = &input.lines[arrival.pipeline];
        let per_build = of_line[arrival.pipeline].get_or_insert_with(|| {
            let mut per_queue = vec![0; input.queues];
            for step in line
                .recipe
                .slots(None)
                .iter()
                .filter_map(|slot| slot.step())
            {
                per_queue[step.queue] += step.seconds * 1000;
            }
            per_queue
        });
        for (queue, millis) in per_build.iter().enumerate() {
            work[line.organization][queue] += millis;
        }
    }
    let since = first - 30 * 86_400_000;
    let pool = |work: &i64| Pool::new(*work, span, since);
    work.iter()
        .map(|queues| queues.iter().map(pool).collect())
        .collect()
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

fn offset(created: i64, time: i64) -> Offset {
    // Far below the limit of 49 days: nobody waits longer than hours.
    Offset::try_from(time - created).unwrap_or(NEVER - 1)
}
