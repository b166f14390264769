//! Why a host stops.

use std::io;

use connector_core::Error;

/// Why a host stops before its end.
#[derive(Debug)]
pub enum HostError {
    /// Something failed that the user must know.
    Failed(Error),
    /// Nobody reads the output any more, or it cannot be written: there is nobody to tell.
    Output(io::Error),
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
            Self::Output(error) => Self::Output(error),
        }
    }
}
