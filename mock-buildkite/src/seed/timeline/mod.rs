//! Timelines: when each job of each seeded build became runnable, started and ended, and where.
//!
//! All builds are simulated at once, oldest first, on a limited number of agents, so that queues
//! form when many builds come together. A timeline reaches beyond the present: what a build looks
//! like follows from its timeline and the time at which it is looked at.

mod agents;
mod arrivals;
mod simulation;

pub(crate) use agents::AgentUse;
pub(crate) use arrivals::{Arrival, Plan, Retry, Surroundings};
pub(crate) use simulation::{Input, Line, simulate};

/// Milliseconds after the creation of a build; [`NEVER`] for none.
pub(crate) type Offset = u32;

/// No time.
pub(crate) const NEVER: Offset = Offset::MAX;

/// No agent.
pub(crate) const NO_AGENT: u16 = u16::MAX;

/// The timeline of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobTimes {
    pub(crate) runnable: Offset,
    pub(crate) started: Offset,
    pub(crate) finished: Offset,
    /// Index among the agents of the job's queue.
    pub(crate) agent: u16,
    pub(crate) ending: Ending,
}

impl JobTimes {
    pub(crate) const NONE: Self = Self {
        runnable: NEVER,
        started: NEVER,
        finished: NEVER,
        agent: NO_AGENT,
        ending: Ending::None,
    };
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    None,
    Passed,
    Failed,
    SoftFailed,
    TimedOut,
    /// Its agent was lost.
    Lost,
    Canceled,
}

/// The timeline of a build.
#[derive(Debug, Clone)]
pub(crate) struct BuildTimes {
    pub(crate) arrival: Arrival,
    pub(crate) created: i64,
    /// The build whose trigger step created it.
    pub(crate) parent: Option<usize>,
    /// The build that its trigger step created.
    pub(crate) child: Option<usize>,
    /// The build that it repeats.
    pub(crate) original: Option<usize>,
    pub(crate) started: Offset,
    pub(crate) failing: Offset,
    /// When it stopped before somebody retried a job or unblocked it.
    pub(crate) stopped: Offset,
    /// When somebody did.
    pub(crate) reopened: Offset,
    /// When the first job started after that.
    pub(crate) restarted: Offset,
    pub(crate) canceled: Offset,
    pub(crate) finished: Offset,
    pub(crate) has_failed: bool,
    /// Somebody released its block step.
    pub(crate) is_unblocked: bool,
    /// It ends at a block step that nobody released.
    pub(crate) is_blocked: bool,
}

/// The timelines of all builds, oldest first, and of their jobs.
#[derive(Debug)]
pub(crate) struct Timelines {
    pub(crate) builds: Vec<BuildTimes>,
    /// `jobs_per_build` for each build.
    pub(crate) jobs: Vec<JobTimes>,
    /// The agents of each organization and queue.
    pub(crate) agents: Vec<Vec<Vec<AgentUse>>>,
}
