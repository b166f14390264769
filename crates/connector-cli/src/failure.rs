//! Why a command ends early.

use std::io;

use connector_core::{Error, ErrorKind, Retry};

use crate::exit::Exit;
use crate::figures;
use crate::terminal::Terminal;

/// Why a command ends early.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// Something failed that the user must know.
    Failed {
        /// What.
        error: Error,
        /// What to do about it, in a few lines; empty if the error says that.
        advice: String,
    },
    /// Standard output cannot be written to.
    Output(io::Error),
}

impl Failure {
    /// Adds what to do about it.
    #[must_use]
    pub fn with_advice(self, lines: impl Into<String>) -> Self {
        match self {
            Self::Failed { error, .. } => Self::Failed {
                error,
                advice: lines.into(),
            },
            Self::Output(error) => Self::Output(error),
        }
    }
}

impl Failure {
    /// Prints what went wrong and what to do, and returns the exit code. It is not a failure if the
    /// reader of the output is gone.
    pub(crate) fn print(&self, terminal: &Terminal) -> Exit {
        let (error, advice) = match self {
            Self::Failed { error, advice } => (error, advice),
            Self::Output(error) if is_closed_pipe(error) => return Exit::Complete,
            Self::Output(error) => {
                terminal.fail(format_args!(
                    "standard output cannot be written to: {error}"
                ));
                return Exit::Machine;
            }
        };
        terminal.fail(error);
        tracing::debug!(?error, "the failure in full");
        match (error.kind(), error.retry()) {
            _ if !advice.is_empty() => terminal.advise(advice),
            (_, Retry::After(wait)) => {
                let wait = figures::duration(wait);
                terminal.advise(format_args!("Try again in {wait} or later."));
            }
            (ErrorKind::Unavailable, _) => terminal.advise("Try again later."),
            _ => {}
        }
        error.kind().into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let advice = String::new();
        Self::Failed { error, advice }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Whether the reader of the output is gone, as after `| head`. That is not a failure.
pub(crate) fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}
