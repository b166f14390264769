//! The exit codes. Only this module decides them, and the help lists them.

use std::fmt::Write;
use std::process::ExitCode;

use connector_core::{Error, ErrorKind, FindingKind, Verification};
use sync_runner::{Ending, Report};

/// What a program returns to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Everything asked for was done.
    Complete = 0,
    /// It failed for a reason without its own code.
    Failed = 1,
    /// A flag, a setting or a name is wrong.
    Usage = 2,
    /// The credential is missing, rejected, or may not do this.
    Credential = 3,
    /// The remote cannot be reached, or asks to wait.
    Unavailable = 4,
    /// Disk, file, pipe, state, or another run that holds the copy.
    Machine = 5,
    /// It finished, but a stream is incomplete or records were rejected.
    Partly = 6,
    /// The copy lacks records.
    Missing = 7,
    /// The copy has records in a version that the source no longer has.
    Stale = 8,
    /// Both.
    MissingAndStale = 9,
    /// Ctrl-C or SIGTERM, as shells report it.
    Stopped = 130,
}

impl Exit {
    /// All codes, in the order of the help.
    pub const ALL: [Self; 11] = [
        Self::Complete,
        Self::Failed,
        Self::Usage,
        Self::Credential,
        Self::Unavailable,
        Self::Machine,
        Self::Partly,
        Self::Missing,
        Self::Stale,
        Self::MissingAndStale,
        Self::Stopped,
    ];

    /// Its meaning, as the help prints it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed for a reason that is not listed here",
            Self::Usage => "a flag, a setting or a name is wrong",
            Self::Credential => "the credential is missing, rejected, or lacks a scope",
            Self::Unavailable => {
                "the remote cannot be reached, is overloaded or asks to wait: try again later"
            }
            Self::Machine => {
                "this machine refused: disk full, file not writable, state damaged, another run"
            }
            Self::Partly => "finished, but a stream is incomplete or records were rejected",
            Self::Missing => "verify: the copy lacks records",
            Self::Stale => "verify: records of the copy are stale",
            Self::MissingAndStale => "verify: both",
            Self::Stopped => "stopped by Ctrl-C or SIGTERM; what was read is kept",
        }
    }

    /// The code of a sync; `error` if it ended with one.
    #[must_use]
    pub fn of_sync(report: &Report, error: Option<&Error>) -> Self {
        match (report.ending, error) {
            (Ending::Incomplete, _) => Self::Partly,
            (_, Some(error)) => error.kind().into(),
            (Ending::Stopped, None) => Self::Stopped,
            _ if report.progress.unsaved() > 0 => Self::Partly,
            _ => Self::Complete,
        }
    }

    /// The code of a comparison. Records that the source no longer has are not an error.
    #[must_use]
    pub fn of_verification(verification: &Verification) -> Self {
        let is_missing = verification.has(FindingKind::Missing);
        let is_stale = verification.has(FindingKind::Stale);
        match (is_missing, is_stale) {
            (false, false) => Self::Complete,
            (true, false) => Self::Missing,
            (false, true) => Self::Stale,
            (true, true) => Self::MissingAndStale,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Config | ErrorKind::NotFound => Self::Usage,
            ErrorKind::Auth | ErrorKind::Permission => Self::Credential,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Io | ErrorKind::State | ErrorKind::Conflict => Self::Machine,
            _ => Self::Failed,
        }
    }
}

/// The part of the help that lists all codes.
pub(crate) fn help() -> String {
    let mut text = "Exit codes:".to_owned();
    for exit in Exit::ALL {
        // Writing to a string cannot fail.
        write!(text, "\n{:>5}  {}", exit as u8, exit.meaning()).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_a_line_for_each_code() {
        let help = help();
        assert_eq!(help.lines().count(), 1 + Exit::ALL.len());
        assert!(help.contains("\n    0  complete\n"), "{help}");
        assert!(help.contains("\n  130  stopped by"), "{help}");
    }
}
