//! The script of a build that was created over the API: its steps, and which job is of which step.

use std::collections::HashMap;

use super::job;
use crate::document::{BuildDocument, Document};
use crate::steps::{Kind, Step};

/// What the objects of a build do not show.
#[derive(Debug, Clone)]
pub(in crate::world) struct Script {
    pub(super) steps: Vec<Step>,
    /// Indices of the steps that each step waits for.
    pub(super) depends_on: Vec<Vec<usize>>,
    /// The step of each job, by the job's id.
    jobs: HashMap<String, usize>,
}

impl Script {
    pub(in crate::world) fn new(
        steps: Vec<Step>,
        depends_on: Vec<Vec<usize>>,
        jobs: HashMap<String, usize>,
    ) -> Self {
        Self {
            steps,
            depends_on,
            jobs,
        }
    }

    /// The index of the step of a job.
    pub(super) fn index(&self, job: &Document) -> Option<usize> {
        self.jobs.get(&job.text("id")?).copied()
    }

    /// The step of a job.
    pub(super) fn step(&self, job: &Document) -> Option<&Step> {
        self.steps.get(self.index(job)?)
    }

    /// A new attempt is of the same step.
    pub(super) fn add_attempt(&mut self, old: &str, new: &str) {
        if let Some(step) = self.jobs.get(old).copied() {
            self.jobs.insert(new.to_owned(), step);
        }
    }

    /// The same script for the jobs of a rebuild.
    pub(super) fn for_jobs(&self, old: &[Document], new: &[Document]) -> Self {
        let kept = old.iter().filter(|job| !job.is_true("retried"));
        let pairs = kept
            .zip(new)
            .filter_map(|(old, new)| Some((new.text("id")?, self.index(old)?)));
        Self {
            jobs: pairs.collect(),
            ..self.clone()
        }
    }

    /// Whether everything that a job waits for has ended: none if not, else whether it went well.
    pub(super) fn readiness(&self, build: &BuildDocument, job: &Document) -> Option<bool> {
        self.all(build, self.depends_on.get(self.index(job)?)?)
    }

    /// Whether a job comes after a block step that nobody has released.
    pub(super) fn is_held(&self, build: &BuildDocument, job: &Document) -> bool {
        let blocks = build.jobs().iter().filter(|one| job::is_block(one));
        let blocks: Vec<usize> = blocks.filter_map(|one| self.index(one)).collect();
        self.index(job).is_some_and(|at| self.reaches(at, &blocks))
    }

    /// Whether a step waits for one of these steps, directly or through others.
    fn reaches(&self, step: usize, targets: &[usize]) -> bool {
        let mut seen = vec![false; self.steps.len()];
        let mut open = self.depends_on[step].clone();
        while let Some(at) = open.pop() {
            if targets.contains(&at) {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(&self.depends_on[at]);
            }
        }
        false
    }

    fn all(&self, build: &BuildDocument, steps: &[usize]) -> Option<bool> {
        let mut is_well = true;
        for step in steps {
            is_well &= self.outcome(build, *step)?;
        }
        Some(is_well)
    }

    /// How a step has ended: none if it has not, else whether it went well.
    fn outcome(&self, build: &BuildDocument, step: usize) -> Option<bool> {
        if let Kind::Wait {
            continues_on_failure,
        } = self.steps[step].kind
        {
            let before = self.all(build, &self.depends_on[step])?;
            return Some(before || continues_on_failure);
        }
        let mut is_well = true;
        let jobs = build.jobs().iter();
        for one in jobs.filter(|one| self.index(one) == Some(step) && !one.is_true("retried")) {
            is_well &= outcome(one)?;
        }
        Some(is_well)
    }
}

/// How a job has ended: none if it has not, else whether it went well.
fn outcome(one: &Document) -> Option<bool> {
    let is_in = |states: &[&str]| job::is_in(one, states);
    if is_in(&["passed", "unblocked", "broken", "skipped"]) {
        Some(true)
    } else if is_in(&["failed", "timed_out", "expired", "canceled"]) {
        Some(one.is_true("soft_failed"))
    } else {
        is_in(&["waiting_failed", "blocked_failed", "unblocked_failed"]).then_some(false)
    }
}
