//! Why a host stops.

use std::io;
use std::pin::pin;

use connector_core::{Error, Stop};
use futures::future::{Either, select};

/// Why a host stops before its end.
#[derive(Debug)]
pub enum HostError {
    /// Something failed that the user must know.
    Failed(Error),
    /// Nobody reads the output any more, or it cannot be written: there is nobody to tell.
    Output(io::Error),
    /// Somebody asked it to stop.
    Stopped,
}

/// The exit status of a program that was asked to stop, as shells report it.
pub const STOPPED: u8 = 130;

/// Waits for `work`, or until somebody asks to stop.
///
/// # Errors
/// Those of `work`; [`HostError::Stopped`], and `work` is dropped then.
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

impl HostError {
    /// Says where it happened, see [`Error::with_context`].
    #[must_use]
    pub fn with_context(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(error.with_context(key, value)),
            other => other,
        }
    }
}
