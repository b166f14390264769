//! What happens to builds and pipelines.

use std::time::Duration;

use chrono::TimeDelta;
use mock_buildkite::{BuildFixture, DEMO_TOKEN, JobFixture, World};
use proptest::prelude::*;

pub(super) const ORGANIZATION: &str = "acme-inc";
/// It leaves the token's view, and comes back.
pub(super) const OTHER_ORGANIZATION: &str = "umbrella";
pub(super) const PIPELINES: u8 = 3;
/// Clocks differ and step back, and builds appear late: by this much together at most.
pub(super) const LARGEST_LAG_MS: i64 = 25_000;

/// One thing that happens. Builds are counted from the newest, pipelines in their order; a count
/// that is too high starts over. What is not possible does not happen.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Create {
        pipeline: u8,
        jobs: u8,
        late_ms: i64,
        /// How many at the very same moment.
        twins: u8,
    },
    Move {
        build: u8,
        to: Move,
    },
    Rename {
        pipeline: u8,
        name: u8,
    },
    Delete {
        pipeline: u8,
    },
    /// The token may no longer see a pipeline.
    Hide {
        pipeline: u8,
    },
    Show {
        pipeline: u8,
    },
    /// It is deleted, and another one is made under its slug.
    Remake {
        pipeline: u8,
    },
    /// The token no longer sees the other organization.
    Leave,
    Return,
    AgeOut {
        share: u8,
    },
    StepBack {
        ms: i64,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    Schedule,
    Start,
    StartJob,
    PassJob,
    FailJob,
    RetryAutomatically,
    RetryByHand,
    Block,
    Unblock,
    Cancel,
    FinishCanceling,
    Skip,
    NotRun,
    Rebuild,
    Pass,
    Fail,
    /// From wherever it is to an end with a failed job.
    RunAndFail,
    /// A failed job is retried, and the build comes to another end.
    Rerun,
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let late = prop_oneof![3 => Just(0), 2 => 0..LARGEST_LAG_MS];
    let twins = prop_oneof![12 => Just(1), 1 => 2..7_u8];
    prop_oneof![
        8 => (0..=PIPELINES, 1..4_u8, late, twins).prop_map(|(pipeline, jobs, late_ms, twins)| Act::Create { pipeline, jobs, late_ms, twins }),
        24 => (0..12_u8, moved()).prop_map(|(build, to)| Act::Move { build, to }),
        1 => (0..PIPELINES, 0..100_u8).prop_map(|(pipeline, name)| Act::Rename { pipeline, name }),
        1 => (0..PIPELINES).prop_map(|pipeline| Act::Delete { pipeline }),
        1 => (0..PIPELINES).prop_map(|pipeline| Act::Hide { pipeline }),
        1 => (0..PIPELINES).prop_map(|pipeline| Act::Show { pipeline }),
        1 => (0..=PIPELINES).prop_map(|pipeline| Act::Remake { pipeline }),
        1 => Just(Act::Leave),
        1 => Just(Act::Return),
        1 => (0..60_u8).prop_map(|share| Act::AgeOut { share }),
        1 => (0..LARGEST_LAG_MS).prop_map(|ms| Act::StepBack { ms }),
    ]
}

fn moved() -> impl Strategy<Value = Move> {
    use Move::*;
    prop::sample::select(vec![
        RunAndFail,
        RunAndFail,
        RunAndFail,
        Rerun,
        Rerun,
        Rerun,
        Rerun,
        Schedule,
        Start,
        Start,
        Start,
        StartJob,
        PassJob,
        PassJob,
        FailJob,
        FailJob,
        RetryAutomatically,
        RetryByHand,
        RetryByHand,
        Block,
        Unblock,
        Cancel,
        FinishCanceling,
        Skip,
        NotRun,
        Rebuild,
        Pass,
        Pass,
        Fail,
    ])
}

pub(super) fn slug(pipeline: u8) -> String {
    format!("pipeline-{pipeline}")
}

impl Act {
    /// Lets it happen.
    pub(super) fn apply(&self, world: &mut World) {
        match self {
            Self::Create {
                pipeline,
                jobs,
                late_ms,
                twins,
            } => {
                world.clock().advance(Duration::from_millis(1));
                for twin in 0..*twins {
                    create(world, pipeline + twin, *jobs, *late_ms);
                }
            }
            Self::Move { build, to } => {
                let ids = world.build_ids();
                if !ids.is_empty() {
                    to.apply(world, &ids[usize::from(*build) % ids.len()]);
                }
            }
            Self::Rename { pipeline, name } => {
                if let Some((organization, old)) = pipeline_of(world, *pipeline) {
                    world.rename_pipeline(organization, &old, &format!("renamed-{name}"));
                }
            }
            Self::Delete { pipeline } => {
                if let Some((organization, slug)) = pipeline_of(world, *pipeline) {
                    world.delete_pipeline(organization, &slug);
                }
            }
            Self::Hide { pipeline } => {
                if let Some((organization, slug)) = pipeline_of(world, *pipeline) {
                    world.hide_pipeline(organization, &slug);
                }
            }
            Self::Show { pipeline } => {
                if let Some((organization, slug)) = pipeline_of(world, *pipeline) {
                    world.show_pipeline(organization, &slug);
                }
            }
            Self::Remake { pipeline } => {
                if let Some((organization, slug)) = pipeline_of(world, *pipeline) {
                    world.delete_pipeline(organization, &slug);
                    world.add_pipeline(organization, &slug);
                }
            }
            Self::Leave => see(world, &[ORGANIZATION]),
            Self::Return => see(world, &[ORGANIZATION, OTHER_ORGANIZATION]),
            Self::AgeOut { share } => {
                let ids = world.build_ids();
                let oldest = ids.len() * usize::from(*share) / 100;
                for id in ids.iter().rev().take(oldest) {
                    world.remove_build(id);
                }
            }
            Self::StepBack { ms } => {
                let clock = world.clock();
                clock.set(clock.now() - TimeDelta::milliseconds(*ms));
            }
        }
    }
}

fn see(world: &mut World, organizations: &[&str]) {
    let slugs = organizations.to_vec();
    world.change_token(DEMO_TOKEN, |token| token.organizations(slugs));
}

fn pipeline_of(world: &World, index: u8) -> Option<(&'static str, String)> {
    let of = |organization| {
        let slugs = world.pipeline_slugs(organization).into_iter();
        slugs.map(move |slug| (organization, slug))
    };
    let all: Vec<_> = of(ORGANIZATION).chain(of(OTHER_ORGANIZATION)).collect();
    let index = usize::from(index).checked_rem(all.len())?;
    all.get(index).cloned()
}

fn create(world: &mut World, pipeline: u8, jobs: u8, late_ms: i64) {
    let new = || (ORGANIZATION, slug(pipeline));
    let (organization, slug) = pipeline_of(world, pipeline).unwrap_or_else(new);
    let at = world.now() - TimeDelta::milliseconds(late_ms);
    let mut fixture = BuildFixture::new(organization, &slug)
        .state("creating")
        .created_at(at);
    for job in 0..jobs {
        fixture = fixture.job(JobFixture::script(&format!("job {job}")).state("scheduled"));
    }
    world.create_build(fixture);
}

impl Move {
    fn apply(self, world: &mut World, id: &str) {
        world.clock().advance(Duration::from_millis(1));
        // Whether it was possible does not matter.
        match self {
            Self::Schedule => _ = world.schedule_build(id),
            Self::Start => _ = world.start_build(id),
            Self::StartJob => _ = world.start_job(id),
            Self::PassJob => _ = world.pass_job(id),
            Self::FailJob => _ = world.fail_job(id),
            Self::RetryAutomatically => _ = world.retry_job_automatically(id),
            Self::RetryByHand => _ = world.retry_first_failed_job(id),
            Self::Block => _ = world.block_build(id),
            Self::Unblock => _ = world.unblock_build(id),
            Self::Cancel => _ = world.cancel_build(id),
            Self::FinishCanceling => _ = world.finish_canceling(id),
            Self::Skip => _ = world.skip_build(id),
            Self::NotRun => _ = world.not_run_build(id),
            Self::Rebuild => _ = world.rebuild(id).is_some(),
            Self::Pass => _ = world.finish_build(id, "passed"),
            Self::Fail => _ = world.finish_build(id, "failed"),
            Self::RunAndFail => {
                for step in [Self::Schedule, Self::Start, Self::FailJob, Self::Fail] {
                    step.apply(world, id);
                }
            }
            Self::Rerun => {
                let again = [Self::RetryByHand, Self::Unblock, Self::StartJob];
                for step in again.into_iter().chain([Self::Pass, Self::Fail]) {
                    step.apply(world, id);
                }
            }
        }
    }
}
