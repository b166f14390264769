//! What a seeded build looks like at a time: everything that a filter needs, without its text.

use uuid::Uuid;

use super::Seeded;
use super::recipe::Role;
use super::timeline::{BuildTimes, NEVER, Offset, Plan};
use super::words::{BRANCHES, MESSAGES};
use crate::rng::Rng;

/// A build as it looks at a time. Cheap to derive again.
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
    /// Index of the person who wrote the commit.
    pub(crate) person: usize,
    pub(crate) has_creator: bool,
    pub(crate) message: &'static str,
    pub(crate) pull_request: Option<u64>,
    pub(crate) has_merge_queue: bool,
    pub(crate) has_long_env: bool,
    pub(crate) author_is_text: bool,
    pub(crate) created: i64,
    pub(crate) scheduled: i64,
    pub(crate) started: Option<i64>,
    pub(crate) failing: Option<i64>,
    pub(crate) finished: Option<i64>,
}

/// State and times of a build at a time.
#[derive(Debug, Clone, Copy)]
struct Standing {
    state: &'static str,
    blocked: bool,
    started: Option<i64>,
    finished: Option<i64>,
}

impl BuildPlan {
    /// The build with this ordinal, oldest first, at the time of the seed.
    pub(crate) fn of(world: &Seeded, ordinal: usize) -> Self {
        let times = &world.timelines.builds[ordinal];
        let identity = times.arrival.identity;
        let role = world.pipelines[times.arrival.pipeline].role;
        let mut own = Rng::of(&[world.seed, 13, ordinal as u64]);
        let mut commit = Rng::of(&[world.seed, 14, identity]);
        let standing = Standing::of(times, world.now);
        let source = source(times, role, &mut own);
        let branch = branch(times.arrival.is_main, &mut commit);
        let is_topic = branch.starts_with("feature/");
        let has_merge_queue = branch.starts_with("gh-readonly-queue/");
        let hash = commit.hex(40);
        let is_unresolved = source == "schedule" && standing.started.is_none();
        Self {
            ordinal,
            id: own.uuid(times.created),
            pipeline: times.arrival.pipeline,
            number: world.numbers[ordinal],
            state: standing.state,
            blocked: standing.blocked,
            commit: if is_unresolved {
                "HEAD".to_owned()
            } else {
                hash
            },
            person: commit.index(6),
            message: commit.pick(&MESSAGES),
            pull_request: (is_topic && source == "webhook").then(|| commit.below(9000) + 1),
            has_merge_queue,
            branch,
            has_creator: matches!(source, "ui" | "api" | "trigger_job")
                || (source == "webhook" && own.percent(30)),
            source,
            has_long_env: own.percent(8),
            author_is_text: own.percent(2),
            created: times.created,
            scheduled: times.created + own.skewed(20, 400),
            started: standing.started,
            failing: times.at(times.failing, world.now),
            finished: standing.finished,
        }
    }
}

fn source(times: &BuildTimes, role: Role, rng: &mut Rng) -> &'static str {
    if times.parent.is_some() {
        return "trigger_job";
    }
    if times.original.is_some() {
        return "api";
    }
    match rng.below(20) {
        _ if role == Role::Nightly => "schedule",
        0 => "schedule",
        1 => "ui",
        2 | 3 => "api",
        _ => "webhook",
    }
}

fn branch(is_main: bool, rng: &mut Rng) -> String {
    let topic = rng.below(90) + 10;
    match rng.below(100) {
        _ if is_main => "main".to_owned(),
        0..70 => format!("feature/dev-{topic}"),
        70..76 => format!("gh-readonly-queue/main/pr-{topic}-0000{topic}"),
        _ => rng.pick(&BRANCHES).to_owned(),
    }
}

impl BuildTimes {
    /// An offset as a time, if it is not after `now`.
    pub(super) fn at(&self, offset: Offset, now: i64) -> Option<i64> {
        let time = self.created + i64::from(offset);
        (offset != NEVER && time <= now).then_some(time)
    }
}

impl Standing {
    fn of(times: &BuildTimes, now: i64) -> Self {
        let at = |offset| times.at(offset, now);
        let started = at(times.restarted).or(at(times.started));
        let over = |state, blocked, started, finished| Self {
            state,
            blocked,
            started,
            finished,
        };
        if let Some(finished) = at(times.finished) {
            return match times.arrival.plan {
                Plan::NotRun => over("not_run", false, None, Some(finished)),
                Plan::Skipped => over("skipped", false, None, Some(finished)),
                _ if times.canceled != NEVER => over("canceled", false, started, Some(finished)),
                _ if times.has_failed => over("failed", false, started, Some(finished)),
                _ => over("passed", times.is_blocked, started, Some(finished)),
            };
        }
        if at(times.canceled).is_some() {
            return over("canceling", false, started, None);
        }
        let stopped = at(times.stopped).filter(|_| at(times.reopened).is_none());
        if let Some(stopped) = stopped {
            // Between the stop and the restart it looks finished.
            let is_blocked = times.failing == NEVER;
            let state = if is_blocked { "passed" } else { "failed" };
            return over(state, is_blocked, at(times.started), Some(stopped));
        }
        let state = match started {
            None => "scheduled",
            Some(_) if at(times.failing).is_some() && at(times.reopened).is_none() => "failing",
            Some(_) => "running",
        };
        over(state, false, started, None)
    }
}
