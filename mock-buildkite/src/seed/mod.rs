//! A made-up world, the same for the same seed.
//!
//! What is kept per build is a few numbers; its text is written only when an answer needs it, so
//! that twenty thousand builds start in a moment and cost little memory. The shape follows
//! answers recorded in 2022 and 2026: key sets and key order, null rates, sizes, states, retries.

mod agent;
mod build;
mod children;
mod job;
mod lists;
mod organization;
mod pipeline;
mod plan;
mod stages;
mod text;
mod words;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::millis_of;
use crate::rng::Rng;
pub(crate) use build::SeededView;
pub(crate) use children::{BuildChildren, artifact_content};
pub(crate) use lists::{ListedObject, listed_objects};
pub(crate) use organization::SeededOrganization;
pub(crate) use pipeline::SeededPipeline;
pub(crate) use plan::BuildPlan;

/// How much made-up data a world has. The same values always give the same world.
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

/// All that is needed to write any object of a seeded world.
#[derive(Debug)]
pub(crate) struct Seeded {
    pub(crate) seed: u64,
    pub(crate) now: i64,
    pub(crate) jobs_per_build: usize,
    pub(crate) organizations: Vec<SeededOrganization>,
    pub(crate) pipelines: Vec<SeededPipeline>,
    builds: Vec<Placed>,
}

/// Where and when a build was made; everything else follows from its place.
#[derive(Debug, Clone, Copy)]
struct Placed {
    pipeline: usize,
    number: u32,
    created: i64,
}

impl Seeded {
    /// Lays out the world: who exists, and when each build was made, oldest first.
    pub(crate) fn new(seed: &Seed) -> Self {
        let now = seed.now.timestamp_millis();
        let organizations: Vec<_> = (0..seed.organizations)
            .map(|index| SeededOrganization::new(seed.seed, index, now))
            .collect();
        let pipelines: Vec<_> = (0..seed.pipelines)
            .filter(|_| !organizations.is_empty())
            .map(|index| {
                let organization = index % organizations.len();
                SeededPipeline::new(seed.seed, index, organization, &organizations, now)
            })
            .collect();
        Self {
            seed: seed.seed,
            now,
            jobs_per_build: seed.jobs_per_build,
            builds: place_builds(seed, pipelines.len(), now),
            organizations,
            pipelines,
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
            self.pipelines[self.builds[*ordinal].pipeline].organization == organization
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
        self.builds.len()
    }
}

/// So many builds of an organization have runs of test suites.
const SOME_BUILDS: usize = 6;

/// Gives each build a pipeline, its next number there, and a time; a few share a millisecond.
fn place_builds(seed: &Seed, pipelines: usize, now: i64) -> Vec<Placed> {
    if pipelines == 0 {
        return Vec::new();
    }
    let mut rng = Rng::of(&[seed.seed, 10]);
    let mut created = now - 1500;
    let mut times: Vec<i64> = Vec::with_capacity(seed.builds);
    for _ in 0..seed.builds {
        times.push(created);
        if !rng.percent(3) {
            created -= rng.skewed(1, millis_of(seed.gap).saturating_mul(3).max(1));
        }
    }
    let mut numbers = vec![0_u32; pipelines];
    times
        .into_iter()
        .rev()
        .map(|created| {
            let pipeline = usize::try_from(rng.below(pipelines as u64)).unwrap_or(0);
            // Numbers may have gaps.
            numbers[pipeline] += if rng.percent(2) { 2 } else { 1 };
            Placed {
                pipeline,
                number: numbers[pipeline],
                created,
            }
        })
        .collect()
}
