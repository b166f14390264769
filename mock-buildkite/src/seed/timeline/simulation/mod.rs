//! The simulation: builds in the order of their events, jobs on the agents of their queues.

mod job;
mod result;
mod stages;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use result::pools;

use super::agents::Pool;
use super::arrivals::{Arrival, Plan, Retry};
use super::{BuildTimes, JobTimes, NEVER, Offset, Timelines};
use crate::rng::Rng;
use crate::seed::recipe::{Recipe, Slot};

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

fn offset(created: i64, time: i64) -> Offset {
    // Far below the limit of 49 days: nobody waits longer than hours.
    Offset::try_from(time - created).unwrap_or(NEVER - 1)
}
