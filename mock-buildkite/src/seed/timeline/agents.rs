//! The agents of a queue: which of them takes a job, and when.

use std::collections::BTreeSet;

use crate::rng::Rng;

/// Nobody waits longer for an agent: another one is started. Milliseconds.
const LONGEST_WAIT: i64 = 40 * 60_000;

/// Index of the agent of the first queue that loses jobs.
pub(crate) const BAD_AGENT: usize = 1;

/// The most agents of one queue.
const MOST_AGENTS: usize = 60_000;

/// What an agent has done. Milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentUse {
    /// When it first took a job, or began to wait for one.
    pub(crate) since: i64,
    pub(crate) free: i64,
    /// When it last ended a job before the present; 0 for never.
    pub(crate) last: i64,
}

/// The agents of one queue.
#[derive(Debug)]
pub(super) struct Pool {
    agents: Vec<AgentUse>,
    /// When agents are free, and their indices.
    free: BTreeSet<(i64, usize)>,
    usual: usize,
}

impl Pool {
    /// A pool for this much work, in milliseconds of jobs, over this time.
    pub(super) fn new(work: i64, span: i64, since: i64) -> Self {
        let enough = work * 3 / (span * 2).max(1);
        let usual = usize::try_from(enough).unwrap_or(0).clamp(2, 400);
        let idle = AgentUse {
            since,
            free: since,
            last: 0,
        };
        Self {
            agents: vec![idle; usual],
            free: (0..usual).map(|at| (since, at)).collect(),
            usual,
        }
    }

    /// The agent that takes a job which is runnable now, and when it starts.
    pub(super) fn take(&mut self, now: i64, rng: &mut Rng) -> (usize, i64) {
        let ready = now + rng.skewed(700, 9_000);
        let spare = rng.index(self.usual);
        if self.agents[spare].free <= ready {
            return (spare, ready);
        }
        let (free, first) = self.free.first().copied().unwrap_or((ready, 0));
        if free - now <= LONGEST_WAIT || self.agents.len() >= MOST_AGENTS {
            return (first, free.max(ready));
        }
        let since = now + LONGEST_WAIT;
        self.free.insert((since, self.agents.len()));
        self.agents.push(AgentUse {
            since,
            free: since,
            last: 0,
        });
        (self.agents.len() - 1, since)
    }

    /// When this agent can take a job which is runnable now.
    pub(super) fn take_this(&self, agent: usize, now: i64, rng: &mut Rng) -> (usize, i64) {
        let agent = agent.min(self.agents.len() - 1);
        let ready = now + rng.skewed(700, 9_000);
        (agent, ready.max(self.agents[agent].free))
    }

    /// An agent works until this time.
    pub(super) fn occupy(&mut self, agent: usize, until: i64, now: i64) {
        if until <= now {
            let last = &mut self.agents[agent].last;
            *last = until.max(*last);
        }
        let free = until + 900;
        self.free.remove(&(self.agents[agent].free, agent));
        self.free.insert((free, agent));
        self.agents[agent].free = free;
    }

    pub(super) fn into_agents(self) -> Vec<AgentUse> {
        self.agents
    }
}
