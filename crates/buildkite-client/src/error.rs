//! Every way a call can end badly.
//!
//! An error names the path of the request, never its query or a header, and repeats of the
//! remote's words only the `message`, shortened and without the token.

use std::time::Duration;

/// `Result` with the client's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that failed for good: what could be repeated has been repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The base URL cannot be used.
    #[error("the base URL {0}")]
    BaseUrl(&'static str),
    /// The API token cannot be sent in a header.
    #[error("the API token {0}")]
    Token(&'static str),
    /// The private key cannot sign.
    #[error("the private key {0}")]
    PrivateKey(&'static str),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Setup(String),
    /// 401: the token is missing, unknown, expired or revoked.
    #[error("Buildkite does not accept the API token (401): {message}")]
    Unauthorized {
        /// The path asked for.
        path: String,
        /// Buildkite's words.
        message: String,
    },
    /// 403: the token, its user or the plan may not do this.
    #[error("Buildkite refuses access (403): {message}")]
    Forbidden {
        /// The path asked for.
        path: String,
        /// Buildkite's words, which name a missing scope.
        message: String,
        /// The scope that the endpoint takes, from `X-Accepted-OAuth-Scopes`.
        needed_scope: Option<String>,
    },
    /// 404: what was asked for does not exist, or the token may not know of it.
    #[error("Buildkite does not know it, or the token may not see it (404): {message}")]
    NotFound {
        /// The path asked for.
        path: String,
        /// Buildkite's words.
        message: String,
    },
    /// Any other 4xx: the request itself is refused.
    #[error("Buildkite refuses the request ({status}): {message}")]
    Refused {
        /// The path asked for.
        path: String,
        /// The status, 400 to 499.
        status: u16,
        /// Buildkite's words.
        message: String,
    },
    /// 429, and the wait that it asks for is longer than the client may wait.
    #[error("the rate limit `{scope}` is used up for another {} s", .wait.as_secs())]
    RateLimited {
        /// The path asked for.
        path: String,
        /// The limit: `rest` or `rest_user`.
        scope: String,
        /// How long until requests are taken again.
        wait: Duration,
    },
    /// 5xx, a timeout, a lost connection or a broken body, again and again.
    #[error("{reason}, tried {attempts} times over {} s", .elapsed.as_secs())]
    Unavailable {
        /// The path asked for.
        path: String,
        /// How the last try failed.
        reason: String,
        /// How many requests were sent.
        attempts: u32,
        /// Since the first of them.
        elapsed: Duration,
    },
    /// A write was sent, and it is not known whether it was done: 5xx, a timeout, a lost
    /// connection, an answer that breaks off. It is not sent again.
    #[error("{reason}; whether it was done is not known")]
    OutcomeUnknown {
        /// The path of the request.
        path: String,
        /// How the answer failed.
        reason: String,
    },
    /// Content broke off; what has arrived of it is good.
    #[error("{reason}")]
    CutShort {
        /// The path asked for.
        path: String,
        /// How it broke off.
        reason: String,
    },
    /// The answer is not what the API documents.
    #[error("unexpected answer: {what}")]
    Protocol {
        /// The path asked for.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Error {
    /// The path of the request that failed, without its query.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::BaseUrl(_) | Self::Token(_) | Self::PrivateKey(_) | Self::Setup(_) => None,
            Self::Unauthorized { path, .. }
            | Self::Forbidden { path, .. }
            | Self::NotFound { path, .. }
            | Self::Refused { path, .. }
            | Self::RateLimited { path, .. }
            | Self::Unavailable { path, .. }
            | Self::OutcomeUnknown { path, .. }
            | Self::CutShort { path, .. }
            | Self::Protocol { path, .. } => Some(path),
        }
    }
}

/// A try that failed in a way that another try may mend.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    #[error("Buildkite answered {0}")]
    Status(u16),
    #[error("the storage answered {0}")]
    Storage(u16),
    #[error("{0}")]
    CutShort(String),
    #[error("no answer in time")]
    Timeout,
    /// Nothing was sent.
    #[error("the connection failed: {0}")]
    Unreachable(String),
    #[error("the connection failed: {0}")]
    Connection(String),
    #[error("the answer broke off: {0}")]
    Broken(String),
    #[error("the answer is not valid JSON: {0}")]
    NotJson(String),
}
