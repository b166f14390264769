//! The one error that crosses the contract.
//!
//! It is written for the person who reads it: what happened, where, what to do. It decides
//! nothing; [`Retry`] tells the runner whether the same call can succeed later.

use std::fmt;
use std::time::Duration;

/// `Result` with the contract's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, coarse enough for a host to choose an exit code or a failure type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong: a key, a type, a range, an unknown stream.
    Config,
    /// The remote rejects the credential.
    Auth,
    /// The credential is known but may not do this (a missing scope, role or plan).
    Permission,
    /// Something that was asked for does not exist, or the credential may not see it.
    NotFound,
    /// The remote cannot be reached, is overloaded or asks to wait. A later call may succeed.
    Unavailable,
    /// The answer of the remote contradicts its documentation.
    Protocol,
    /// The saved state is damaged, of another connector or of a newer version.
    State,
    /// A record, or a file of records, is not what it must be.
    Data,
    /// Another run holds what this one needs.
    Conflict,
    /// The machine refused: disk full, file read-only, pipe closed.
    Io,
    /// A defect of the connector itself.
    Internal,
}

/// What the runner does next, once the plugin has given up repeating the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call fails until somebody changes something.
    Never,
    /// Again after the runner's own backoff.
    Backoff,
    /// Again, but no earlier than this long after the failure.
    After(Duration),
}

/// A failed contract call.
///
/// `Display` is one line: the message, then the context in brackets. It holds no secret, no
/// value of a record and no query of a URL; whoever builds an error keeps to that.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    retry: Retry,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; only [`ErrorKind::Unavailable`] starts with [`Retry::Backoff`].
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::Unavailable => Retry::Backoff,
            _ => Retry::Never,
        };
        Self {
            kind,
            retry,
            message: message.into(),
            context: Vec::new(),
            source: None,
        }
    }

    /// Sets the advice for the runner.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds where it happened: `("stream", "builds")`. A key that is already set keeps its value,
    /// because that was set closest to the failure.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        if !self.context.iter().any(|(known, _)| *known == key) {
            self.context.push((key, value.to_string()));
        }
        self
    }

    /// Keeps the cause, for logs. It must hold no secret.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the reader of a pipe is gone, as after `| head -1`. The writer did nothing wrong.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let io = error.downcast_ref::<std::io::Error>();
            if io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether, and when, the same call can succeed.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// The message without its context.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it happened, in the order in which it was added.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.context
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (index, (key, value)) in self.context.iter().enumerate() {
            let open = if index == 0 { " [" } else { ", " };
            write!(f, "{open}{key}: {value}")?;
        }
        if self.context.is_empty() {
            return Ok(());
        }
        f.write_str("]")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_one_line_with_its_context() {
        let error = Error::new(ErrorKind::Unavailable, "rate limited")
            .with_context("stream", "builds")
            .with_context("path", "/v2/builds");

        assert_eq!(
            error.to_string(),
            "rate limited [stream: builds, path: /v2/builds]"
        );
    }

    #[test]
    fn a_closed_pipe_is_known_by_its_cause_at_any_depth() {
        let of_io = |kind: std::io::ErrorKind| {
            let error = Error::new(ErrorKind::Io, "not written");
            error.with_source(std::io::Error::from(kind))
        };
        let closed = || of_io(std::io::ErrorKind::BrokenPipe);
        assert!(closed().is_closed_pipe());
        let outer = Error::new(ErrorKind::Io, "the copy failed").with_source(closed());
        assert!(outer.is_closed_pipe());
        assert!(!of_io(std::io::ErrorKind::StorageFull).is_closed_pipe());
    }

    #[test]
    fn the_closest_context_wins() {
        let error = Error::new(ErrorKind::Data, "bad")
            .with_context("stream", "jobs")
            .with_context("stream", "builds");

        assert_eq!(error.to_string(), "bad [stream: jobs]");
    }
}
