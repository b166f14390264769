//! Recipes: the steps that builds of a pipeline are made of, and what is special about them.
//!
//! A build has an exact number of jobs. Its parallel step takes the jobs that no other step needs,
//! less one for each retry.

use super::words::PIPELINES;

/// What a pipeline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Tests and builds a service; `main` can be deployed.
    Service,
    /// Is triggered by services.
    Deploy,
    /// Tests and builds something that is never deployed.
    Library,
    /// Runs on a schedule.
    Nightly,
}

impl Role {
    /// The role of the pipeline number `index`, counted from 0.
    pub(crate) fn of(index: usize) -> Self {
        match PIPELINES[index % PIPELINES.len()] {
            "Deploy" => Self::Deploy,
            "Nightly" => Self::Nightly,
            "Docs" | "Infra" => Self::Library,
            _ => Self::Service,
        }
    }
}

/// A step of a recipe.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) label: &'static str,
    pub(crate) command: &'static str,
    pub(crate) key: &'static str,
    /// Index of its queue.
    pub(crate) queue: usize,
    /// How long it usually runs.
    pub(crate) seconds: i64,
    pub(crate) trait_of: Trait,
    pub(crate) artifact_paths: Option<&'static str>,
}

/// What is special about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trait {
    Ordinary,
    /// Fails now and then, and passes when it is retried.
    Flaky,
    /// May fail without failing the build.
    SoftFail,
    /// Takes half as long again since the last third of the time.
    Slower,
    /// Runs as parallel jobs.
    Parallel,
    /// Runs one at a time.
    Concurrency,
}

const fn step(
    label: &'static str,
    command: &'static str,
    key: &'static str,
    queue: usize,
    seconds: i64,
    trait_of: Trait,
) -> Step {
    Step {
        label,
        command,
        key,
        queue,
        seconds,
        trait_of,
        artifact_paths: None,
    }
}

/// The step that every build begins with.
pub(crate) const UPLOAD: Step = step(
    ":pipeline: Upload",
    "buildkite-agent pipeline upload .buildkite/generated.yml",
    "upload",
    0,
    14,
    Trait::Ordinary,
);

/// The flaky step, which runs before the wait step.
pub(crate) const FLAKY: usize = 1;
/// The parallel step.
pub(crate) const PARALLEL: usize = 2;

/// Steps before the wait step, most important first.
#[rustfmt::skip]
pub(crate) const FIRST_STAGE: [Step; 6] = [
    step(":eslint: Lint", "yarn install --frozen-lockfile\nyarn lint", "lint", 0, 75, Trait::Ordinary),
    step("End to end tests, browser group", "echo \"+++ :test_tube: Command (1/1): bash .buildkite/scripts/e2e.sh 45m\"\nbash .buildkite/scripts/e2e.sh 45m\n", "e2e", 1, 520, Trait::Flaky),
    Step { artifact_paths: Some("log/**/*"), ..step(":test_tube: Unit tests", ".buildkite/scripts/run.sh test --group unit --report", "unit-tests", 0, 240, Trait::Parallel) },
    step("Integration tests (PostgreSQL 16)", "make ci-test CI_GROUP=integration", "integration", 1, 430, Trait::Ordinary),
    step("Contract tests against payment service", "pytest -x -v -s tests/contract --num-shards=$BUILDKITE_PARALLEL_JOB_COUNT", "contract", 0, 160, Trait::Ordinary),
    step("Überprüfung der Übersetzungen", "./gradlew check", "translations", 0, 60, Trait::Ordinary),
];

/// Steps after the wait step.
#[rustfmt::skip]
pub(crate) const SECOND_STAGE: [Step; 4] = [
    Step { artifact_paths: Some("dist/**/*"), ..step(":docker: Build image (linux/amd64)", "docker build --tag \"widgets:$BUILDKITE_COMMIT\" . && docker push \"widgets:$BUILDKITE_COMMIT\"", "image", 1, 380, Trait::Slower) },
    step("Security scan of dependencies", "cargo audit --deny warnings", "security-scan", 0, 120, Trait::SoftFail),
    step(":package: Package for macOS", "make package PLATFORM=macos", "package-macos", 2, 300, Trait::Ordinary),
    step("Documentation: build and link check", "cargo doc --workspace --locked", "docs", 0, 140, Trait::Ordinary),
];

/// The command that runs after the block step.
pub(crate) const DEPLOY: Step = step(
    ":rocket: Publish release notes",
    "make release-notes",
    "release-notes",
    0,
    45,
    Trait::Concurrency,
);

/// The command that runs after the block step where there is no pipeline to trigger.
pub(crate) const ROLLOUT: Step = step(
    ":truck: Roll out",
    "make rollout ENVIRONMENT=production",
    "rollout",
    0,
    150,
    Trait::Ordinary,
);

/// What stands at one place of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Upload,
    /// A step of the first stage.
    First(usize),
    Waiter,
    /// A step of the second stage.
    Second(usize),
    Block,
    Deploy,
    Trigger,
    Rollout,
}

/// Where the jobs of builds of one pipeline stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) jobs: usize,
    /// True if builds of `main` end with a block step and what it releases: a command, and either
    /// a trigger step or another command.
    pub(crate) is_deployed: bool,
    has_target: bool,
}

impl Recipe {
    pub(crate) fn new(role: Role, jobs: usize, has_target: bool) -> Self {
        Self {
            jobs,
            is_deployed: role == Role::Service && jobs >= 8,
            has_target,
        }
    }

    /// The place of the wait step.
    pub(crate) fn waiter(self) -> Option<usize> {
        (self.jobs >= 4).then_some(self.jobs / 2)
    }

    /// The jobs of the first stage.
    pub(crate) fn first_stage(self) -> usize {
        self.waiter().unwrap_or(self.jobs).saturating_sub(1)
    }

    /// The places of the second stage.
    fn second_stage(self) -> std::ops::Range<usize> {
        let end = self.jobs - if self.is_deployed { 3 } else { 0 };
        self.waiter().map_or(end..end, |waiter| waiter + 1..end)
    }

    /// The number of parallel jobs in a build with this many retries; 0 if there is no such step.
    pub(crate) fn parallel(self, retries: usize) -> usize {
        let first = self.first_stage();
        let others = self.first_steps().iter().filter(|at| **at != PARALLEL);
        if first <= PARALLEL {
            return 0;
        }
        first.saturating_sub(others.count() + retries)
    }

    /// The steps of the first stage.
    pub(crate) fn first_steps(self) -> &'static [usize] {
        match self.first_stage() {
            0 => &[],
            1 => &[0],
            2 => &[0, 1],
            3..=7 => &[0, 1, 2],
            _ => &[0, 1, 2, 3, 4, 5],
        }
    }

    /// Whether builds have room for a retried job.
    pub(crate) fn has_retries(self) -> bool {
        self.parallel(1) > 0
    }

    /// The slots of a build, in the order of its jobs. The retried step comes twice.
    pub(crate) fn slots(self, retried: Option<usize>) -> Vec<Slot> {
        let mut slots = vec![Slot::Upload; self.jobs.min(1)];
        for step in self.first_steps() {
            let is_retried = usize::from(retried == Some(*step));
            let count = match *step {
                PARALLEL => self.parallel(usize::from(retried.is_some())) + is_retried,
                _ => 1 + is_retried,
            };
            slots.extend(std::iter::repeat_n(Slot::First(*step), count));
        }
        if self.waiter().is_some() {
            slots.push(Slot::Waiter);
        }
        for at in self.second_stage() {
            let step = at - self.second_stage().start;
            slots.push(Slot::Second(step % SECOND_STAGE.len()));
        }
        if self.is_deployed {
            let last = if self.has_target {
                Slot::Trigger
            } else {
                Slot::Rollout
            };
            slots.extend([Slot::Block, Slot::Deploy, last]);
        }
        slots.truncate(self.jobs);
        slots
    }
}

impl Slot {
    /// The step of a command.
    pub(crate) fn step(self) -> Option<&'static Step> {
        match self {
            Self::Upload => Some(&UPLOAD),
            Self::First(at) => Some(&FIRST_STAGE[at]),
            Self::Second(at) => Some(&SECOND_STAGE[at]),
            Self::Deploy => Some(&DEPLOY),
            Self::Rollout => Some(&ROLLOUT),
            Self::Waiter | Self::Block | Self::Trigger => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_exactly_the_jobs_of_its_recipe() {
        for jobs in 0..80 {
            for role in [Role::Service, Role::Library] {
                let recipe = Recipe::new(role, jobs, true);
                assert_eq!(recipe.slots(None).len(), jobs, "{jobs} {role:?}");
                if recipe.has_retries() {
                    assert_eq!(recipe.slots(Some(FLAKY)).len(), jobs, "{jobs} {role:?}");
                    assert_eq!(recipe.slots(Some(PARALLEL)).len(), jobs, "{jobs} {role:?}");
                }
            }
        }
    }
}
