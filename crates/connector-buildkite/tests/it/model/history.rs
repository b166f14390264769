//! Random histories: what happens to builds, and when syncs run and die.

use chrono::TimeDelta;
use mock_buildkite::{BuildFixture, JobFixture, World};
use proptest::collection::vec;
use proptest::prelude::*;

use super::acts::{Act, LARGEST_LAG_MS, ORGANIZATION, OTHER_ORGANIZATION, PIPELINES, act, slug};

pub(super) const LARGEST_CONCURRENCY: u8 = 3;

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
    Wait {
        seconds: u32,
    },
    Sync(Sync),
    SyncInParts(SyncInParts),
    /// A sync from the beginning, of both streams; the host says which rows are open.
    Restart,
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
        1 => Just(Step::Restart),
    ]
}

/// What happens before one of the first requests.
fn meanwhile(requests: u8, most: usize) -> impl Strategy<Value = Vec<(u8, Act)>> {
    // A pipeline that is hidden while it is read, and shown before the next sync, leaves no trace.
    let not_hidden = act().prop_filter("hidden", |act| {
        !matches!(act, Act::Hide { .. } | Act::Leave)
    });
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

impl History {
    /// The world before the first step.
    pub(super) fn world(&self) -> World {
        let mut world = World::empty();
        world.skipped_builds_have_no_end(self.skipped_has_no_end);
        world.blocked_builds_have_no_end(self.blocked_has_no_end);
        for pipeline in 0..PIPELINES {
            world.add_pipeline(ORGANIZATION, &slug(pipeline));
        }
        world.add_pipeline(OTHER_ORGANIZATION, "other");
        for build in 0..self.older {
            let at = world.now() - TimeDelta::minutes(7) * i32::from(self.older - build);
            let fixture = BuildFixture::new(ORGANIZATION, &slug(build % PIPELINES));
            world.create_build(fixture.created_at(at).job(JobFixture::script("test")));
        }
        world
    }
}
