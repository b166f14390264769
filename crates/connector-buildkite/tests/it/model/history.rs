//! Random histories: what happens to builds, and when syncs run and die.

use std::time::Duration;

use chrono::TimeDelta;
use mock_buildkite::{BuildFixture, JobFixture, World};
use proptest::collection::vec;
use proptest::prelude::*;

pub(super) const ORGANIZATION: &str = "acme-inc";
pub(super) const LARGEST_CONCURRENCY: u8 = 3;
const PIPELINES: u8 = 3;
/// Clocks differ and step back, and builds appear late: by this much together at most.
const LARGEST_LAG_MS: i64 = 25_000;

/// What happens to an organization, from its first build to its last.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// Builds before the first sync, minutes apart and all finished.
    pub(super) older: u8,
    /// Requests at the same time.
    pub(super) concurrency: u8,
    /// Whether builds that are skipped, or blocked, have no end.
    pub(super) skipped_has_no_end: bool,
    pub(super) blocked_has_no_end: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Act(Act),
    Wait { seconds: u32 },
    Sync(Sync),
    SyncInParts(SyncInParts),
}

/// A sync that is divided; its parts are read in any order, by fresh sources, while things happen.
#[derive(Debug, Clone)]
pub(super) struct SyncInParts {
    pub(super) streams: Streams,
    pub(super) at_most: usize,
    /// Sorted by these, the parts are in the order in which they are read.
    pub(super) order: Vec<u8>,
    /// How long each part waits before it is read.
    pub(super) wait_seconds: u32,
    /// What happens before a request, counted from the beginning of the planning.
    pub(super) meanwhile: Vec<(u8, Act)>,
    pub(super) skew_ms: i64,
}

/// A sync, dying at some messages and resumed, while things happen.
#[derive(Debug, Clone)]
pub(super) struct Sync {
    /// Which of the two streams are synced.
    pub(super) streams: Streams,
    /// Each try dies after this many messages; the last one runs to the end.
    pub(super) deaths: Vec<u8>,
    /// Whether what was read after the last checkpoint of a try was written.
    pub(super) writes_ahead: bool,
    /// What happens before a request, counted from the beginning of the sync.
    pub(super) meanwhile: Vec<(u8, Act)>,
    /// How far the clock of the answers is ahead of that of the builds.
    pub(super) skew_ms: i64,
}

/// Which streams a sync is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Streams {
    Both,
    Builds,
    Jobs,
}

impl Streams {
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Both => &["builds", "jobs"],
            Self::Builds => &["builds"],
            Self::Jobs => &["jobs"],
        }
    }

    /// Whether jobs, or else builds, are among them.
    pub(super) fn has(self, jobs: bool) -> bool {
        self.names()
            .contains(if jobs { &"jobs" } else { &"builds" })
    }
}

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

pub(super) fn history(in_parts: bool) -> impl Strategy<Value = History> {
    // Of many builds, windows are cut in two.
    let older = prop_oneof![9 => 0..30_u8, 1 => 46..60_u8];
    let shape = (older, 1..=LARGEST_CONCURRENCY, any::<bool>(), any::<bool>());
    (shape, vec(step(in_parts), 4..40)).prop_map(
        |((older, concurrency, skipped, blocked), steps)| History {
            older,
            concurrency,
            skipped_has_no_end: skipped,
            blocked_has_no_end: blocked,
            steps,
        },
    )
}

fn step(in_parts: bool) -> impl Strategy<Value = Step> {
    let parts = if in_parts { 4 } else { 0 };
    prop_oneof![
        10 => act().prop_map(Step::Act),
        3 => (0..100_000_u32).prop_map(|seconds| Step::Wait { seconds }),
        3 => (0..120_u32).prop_map(|seconds| Step::Wait { seconds }),
        if in_parts { 2 } else { 4 } => sync().prop_map(Step::Sync),
        parts => sync_in_parts().prop_map(Step::SyncInParts),
    ]
}

/// What happens before the first so many requests.
fn meanwhile(requests: u8, most: usize) -> impl Strategy<Value = Vec<(u8, Act)>> {
    // A pipeline that is hidden while it is read, and shown before the next sync, leaves no trace.
    let not_hidden = act().prop_filter("hidden", |act| !matches!(act, Act::Hide { .. }));
    vec((0..requests, not_hidden), 0..most)
}

fn streams() -> impl Strategy<Value = Streams> {
    prop_oneof![
        4 => Just(Streams::Both),
        1 => Just(Streams::Builds),
        1 => Just(Streams::Jobs),
    ]
}

fn sync_in_parts() -> impl Strategy<Value = SyncInParts> {
    let at_most = prop::sample::select(vec![1, 4, 16]);
    let order = vec(any::<u8>(), 16);
    let skew = -LARGEST_LAG_MS..LARGEST_LAG_MS;
    let wait = prop_oneof![Just(0), 0..400_u32];
    (streams(), at_most, order, wait, meanwhile(40, 12), skew).prop_map(
        |(streams, at_most, order, wait_seconds, meanwhile, skew_ms)| SyncInParts {
            streams,
            at_most,
            order,
            wait_seconds,
            meanwhile,
            skew_ms,
        },
    )
}

fn sync() -> impl Strategy<Value = Sync> {
    let deaths = vec(0..60_u8, 0..4);
    let skew = -LARGEST_LAG_MS..LARGEST_LAG_MS;
    (streams(), deaths, any::<bool>(), meanwhile(20, 5), skew).prop_map(
        |(streams, deaths, writes_ahead, meanwhile, skew_ms)| Sync {
            streams,
            deaths,
            writes_ahead,
            meanwhile,
            skew_ms,
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    let late = prop_oneof![3 => Just(0), 2 => 0..LARGEST_LAG_MS];
    let twins = prop_oneof![12 => Just(1), 1 => 2..7_u8];
    prop_oneof![
        8 => (0..PIPELINES, 1..4_u8, late, twins).prop_map(|(pipeline, jobs, late_ms, twins)| Act::Create { pipeline, jobs, late_ms, twins }),
        24 => (0..12_u8, moved()).prop_map(|(build, to)| Act::Move { build, to }),
        1 => (0..PIPELINES, 0..100_u8).prop_map(|(pipeline, name)| Act::Rename { pipeline, name }),
        1 => (0..PIPELINES).prop_map(|pipeline| Act::Delete { pipeline }),
        1 => (0..PIPELINES).prop_map(|pipeline| Act::Hide { pipeline }),
        1 => (0..PIPELINES).prop_map(|pipeline| Act::Show { pipeline }),
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

impl History {
    /// The world before the first step.
    pub(super) fn world(&self) -> World {
        let mut world = World::empty();
        world.skipped_builds_have_no_end(self.skipped_has_no_end);
        world.blocked_builds_have_no_end(self.blocked_has_no_end);
        for pipeline in 0..PIPELINES {
            world.add_pipeline(ORGANIZATION, &slug(pipeline));
        }
        for build in 0..self.older {
            let at = world.now() - TimeDelta::minutes(7) * i32::from(self.older - build);
            let fixture = BuildFixture::new(ORGANIZATION, &slug(build % PIPELINES));
            world.create_build(fixture.created_at(at).job(JobFixture::script("test")));
        }
        world
    }
}

fn slug(pipeline: u8) -> String {
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
                if let Some(old) = pipeline_of(world, *pipeline) {
                    world.rename_pipeline(ORGANIZATION, &old, &format!("renamed-{name}"));
                }
            }
            Self::Delete { pipeline } => {
                if let Some(slug) = pipeline_of(world, *pipeline) {
                    world.delete_pipeline(ORGANIZATION, &slug);
                }
            }
            Self::Hide { pipeline } => {
                if let Some(slug) = pipeline_of(world, *pipeline) {
                    world.hide_pipeline(ORGANIZATION, &slug);
                }
            }
            Self::Show { pipeline } => {
                if let Some(slug) = pipeline_of(world, *pipeline) {
                    world.show_pipeline(ORGANIZATION, &slug);
                }
            }
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

fn pipeline_of(world: &World, index: u8) -> Option<String> {
    let slugs = world.pipeline_slugs(ORGANIZATION);
    let index = usize::from(index).checked_rem(slugs.len())?;
    slugs.get(index).cloned()
}

fn create(world: &mut World, pipeline: u8, jobs: u8, late_ms: i64) {
    let slug = pipeline_of(world, pipeline).unwrap_or_else(|| slug(pipeline));
    let at = world.now() - TimeDelta::milliseconds(late_ms);
    let mut fixture = BuildFixture::new(ORGANIZATION, &slug)
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
