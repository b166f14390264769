//! Why a host stops.

use std::io;
use std::pin::pin;

use connector_core::{Error, Stop};
use futures::future::{Either, select};

/// Why a host stops early.
#[derive(Debug)]
pub enum HostError {
    /// Something failed that the user must know.
    Failed(Error),
    /// The output is closed or cannot be written, so no message can be sent.
    Output(io::Error),
    /// There was a request to stop.
    Stopped,
}

/// The exit status of a program that was asked to stop, as shells report it.
pub const STOPPED: u8 = 130;

/// Waits for `work`, or for a request to stop.
///
/// # Errors
/// Those of `work`; [`HostError::Stopped`], after dropping `work`.
pub async fn unless_stopped<T, E: Into<HostError>>(
    stop: &Stop,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, HostError> {
    match select(pin!(work), pin!(stop.requested())).await {
        Either::Left((done, _)) => done.map_err(Into::into),
        Either::Right(_) => Err(HostError::Stopped),
    }
}

impl From<Error> for HostError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for HostError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What to report about an output that failed; `None` if its reader has left, which needs no
/// report.
#[must_use]
pub fn output_failure(error: &io::Error) -> Option<String> {
    let has_left = error.kind() == io::ErrorKind::BrokenPipe;
    (!has_left).then(|| format!("standard output cannot be written to: {error}"))
}

impl HostError {
    /// Adds where it happened, see [`Error::with_context`].
    #[must_use]
    pub fn with_context(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(error.with_context(key, value)),
            other => other,
        }
    }
}
