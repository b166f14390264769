//! A made-up world, the same for the same seed.
//!
//! The world keeps a few numbers per build and job. Texts are written only when an answer needs
//! them, so twenty thousand builds start in a moment and cost little memory. Key sets, key order,
//! null rates and sizes follow answers recorded in 2022 and 2026.
//!
//! The world has something to say: see [`Seed`].

mod agent;
mod build;
mod children;
mod job;
mod lists;
mod organization;
mod pipeline;
mod plan;
mod queue;
mod recipe;
mod stages;
mod text;
mod timeline;
mod words;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::millis_of;
use crate::rng::Rng;
pub(crate) use agent::AgentTexts;
pub(crate) use build::SeededView;
pub(crate) use children::{BuildChildren, artifact_content};
pub(crate) use lists::{ListedObject, listed_objects};
pub(crate) use organization::SeededOrganization;
pub(crate) use pipeline::{COUNTERS, SeededPipeline};
pub(crate) use plan::BuildPlan;
use recipe::{Recipe, Role};
use timeline::{Arrival, Input, Line, Plan, Surroundings, Timelines, simulate};

/// How much made-up data a world has. The same values always give the same world.
///
/// All builds run on the same agents, so what the data shows is consistent and worth a look:
///
/// - the step "End to end tests" is flaky: rules retry it, sometimes a person does;
/// - "Build image" takes half as long again in the last third of the time;
/// - `main` of the first pipeline is red for a while, past the middle of the time;
/// - more builds come on weekdays and in the mornings, when they wait for agents;
/// - the second agent of the queue `default` loses jobs, which are then retried elsewhere;
/// - "Security scan" fails softly; some jobs time out;
/// - builds of `main` of services stop at a block step; released ones trigger the pipeline "Deploy",
///   where an organization has one, and its failures come back;
/// - failed builds are rebuilt now and then; others are canceled, skipped or not run.
///
/// ```
/// use mock_buildkite::{Seed, World};
///
/// let world = World::seeded(&Seed { builds: 20, ..Seed::default() });
/// assert_eq!(world.build_ids().len(), 20);
/// ```
#[derive(Debug, Clone)]
pub struct Seed {
    /// Which world: another number gives other ids, names and states.
    pub seed: u64,
    /// Number of organizations: `acme-inc`, `acme-inc-2`, … Default 1.
    pub organizations: usize,
    /// Number of pipelines in all, spread over the organizations. Default 8.
    pub pipelines: usize,
    /// Number of builds in all, spread over the pipelines. Default 500.
    pub builds: usize,
    /// Jobs of each build, retried attempts included. Default 10.
    pub jobs_per_build: usize,
    /// When the newest build was made; the others go back from here. Default 2026-08-20 12:00 UTC.
    pub now: DateTime<Utc>,
    /// Time between two builds on average. Default ten minutes.
    pub gap: Duration,
}

impl Default for Seed {
    fn default() -> Self {
        Self {
            seed: 1,
            organizations: 1,
            pipelines: 8,
            builds: 500,
            jobs_per_build: 10,
            now: DateTime::from_timestamp(1_787_227_200, 0).unwrap_or_default(),
            gap: Duration::from_secs(600),
        }
    }
}

/// Everything that the objects of a seeded world follow from.
#[derive(Debug)]
pub(crate) struct Seeded {
    pub(crate) seed: u64,
    pub(crate) now: i64,
    pub(crate) jobs_per_build: usize,
    pub(crate) organizations: Vec<SeededOrganization>,
    pub(crate) pipelines: Vec<SeededPipeline>,
    /// The number of each build in its pipeline.
    numbers: Vec<u32>,
    timelines: Timelines,
}

/// The share of builds that trigger steps may create, in a hundred.
const CHILDREN: usize = 4;

/// After this time a build has ended, whatever happened to it. Milliseconds.
const LONGEST_BUILD: i64 = 10 * 3_600_000;

/// After this time the first stage of a build has ended, retries included. Milliseconds.
const LONGEST_STAGE: i64 = 4 * 3_600_000;

impl Seeded {
    /// Lays out the world: who exists, and when each build was created, oldest first.
    pub(crate) fn new(seed: &Seed) -> Self {
        let now = seed.now.timestamp_millis();
        let organizations: Vec<_> = (0..seed.organizations)
            .map(|index| SeededOrganization::new(seed.seed, index, now))
            .collect();
        let count = if organizations.is_empty() {
            0
        } else {
            seed.pipelines
        };
        let lines = lines(count, organizations.len(), seed.jobs_per_build);
        let pipelines = (0..count)
            .map(|index| SeededPipeline::new(seed.seed, index, &lines[index], &organizations, now));
        let pipelines: Vec<_> = pipelines.collect();
        let timelines = timelines(seed, lines, now);
        let mut world = Self {
            seed: seed.seed,
            now,
            jobs_per_build: seed.jobs_per_build,
            numbers: numbers(seed.seed, pipelines.len(), &timelines),
            timelines,
            organizations,
            pipelines,
        };
        world.add_agents();
        world
    }

    /// Gives the organizations the agents that the builds ran on.
    fn add_agents(&mut self) {
        for (index, queues) in self.timelines.agents.iter().enumerate() {
            let organization = &mut self.organizations[index];
            organization.add_agents(self.seed, index, queues, self.now);
        }
    }

    /// The pipelines of an organization.
    fn pipelines_of(&self, organization: usize) -> Vec<&SeededPipeline> {
        let all = self.pipelines.iter();
        all.filter(|one| one.organization == organization).collect()
    }

    /// Id, branch and commit of the first builds of an organization.
    fn builds_of(&self, organization: usize) -> Vec<(String, String, String)> {
        let is_it = |ordinal: &usize| {
            let pipeline = self.timelines.builds[*ordinal].arrival.pipeline;
            self.pipelines[pipeline].organization == organization
        };
        let first = (0..self.len()).filter(is_it).take(SOME_BUILDS);
        first
            .map(|ordinal| {
                let plan = BuildPlan::of(self, ordinal);
                (plan.id.to_string(), plan.branch, plan.commit)
            })
            .collect()
    }

    /// Number of builds.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// How many builds of an organization have runs of test suites.
const SOME_BUILDS: usize = 6;

/// What the simulation knows of each pipeline.
fn lines(pipelines: usize, organizations: usize, jobs: usize) -> Vec<Line> {
    let is_target = |at: &usize| Role::of(*at) == Role::Deploy;
    (0..pipelines)
        .map(|index| {
            let organization = index % organizations;
            let mut targets = (0..pipelines).filter(|at| at % organizations == organization);
            let target = targets.find(is_target);
            Line {
                organization,
                recipe: Recipe::new(Role::of(index), jobs, target.is_some()),
                target,
            }
        })
        .collect()
}

/// Simulates the builds. Their number is exact, although trigger steps create some of them: what
/// these leave is made up for by older builds.
fn timelines(seed: &Seed, lines: Vec<Line>, now: i64) -> Timelines {
    let builds = if lines.is_empty() { 0 } else { seed.builds };
    let has_targets = lines
        .iter()
        .any(|line| line.recipe.is_deployed && line.target.is_some());
    let mut children = if has_targets {
        builds * CHILDREN / 100
    } else {
        0
    };
    loop {
        let (timelines, used) = simulate(Input {
            seed: seed.seed,
            now,
            arrivals: arrivals(seed, &lines, builds - children, now),
            children,
            organizations: seed.organizations,
            queues: organization::QUEUE_COUNT,
            jobs_per_build: seed.jobs_per_build,
            slower_since: now - span(seed, builds) / 3,
            child_plan,
            lines: lines.clone(),
        });
        if used == children {
            return timelines;
        }
        children = used;
    }
}

/// A tenth of the deployments fail.
fn child_plan(rng: &mut Rng) -> Plan {
    if rng.percent(10) {
        Plan::FailsFirst(0)
    } else {
        Plan::Passes(None)
    }
}

/// About how long the builds of a seed span.
fn span(seed: &Seed, builds: usize) -> i64 {
    millis_of(seed.gap).saturating_mul(i64::try_from(builds).unwrap_or(i64::MAX))
}

/// The builds that nothing triggers, oldest first; a few share a millisecond.
fn arrivals(seed: &Seed, lines: &[Line], builds: usize, now: i64) -> Vec<(i64, Arrival)> {
    let mut rng = Rng::of(&[seed.seed, 10]);
    let span = span(seed, builds);
    let red = now - span * 2 / 5..now - span * 7 / 20;
    let mut created = now - 1500;
    let mut arrivals = Vec::with_capacity(builds);
    for identity in 0..builds {
        let pipeline = rng.index(lines.len());
        let around = Surroundings {
            seed: seed.seed,
            role: Role::of(pipeline),
            recipe: lines[pipeline].recipe,
            is_red: pipeline == 0 && red.contains(&created),
            is_over: created < now - LONGEST_BUILD,
            is_old: created < now - LONGEST_STAGE,
        };
        arrivals.push((created, Arrival::new(pipeline, identity as u64, around)));
        if !rng.percent(3) {
            let gap = millis_of(seed.gap).saturating_mul(3).max(1);
            created -= rng.skewed(1, gap) * quietness(created) / 100;
        }
    }
    arrivals.reverse();
    arrivals
}

/// How much longer or shorter the gaps between builds are, in per cent: shortest on weekdays from 8
/// to 12 o'clock, longest at night and on weekends.
fn quietness(time: i64) -> i64 {
    let hours = time.div_euclid(3_600_000);
    let hour = hours.rem_euclid(24);
    // 1970-01-01 was a Thursday.
    let weekday = (hours.div_euclid(24) + 3).rem_euclid(7);
    match hour {
        _ if weekday >= 5 => 250,
        8..12 => 45,
        12..18 => 80,
        _ => 180,
    }
}

/// Gives each build the next number of its pipeline. Numbers may have gaps.
fn numbers(seed: u64, pipelines: usize, timelines: &Timelines) -> Vec<u32> {
    let mut rng = Rng::of(&[seed, 17]);
    let mut last = vec![0_u32; pipelines];
    let builds = timelines.builds.iter();
    builds
        .map(|times| {
            let number = &mut last[times.arrival.pipeline];
            *number += if rng.percent(2) { 2 } else { 1 };
            *number
        })
        .collect()
}
