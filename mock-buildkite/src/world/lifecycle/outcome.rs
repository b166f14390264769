//! How the jobs of builds that run by themselves end: by their command, by rules, or by chance.

use super::job;
use crate::document::Document;
use crate::rng::Rng;
use crate::world::World;

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobOutcome {
    /// With exit status 0.
    Passed,
    /// With this exit status, which is not 0.
    Failed(i64),
    /// It ran too long.
    TimedOut,
    /// Its agent was lost.
    AgentLost,
    /// It was canceled.
    Canceled,
}

impl JobOutcome {
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) | Self::AgentLost => "failed",
            Self::TimedOut => "timed_out",
            Self::Canceled => "canceled",
        }
    }

    pub(super) fn exit_status(self) -> Option<i64> {
        match self {
            Self::Passed => Some(0),
            Self::Failed(status) => Some(status),
            Self::TimedOut | Self::AgentLost | Self::Canceled => Some(-1),
        }
    }

    pub(super) fn signal_reason(self) -> Option<&'static str> {
        match self {
            Self::AgentLost => Some("agent_stop"),
            Self::Canceled => Some("cancel"),
            _ => None,
        }
    }

    pub(super) fn has_failed(self) -> bool {
        !matches!(self, Self::Passed | Self::Canceled)
    }
}

/// Which jobs end how, in builds that run by themselves. The first rule that fits decides; without
/// one the command does: `exit 3` and `false` fail.
///
/// ```
/// use mock_buildkite::{JobOutcome, JobRule, World};
///
/// let mut world = World::empty();
/// world.add_job_rule(JobRule::new("Unit tests*", JobOutcome::Failed(1)).times(2));
/// world.add_job_rule(JobRule::new("*", JobOutcome::AgentLost).chance(0.05, 7));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct JobRule {
    pattern: String,
    outcome: JobOutcome,
    /// How many more jobs it decides.
    times: u32,
    chance: Option<(f64, Rng)>,
}

impl JobRule {
    /// A rule for all jobs whose name, step key or command matches a pattern, in which `*` stands for
    /// anything.
    pub fn new(pattern: &str, outcome: JobOutcome) -> Self {
        Self {
            pattern: pattern.to_owned(),
            outcome,
            times: u32::MAX,
            chance: None,
        }
    }

    /// Decides this many jobs and no more.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Decides each job with this probability, from 0 to 1. The same seed decides the same ones.
    pub fn chance(self, probability: f64, seed: u64) -> Self {
        Self {
            chance: Some((probability, Rng::of(&[seed, 61]))),
            ..self
        }
    }

    /// The outcome of a job, if the rule decides it.
    fn decide(&mut self, names: &[String]) -> Option<JobOutcome> {
        let fits = names
            .iter()
            .any(|name| crate::pattern::matches(&self.pattern, name));
        let is_drawn = |(probability, rng): &mut (f64, Rng)| rng.chance(*probability);
        if self.times == 0 || !fits || !self.chance.as_mut().is_none_or(is_drawn) {
            return None;
        }
        if self.times != u32::MAX {
            self.times -= 1;
        }
        Some(self.outcome)
    }
}

impl World {
    /// Adds a rule for the jobs of builds that run by themselves. Earlier rules come first.
    pub fn add_job_rule(&mut self, rule: JobRule) {
        self.job_rules.push(rule);
    }

    /// How a job that runs by itself ends.
    pub(super) fn job_outcome(&mut self, _build: &str, one: &Document) -> JobOutcome {
        let names = job::names(one);
        if self.autoplay.is_to_fail(&names) {
            return JobOutcome::Failed(1);
        }
        let mut rules = self.job_rules.iter_mut();
        if let Some(outcome) = rules.find_map(|rule| rule.decide(&names)) {
            return outcome;
        }
        match exit_status(&one.text("command").unwrap_or_default()) {
            0 => JobOutcome::Passed,
            status => JobOutcome::Failed(status),
        }
    }
}

/// The exit status that a command asks for: that of its first `exit N`, or 1 for `false`.
fn exit_status(command: &str) -> i64 {
    let statements = command.lines().flat_map(|line| line.split([';', '&']));
    let mut statements = statements.map(str::trim);
    statements
        .find_map(|statement| match statement.split_once(' ') {
            Some(("exit", status)) => status.trim().parse().ok(),
            None if statement == "false" => Some(1),
            None if statement == "exit" => Some(0),
            _ => None,
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_how_it_ends() {
        for (command, expected) in [
            ("make test", 0),
            ("echo hi && exit 3", 3),
            ("echo hi\nexit 0\nexit 2", 0),
            ("false", 1),
            ("exit", 0),
            ("echo \"do not exit\"", 0),
        ] {
            assert_eq!(exit_status(command), expected, "{command}");
        }
    }
}
