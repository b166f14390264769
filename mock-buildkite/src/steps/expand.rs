//! From steps to the jobs of a new build.

use serde_json::{Value, json};

use super::matrix::{combinations, filled};
use super::{Facts, Kind, Step, holds};
use crate::fixture::JobFixture;
use crate::pattern::is_in_branch_filter;

/// A job of a new build, with what its object does not show.
pub(crate) struct Expanded {
    pub(crate) fixture: JobFixture,
    /// Index of its step.
    pub(crate) step: usize,
    /// Indices of the steps that must end first.
    pub(crate) depends_on: Vec<usize>,
}

/// The jobs of a build, in their order.
pub(crate) fn expand(steps: &[Step], facts: &Facts) -> Vec<Expanded> {
    let mut barrier = Barrier::default();
    let mut jobs = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let is_barrier = barrier.is_barrier(step);
        let depends_on = match &step.depends_on {
            // What a wait or block step waits for comes before it, so that none waits for itself.
            Some(keys) if is_barrier => indices(&steps[..at], keys),
            Some(keys) => indices(steps, keys),
            None if is_barrier => barrier.everything(),
            None => barrier.dependencies(),
        };
        let broken = broken_reason(step, facts);
        let state = state(steps, step, &depends_on, broken);
        for fixture in fixtures(step, at, state, broken) {
            jobs.push(Expanded {
                fixture,
                step: at,
                depends_on: depends_on.clone(),
            });
        }
        if broken.is_none() {
            barrier.pass(at, step);
        }
    }
    jobs
}

/// The steps that the next step waits for unless it says otherwise: the last wait or block step,
/// and for such a step everything since the one before.
#[derive(Default)]
struct Barrier {
    last: Option<usize>,
    since: Vec<usize>,
}

impl Barrier {
    fn dependencies(&self) -> Vec<usize> {
        self.last.into_iter().collect()
    }

    /// What a wait or block step waits for: the last one, and all steps since.
    fn everything(&self) -> Vec<usize> {
        self.last
            .into_iter()
            .chain(self.since.iter().copied())
            .collect()
    }

    fn is_barrier(&self, step: &Step) -> bool {
        match &step.kind {
            Kind::Wait { .. } => true,
            Kind::Manual { holds, .. } => *holds,
            _ => false,
        }
    }

    fn pass(&mut self, at: usize, step: &Step) {
        if self.is_barrier(step) {
            self.last = Some(at);
            self.since.clear();
        } else {
            self.since.push(at);
        }
    }
}

/// The steps with these keys, or in groups with these keys.
fn indices(steps: &[Step], keys: &[String]) -> Vec<usize> {
    let named = steps.iter().enumerate().filter(|(_, step)| {
        let is_named = |key: &Option<String>| key.as_ref().is_some_and(|key| keys.contains(key));
        is_named(&step.key) || is_named(&step.group)
    });
    named.map(|(at, _)| at).collect()
}

/// Why a step does not apply to a build.
fn broken_reason(step: &Step, facts: &Facts) -> Option<&'static str> {
    let branch = facts.build["branch"].as_str().unwrap_or_default();
    if let Some(branches) = &step.branches
        && !is_in_branch_filter(branches, branch)
    {
        return Some("branch_mismatch");
    }
    let condition = step.condition.as_ref()?;
    (holds(condition, facts) == Some(false)).then_some("conditional_failed")
}

/// The state of a step's jobs in a new build.
fn state(steps: &[Step], step: &Step, depends_on: &[usize], broken: Option<&str>) -> &'static str {
    let is_skipped = matches!(&step.kind, Kind::Command(command) if command.skip.is_some());
    let is_after_block = depends_on.iter().any(|at| is_blocked(steps, *at));
    if broken.is_some() {
        "broken"
    } else if is_skipped {
        "skipped"
    } else if matches!(step.kind, Kind::Manual { .. }) || is_after_block {
        "blocked"
    } else if depends_on.is_empty() {
        "scheduled"
    } else {
        "waiting"
    }
}

/// Whether a step is a block step or comes after one.
fn is_blocked(steps: &[Step], at: usize) -> bool {
    let before = steps[..at].iter();
    let is_block = |step: &Step| matches!(step.kind, Kind::Manual { holds: true, .. });
    is_block(&steps[at])
        || matches!(steps[at].kind, Kind::Manual { .. })
        || (matches!(steps[at].kind, Kind::Wait { .. }) && before.clone().any(is_block))
}

fn fixtures(step: &Step, at: usize, state: &str, broken: Option<&str>) -> Vec<JobFixture> {
    let label = step.label.clone();
    let job = match &step.kind {
        Kind::Wait { .. } => return vec![JobFixture::waiter()],
        Kind::Manual { fields, .. } => {
            let label = label.unwrap_or_default();
            JobFixture::manual(&label).field("fields", fields.clone())
        }
        Kind::Trigger(trigger) => {
            let name = label.unwrap_or_else(|| trigger.pipeline.clone());
            JobFixture::trigger(&name).field("async", trigger.is_async)
        }
        Kind::Command(_) => return commands(step, at, state, broken),
    };
    vec![keyed(job, step).state(state)]
}

fn keyed(job: JobFixture, step: &Step) -> JobFixture {
    let job = match &step.key {
        Some(key) => job.step_key(key),
        None => job,
    };
    match &step.group {
        Some(group) => job.group_key(group),
        None => job,
    }
}

/// One job for each combination of a matrix and each parallel part.
fn commands(step: &Step, at: usize, state: &str, broken: Option<&str>) -> Vec<JobFixture> {
    let Kind::Command(command) = &step.kind else {
        return Vec::new();
    };
    let mut jobs = Vec::new();
    for combination in combinations(&command.matrix) {
        let parts = command.parallelism.unwrap_or(1);
        for part in 0..parts {
            let label = step.label.as_ref().map(|label| filled(label, &combination));
            let text = filled(&command.command, &combination);
            let rules: Vec<_> = command
                .agents
                .iter()
                .map(|rule| filled(rule, &combination))
                .collect();
            let mut job = JobFixture::script("")
                .field("name", label.map_or(Value::Null, Value::from))
                .field(
                    "command",
                    if text.is_empty() {
                        Value::Null
                    } else {
                        text.into()
                    },
                )
                .field("agent_query_rules", rules)
                .field("artifact_paths", json!(command.artifact_paths))
                .field("priority", json!({"number": command.priority}))
                .field("broken_reason", json!(broken))
                .step(at);
            if parts > 1 || command.parallelism.is_some() {
                job = job
                    .field("parallel_group_index", part)
                    .field("parallel_group_total", parts);
            }
            if !combination.is_empty() {
                job = job.field("matrix", Value::Object(combination.clone()));
            }
            jobs.push(keyed(job, step).state(state));
        }
    }
    jobs
}
