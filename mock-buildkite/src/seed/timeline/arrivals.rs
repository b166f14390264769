//! Arrivals: when builds are created, in which pipeline, and what will become of them.

use crate::rng::Rng;
use crate::seed::recipe::{FLAKY, PARALLEL, Recipe, Role, SECOND_STAGE};

/// A build before it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) pipeline: usize,
    /// What its commit, branch and message follow from.
    pub(crate) identity: u64,
    pub(crate) is_main: bool,
    pub(crate) plan: Plan,
    pub(crate) retry: Option<Retry>,
    /// It repeats an earlier build if there is one that failed.
    pub(crate) is_rebuild: bool,
}

/// What becomes of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    NotRun,
    Skipped,
    /// Canceled this many milliseconds after its creation.
    Canceled(u32),
    /// A step of the first stage fails.
    FailsFirst(usize),
    /// A step of the second stage fails.
    FailsSecond(usize),
    /// Passes; if it is deployed, somebody unblocks it after this many milliseconds.
    Passes(Option<u32>),
}

/// A job that is retried, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// A flaky test failed; a rule retries the job.
    FlakyAutomatic,
    /// A flaky test failed; somebody retries the job later, this many milliseconds.
    FlakyManual(u32),
    /// The agent was lost.
    Lost,
    /// The job took too long.
    TimedOut,
}

impl Retry {
    /// The step that is retried.
    pub(crate) fn step(self) -> usize {
        match self {
            Self::FlakyAutomatic | Self::FlakyManual(_) => FLAKY,
            Self::Lost | Self::TimedOut => PARALLEL,
        }
    }

    pub(crate) fn is_manual(self) -> bool {
        matches!(self, Self::FlakyManual(_))
    }
}

/// What an arrival depends on besides chance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    pub(crate) seed: u64,
    pub(crate) role: Role,
    pub(crate) recipe: Recipe,
    /// `main` of the pipeline is broken at this time.
    pub(crate) is_red: bool,
    /// The build's steps end before the present, whatever happens.
    pub(crate) is_over: bool,
    /// Its first stage ends before the present, retries included.
    pub(crate) is_old: bool,
}

/// The branch key: `main` or another.
pub(crate) fn is_main(seed: u64, role: Role, identity: u64) -> bool {
    role == Role::Nightly || role == Role::Deploy || Rng::of(&[seed, 15, identity]).percent(45)
}

impl Arrival {
    /// The build with this identity.
    pub(crate) fn new(pipeline: usize, identity: u64, around: Surroundings) -> Self {
        let mut rng = Rng::of(&[around.seed, 11, identity]);
        let is_main = is_main(around.seed, around.role, identity);
        let plan = if around.is_red && is_main {
            Plan::FailsFirst(0)
        } else {
            Plan::draw(&mut rng, is_main, around)
        };
        let may_retry =
            around.is_old && matches!(plan, Plan::Passes(_)) && around.recipe.has_retries();
        Self {
            pipeline,
            identity,
            is_main,
            plan,
            retry: Retry::draw(&mut rng).filter(|_| may_retry),
            is_rebuild: rng.percent(6) && matches!(plan, Plan::Passes(_)),
        }
    }
}

impl Plan {
    fn draw(rng: &mut Rng, is_main: bool, around: Surroundings) -> Self {
        let first = match around.recipe.first_steps() {
            [] => &[0],
            steps => steps,
        };
        let delay = |rng: &mut Rng, from: i64, to: i64| {
            u32::try_from(rng.skewed(from * 1000, to * 1000)).unwrap_or(0)
        };
        match rng.below(1000) {
            0..15 => Self::NotRun,
            15..45 if !is_main => Self::Skipped,
            45..100 => Self::Canceled(delay(rng, 20, 1_500)),
            100..230 => Self::FailsFirst(first[rng.index(first.len())]),
            230..280 => Self::FailsSecond(rng.index(SECOND_STAGE.len())),
            way => {
                let is_unblocked = way < 600 && around.is_over;
                Self::Passes(is_unblocked.then(|| delay(rng, 60, 14_400)))
            }
        }
    }
}

impl Retry {
    fn draw(rng: &mut Rng) -> Option<Self> {
        let later = u32::try_from(rng.skewed(180_000, 2_400_000)).unwrap_or(0);
        match rng.below(100) {
            0..7 => Some(Self::FlakyAutomatic),
            7..11 => Some(Self::FlakyManual(later)),
            11..16 => Some(Self::Lost),
            16..18 => Some(Self::TimedOut),
            _ => None,
        }
    }
}
