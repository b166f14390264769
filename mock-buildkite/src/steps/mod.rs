//! The steps of a pipeline: read from its configuration, and turned into the jobs of a build.

mod condition;
mod expand;
mod matrix;
mod parse;

use serde_json::{Map, Value, json};

pub(crate) use condition::{Facts, holds};
pub(crate) use expand::{Expanded, expand};
pub(crate) use parse::read;

/// One step, whatever form it was written in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) label: Option<String>,
    pub(crate) key: Option<String>,
    /// The key of the group around it.
    pub(crate) group: Option<String>,
    /// Keys of the steps that it depends on; none for the usual order.
    pub(crate) depends_on: Option<Vec<String>>,
    pub(crate) allows_failure: bool,
    pub(crate) condition: Option<String>,
    pub(crate) branches: Option<String>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Command(Box<Command>),
    Wait {
        continues_on_failure: bool,
    },
    /// A block or input step.
    Manual {
        fields: Value,
        /// The state of a build that it holds.
        blocked_state: Option<String>,
        /// An input step does not hold the steps after it.
        holds: bool,
    },
    Trigger(Box<Trigger>),
}

/// A command step.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Command {
    pub(crate) command: String,
    pub(crate) agents: Vec<String>,
    pub(crate) artifact_paths: Option<String>,
    pub(crate) env: Map<String, Value>,
    pub(crate) plugins: Value,
    pub(crate) parallelism: Option<u64>,
    pub(crate) matrix: Value,
    pub(crate) priority: i64,
    pub(crate) concurrency: Option<(String, u64)>,
    pub(crate) retry: RetryRules,
    pub(crate) soft_fail: SoftFail,
    /// A reason to skip it, which may be empty.
    pub(crate) skip: Option<String>,
    pub(crate) timeout_in_minutes: Option<i64>,
}

/// What the retry settings of a step allow.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RetryRules {
    pub(crate) automatic: Vec<RetryRule>,
    /// A person may retry it; passed ones too.
    pub(crate) is_manual_forbidden: bool,
    pub(crate) permits_passed: bool,
}

/// A rule that retries failed jobs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetryRule {
    /// Exit statuses; none for all.
    pub(crate) exit_statuses: Option<Vec<i64>>,
    pub(crate) limit: u64,
}

/// Which failures do not fail the build.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum SoftFail {
    #[default]
    Never,
    Always,
    With(Vec<i64>),
}

/// A trigger step.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Trigger {
    pub(crate) pipeline: String,
    pub(crate) is_async: bool,
    pub(crate) soft_fail: bool,
    pub(crate) message: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) env: Map<String, Value>,
    pub(crate) meta_data: Map<String, Value>,
}

impl RetryRules {
    /// Whether a rule retries a job with this exit status that was retried this often.
    pub(crate) fn retries(&self, exit_status: i64, retries: u64) -> bool {
        let mut rules = self.automatic.iter();
        rules.any(|rule| {
            let statuses = rule.exit_statuses.as_ref();
            retries < rule.limit && statuses.is_none_or(|known| known.contains(&exit_status))
        })
    }
}

impl SoftFail {
    /// Whether a failure with this exit status does not fail the build.
    pub(crate) fn excuses(&self, exit_status: i64) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::With(statuses) => statuses.contains(&exit_status),
        }
    }
}

impl Step {
    /// The step as a pipeline shows it.
    pub(crate) fn object(&self) -> Value {
        match &self.kind {
            Kind::Wait { .. } => json!({"type": "waiter"}),
            Kind::Manual { .. } => json!({"type": "manual", "label": self.label}),
            Kind::Trigger(trigger) => {
                let name = self.label.as_ref().unwrap_or(&trigger.pipeline);
                json!({"type": "trigger", "name": name})
            }
            Kind::Command(command) => json!({
                "type": "script",
                "name": self.label,
                "command": command.command,
                "artifact_paths": command.artifact_paths,
                "branch_configuration": self.branches,
                "env": command.env,
                "timeout_in_minutes": command.timeout_in_minutes,
                "agent_query_rules": command.agents,
                "concurrency": command.concurrency.as_ref().map(|(_, limit)| limit),
                "parallelism": command.parallelism,
            }),
        }
    }
}
