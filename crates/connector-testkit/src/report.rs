//! What a run of the suite found.

use std::fmt;

use connector_core::Error;

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The connector is wrong.
    Failed(String),
    /// Something that the check needs was not given.
    Skipped(String),
    /// It is about something that the connector, as it declares, does not have.
    Absent,
}

/// How a check went.
pub(crate) type Verdict<T = ()> = Result<T, Halt>;

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(format!("an error that was not to come: {error}"))
    }
}

pub(crate) fn failed<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Halt::Failed(why.into()))
}

pub(crate) fn skipped<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Halt::Skipped(why.into()))
}

pub(crate) fn absent<T>() -> Verdict<T> {
    Err(Halt::Absent)
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The connector keeps it.
    Passed,
    /// It does not: a sentence on what was seen.
    Failed(String),
    /// It could not be told: a sentence on what was missing.
    Skipped(String),
}

/// One check of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of the check.
    pub check: &'static str,
    /// How it ended.
    pub ending: Ending,
}

/// All checks of a run, in their order. `Display` is one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One line for each check of what the connector, as it declares, has.
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

    /// Every check passed but for these, which were skipped. To be named, so that a check that
    /// stops running is seen.
    ///
    /// # Panics
    /// With the report, if a check failed, if others were skipped, or if all were.
    #[track_caller]
    pub fn assert_passed_skipping(&self, checks: &[&str]) {
        let passed = self.names(|ending| *ending == Ending::Passed);
        assert!(!passed.is_empty(), "no check passed:\n{self}");
        assert!(self.failed().is_empty(), "checks failed:\n{self}");
        let (mut skipped, mut expected) = (self.skipped(), checks.to_vec());
        skipped.sort_unstable();
        expected.sort_unstable();
        assert_eq!(skipped, expected, "other checks were skipped:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { check, ending } in &self.lines {
            match ending {
                Ending::Passed => writeln!(f, "passed  {check}")?,
                Ending::Failed(why) => writeln!(f, "FAILED  {check}: {why}")?,
                Ending::Skipped(why) => writeln!(f, "skipped {check}: {why}")?,
            }
        }
        Ok(())
    }
}
