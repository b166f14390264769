//! The exit codes: the one place that decides them. `--help` lists them.

use std::process::ExitCode;

use connector_core::{Error, ErrorKind, FindingKind, Retry, Verification};
use sync_runner::{Ending, Report};

use crate::{output, text};

/// What the program returns to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Complete = 0,
    /// Failed for a reason that has no code of its own.
    Failed = 1,
    /// A flag, the configuration or a name in it is wrong.
    Usage = 2,
    /// The token is missing, rejected, or may not do this.
    Credential = 3,
    /// The remote cannot be reached, or asks to wait.
    Unavailable = 4,
    /// Disk, file, pipe or state.
    Machine = 5,
    /// Finished, but records were refused and not kept, or a stream is incomplete.
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
            ErrorKind::Io | ErrorKind::State => Self::Machine,
            _ => Self::Failed,
        }
    }
}

/// The code of a sync; `error` if it has one.
pub(crate) fn of_sync(report: &Report, error: Option<&Error>) -> Exit {
    match (report.ending, error) {
        (Ending::Incomplete, _) => Exit::Partly,
        (_, Some(error)) => error.kind().into(),
        (Ending::Stopped, None) => Exit::Stopped,
        _ if report.progress.lost() > 0 => Exit::Partly,
        _ => Exit::Complete,
    }
}

/// The code of a comparison. What the source no longer has is no error.
pub(crate) fn of_verification(verification: &Verification) -> Exit {
    let has = |kind| verification.has(kind);
    match (has(FindingKind::Missing), has(FindingKind::Stale)) {
        (false, false) => Exit::Complete,
        (true, false) => Exit::Missing,
        (false, true) => Exit::Stale,
        (true, true) => Exit::MissingAndStale,
    }
}

/// Says what went wrong and what to do; returns the code for it.
pub(crate) fn tell(error: &Error) -> Exit {
    output::error(error);
    tracing::debug!(?error, "the failure in full");
    match (error.kind(), error.retry()) {
        (ErrorKind::Auth, _) => output::say(crate::token::HOW_TO_MAKE_ONE),
        (_, Retry::After(wait)) => output::say(format_args!(
            "Try again in {} or later.",
            text::duration(wait)
        )),
        (ErrorKind::Unavailable, _) => output::say("Try again later."),
        _ => {}
    }
    error.kind().into()
}

/// Prints what clap has to say: help and version too are "refusals" to it.
pub(crate) fn of_refusal(refusal: &clap::Error) -> Exit {
    let printed = refusal.print();
    match (refusal.use_stderr(), printed) {
        (true, _) => Exit::Usage,
        (false, Ok(())) => Exit::Complete,
        (false, Err(error)) => output::of_stdout(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_in_the_help() {
        use clap::CommandFactory;
        let help = crate::args::Args::command().render_long_help().to_string();
        for exit in [
            Exit::Complete,
            Exit::Failed,
            Exit::Usage,
            Exit::Credential,
            Exit::Unavailable,
            Exit::Machine,
            Exit::Partly,
            Exit::Missing,
            Exit::Stale,
            Exit::MissingAndStale,
            Exit::Stopped,
        ] {
            let line = format!("\n{:>5}  ", exit as u8);
            assert!(help.contains(&line), "{exit:?} is missing in:\n{help}");
        }
    }
}
