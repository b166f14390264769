//! The facts of a seeded build: everything that a filter asks, without its text.

use super::words::{BRANCHES, MESSAGES};
use super::{Placed, Seeded};
use uuid::Uuid;

use crate::rng::Rng;

/// What is true of one build. Cheap to work out again.
#[derive(Debug, Clone)]
pub(crate) struct BuildPlan {
    pub(crate) ordinal: usize,
    pub(crate) id: Uuid,
    pub(crate) pipeline: usize,
    pub(crate) number: u32,
    pub(crate) state: &'static str,
    pub(crate) blocked: bool,
    pub(crate) branch: String,
    pub(crate) commit: String,
    pub(crate) source: &'static str,
    /// Which person of the organization wrote the commit.
    pub(crate) person: usize,
    pub(crate) has_creator: bool,
    pub(crate) message: &'static str,
    pub(crate) pull_request: Option<u64>,
    pub(crate) has_long_env: bool,
    pub(crate) author_is_text: bool,
    pub(crate) is_rebuild: bool,
    pub(crate) created: i64,
    pub(crate) scheduled: i64,
    pub(crate) started: Option<i64>,
    pub(crate) finished: Option<i64>,
    pub(crate) layout: Layout,
}

/// Which kinds of jobs the build has besides commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) has_block: bool,
    pub(crate) has_trigger: bool,
    pub(crate) has_retry: bool,
    pub(crate) has_parallel: bool,
}

/// State and times of a build, decided together.
struct Fate {
    state: &'static str,
    blocked: bool,
    started: Option<i64>,
    finished: Option<i64>,
}

impl BuildPlan {
    /// The build with this ordinal, oldest first.
    pub(crate) fn of(world: &Seeded, ordinal: usize) -> Self {
        let Placed {
            pipeline,
            number,
            created,
        } = world.builds[ordinal];
        let mut rng = Rng::of(&[world.seed, 11, ordinal as u64]);
        let id = rng.uuid(created);
        let scheduled = created + rng.skewed(20, 400);
        let fate = Fate::of(&mut rng, world, scheduled);
        let source = match rng.below(10) {
            0 => "schedule",
            1 => "ui",
            2 => "api",
            _ => "webhook",
        };
        let is_topic = rng.percent(40);
        let person = rng.below(6) as usize;
        let topic = rng.below(90) + 10;
        Self {
            ordinal,
            id,
            pipeline,
            number,
            state: fate.state,
            blocked: fate.blocked,
            branch: if is_topic {
                format!("feature/dev-{topic}")
            } else {
                rng.pick(&BRANCHES).to_owned()
            },
            commit: if source == "schedule" && fate.started.is_none() {
                "HEAD".to_owned()
            } else {
                rng.hex(40)
            },
            source,
            person,
            has_creator: matches!(source, "ui" | "api") || (source == "webhook" && rng.percent(30)),
            message: rng.pick(&MESSAGES),
            pull_request: (is_topic && source == "webhook").then(|| rng.below(9000) + 1),
            has_long_env: rng.percent(8),
            author_is_text: rng.percent(1),
            is_rebuild: rng.percent(8),
            created,
            scheduled,
            started: fate.started,
            finished: fate.finished,
            layout: Layout {
                has_block: fate.blocked || rng.percent(30),
                has_trigger: rng.percent(15),
                has_retry: rng.percent(15),
                has_parallel: rng.percent(40),
            },
        }
    }
}

impl Fate {
    /// A build younger than its own length is still open; the others ended in one of the ways.
    fn of(rng: &mut Rng, world: &Seeded, scheduled: i64) -> Self {
        let waits = rng.skewed(1_000, 400_000);
        let takes = rng.skewed(20_000, 5_400_000);
        let way = rng.below(100);
        let started = scheduled + waits;
        let finished = started + takes;
        let open = |state, started| Self {
            state,
            blocked: false,
            started,
            finished: None,
        };
        if started > world.now {
            return open("scheduled", None);
        }
        if finished > world.now {
            let state = match way {
                0..10 => "canceling",
                10..30 => "failing",
                _ => "running",
            };
            return open(state, Some(started));
        }
        let over = |state, blocked, started| Self {
            state,
            blocked,
            started,
            finished: Some(finished),
        };
        let can_block = world.jobs_per_build >= 6;
        match way {
            0..2 => over("not_run", false, None),
            2..5 => over("skipped", false, None),
            5..7 => over("canceled", false, None),
            7..11 => over("canceled", false, Some(started)),
            11..35 => over("failed", false, Some(started)),
            35..50 => over("passed", can_block, Some(started)),
            _ => over("passed", false, Some(started)),
        }
    }
}
