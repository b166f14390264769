//! What a run of the suite found.

use std::collections::BTreeSet;
use std::fmt;

use connector_core::Error;

use crate::Capability;

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Unproven {
    /// The connector is wrong.
    Failed(String),
    /// Something that the check needs was not given.
    Skipped(String),
    /// The connector does not have what the check is about.
    Absent,
}

/// How a check went.
pub(crate) type Verdict<T = ()> = Result<T, Unproven>;

impl From<Error> for Unproven {
    fn from(error: Error) -> Self {
        Self::Failed(format!("an unexpected error: {error}"))
    }
}

pub(crate) fn failed<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Unproven::Failed(why.into()))
}

pub(crate) fn skipped<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Unproven::Skipped(why.into()))
}

pub(crate) fn absent<T>() -> Verdict<T> {
    Err(Unproven::Absent)
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The connector does what the check claims.
    Passed,
    /// It does not: a sentence on what was seen.
    Failed(String),
    /// The check could not run: a sentence on what was missing.
    Skipped(String),
}

/// One check of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The name of the check.
    pub check: &'static str,
    /// What it is about.
    pub capability: Capability,
    /// How it ended.
    pub ending: Ending,
}

/// All checks of a run, in their order. `Display` is one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One line for each check of what the connector has.
    pub lines: Vec<Line>,
}

impl Report {
    /// Names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.names(|ending| matches!(ending, Ending::Failed(_)))
    }

    /// Names of the checks that were skipped.
    pub fn skipped(&self) -> Vec<&'static str> {
        self.names(|ending| matches!(ending, Ending::Skipped(_)))
    }

    /// Names of the checks that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        self.names(|ending| *ending == Ending::Passed)
    }

    /// The capabilities for which a check ran.
    pub fn capabilities(&self) -> Vec<Capability> {
        let is_run = |line: &&Line| !matches!(line.ending, Ending::Skipped(_));
        let run = self.lines.iter().filter(is_run);
        let capabilities: BTreeSet<_> = run.map(|line| line.capability).collect();
        capabilities.into_iter().collect()
    }

    fn names(&self, is_wanted: fn(&Ending) -> bool) -> Vec<&'static str> {
        let lines = self.lines.iter().filter(|line| is_wanted(&line.ending));
        lines.map(|line| line.check).collect()
    }

    /// Every check ran and passed.
    ///
    /// # Panics
    /// With the report, if one failed or was skipped.
    #[track_caller]
    pub fn assert_passed(&self) {
        self.assert_passed_skipping(&[]);
    }

    /// Every check passed, except these, which were skipped. Naming them makes a check that stops
    /// running visible.
    ///
    /// # Panics
    /// With the report, if a check failed, if others were skipped, or if nothing was read or
    /// written.
    #[track_caller]
    pub fn assert_passed_skipping(&self, checks: &[&str]) {
        let is_about_use = |line: &&Line| line.capability != Capability::Connector;
        let mut used = self.lines.iter().filter(is_about_use);
        let has_passed = used.any(|line| line.ending == Ending::Passed);
        assert!(has_passed, "nothing was read or written:\n{self}");
        assert!(self.failed().is_empty(), "checks failed:\n{self}");
        let (mut skipped, mut expected) = (self.skipped(), checks.to_vec());
        skipped.sort_unstable();
        expected.sort_unstable();
        assert_eq!(skipped, expected, "other checks were skipped:\n{self}");
    }

    /// The connector has exactly these capabilities. This catches a wrapper that loses one: the suite
    /// leaves out the checks of missing capabilities.
    ///
    /// # Panics
    /// With the report, if it has others.
    #[track_caller]
    pub fn assert_capabilities(&self, expected: &[Capability]) {
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(self.capabilities(), expected, "capabilities:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { check, ending, .. } in &self.lines {
            match ending {
                Ending::Passed => writeln!(f, "passed  {check}")?,
                Ending::Failed(why) => writeln!(f, "FAILED  {check}: {why}")?,
                Ending::Skipped(why) => writeln!(f, "skipped {check}: {why}")?,
            }
        }
        Ok(())
    }
}
