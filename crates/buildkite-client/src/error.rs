//! Every way a call can fail.
//!
//! An error names the path of the request, never its query or headers. Of the remote's own words
//! it repeats only the `message`, shortened and without the token.

use std::time::Duration;

/// `Result` with the client's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that failed. Whatever may be repeated has been repeated.
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
    /// A proxy variable of the environment has a value that cannot be used.
    #[error(
        "the environment variable {0} is not the address of an HTTP proxy; \
         set it to http://HOST:PORT or unset it"
    )]
    Proxy(&'static str),
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
    /// No connection can be made until somebody changes something: an untrusted certificate, a proxy
    /// that refuses, a server that does not speak HTTP.
    #[error("{reason}; {remedy}")]
    Unreachable {
        /// Path of the request.
        path: String,
        /// Why there is no connection.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// 401: the token is missing, unknown, expired or revoked.
    #[error("Buildkite does not accept the API token (401): {message}")]
    Unauthorized {
        /// Path of the request.
        path: String,
        /// Buildkite's message.
        message: String,
    },
    /// 403: the token, its user or the plan lacks permission.
    #[error("Buildkite refuses access (403): {message}")]
    Forbidden {
        /// Path of the request.
        path: String,
        /// Buildkite's message, which names a missing scope.
        message: String,
        /// The scope that the endpoint needs, from `X-Accepted-OAuth-Scopes`.
        needed_scope: Option<String>,
    },
    /// 404: the object does not exist, or the token may not know about it.
    #[error("not found, or not visible to this token (404): {message}")]
    NotFound {
        /// Path of the request.
        path: String,
        /// Buildkite's message.
        message: String,
    },
    /// Any other 4xx: Buildkite refuses the request itself.
    #[error("Buildkite refuses the request ({status}): {message}")]
    Refused {
        /// Path of the request.
        path: String,
        /// The status, 400 to 499.
        status: u16,
        /// Buildkite's message.
        message: String,
    },
    /// 429, and the wait is longer than the client is allowed to wait.
    #[error("the rate limit `{scope}` is used up for another {} s", .wait.as_secs())]
    RateLimited {
        /// Path of the request.
        path: String,
        /// The limit: `rest` or `rest_user`.
        scope: String,
        /// Time until requests are accepted again.
        wait: Duration,
    },
    /// 5xx, a timeout, a lost connection or a broken body, until the retry budget was spent.
    #[error("{reason}; gave up after {attempts} attempts in {} s", .elapsed.as_secs())]
    Unavailable {
        /// Path of the request.
        path: String,
        /// Why the last attempt failed.
        reason: String,
        /// Number of requests sent.
        attempts: u32,
        /// Time since the first failure.
        elapsed: Duration,
    },
    /// A write was sent and its answer was lost: 5xx, a timeout, a lost connection, a broken body.
    /// The client does not send it again.
    #[error("{reason}; it is unknown whether Buildkite carried out the request")]
    OutcomeUnknown {
        /// Path of the request.
        path: String,
        /// Why there is no usable answer.
        reason: String,
    },
    /// Content broke off. What arrived before is good.
    #[error("{reason}")]
    CutShort {
        /// Path of the request.
        path: String,
        /// Why it broke off.
        reason: String,
    },
    /// An answer is larger than [`Limits`](crate::Limits) allow.
    #[error("{what} is larger than {limit} bytes, the limit `{option}`")]
    TooLarge {
        /// Path of the request.
        path: String,
        /// What is too large.
        what: &'static str,
        /// The most bytes that are accepted.
        limit: u64,
        /// The field of [`Limits`](crate::Limits).
        option: &'static str,
    },
    /// A list does not end, but brings nothing new either.
    #[error("the list does not end: {requests} requests in a row brought nothing new")]
    NoProgress {
        /// Path of the list.
        path: String,
        /// Number of requests without a new element.
        requests: u32,
    },
    /// The answer is not what the API documents.
    #[error("unexpected answer: {what}")]
    Protocol {
        /// Path of the request.
        path: String,
        /// What is wrong with the answer.
        what: String,
    },
}

impl Error {
    /// The path of the failed request, without its query.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::BaseUrl(_)
            | Self::Token(_)
            | Self::PrivateKey(_)
            | Self::Proxy(_)
            | Self::Setup(_) => None,
            Self::Unreachable { path, .. }
            | Self::Unauthorized { path, .. }
            | Self::Forbidden { path, .. }
            | Self::NotFound { path, .. }
            | Self::Refused { path, .. }
            | Self::RateLimited { path, .. }
            | Self::Unavailable { path, .. }
            | Self::OutcomeUnknown { path, .. }
            | Self::CutShort { path, .. }
            | Self::TooLarge { path, .. }
            | Self::NoProgress { path, .. }
            | Self::Protocol { path, .. } => Some(path),
        }
    }

    /// A [`Protocol`](Self::Protocol) error about an answer to a request for `path`.
    pub(crate) fn protocol(path: &str, what: impl Into<String>) -> Self {
        Self::Protocol {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    /// An element of a list at `path` is larger than `element_bytes`.
    pub(crate) fn element_too_large(path: &str, limit: usize) -> Self {
        Self::TooLarge {
            path: path.to_owned(),
            what: "an element of the list",
            limit: limit as u64,
            option: "element_bytes",
        }
    }
}

/// A failure that another attempt may not meet again.
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
    /// The parts of the answer arrive too slowly.
    #[error("the answer was not complete after {} s", .0.as_secs())]
    TooSlow(Duration),
    /// No connection was made, so nothing was sent.
    #[error("the connection failed: {0}")]
    Unreachable(String),
    #[error("the connection failed: {0}")]
    Connection(String),
    #[error("the answer broke off: {0}")]
    Broken(String),
    #[error("the answer is not valid JSON: {0}")]
    NotJson(String),
    /// The answer contradicts itself or another one.
    #[error("the answer is inconsistent: {0}")]
    Inconsistent(&'static str),
}

impl Fault {
    /// Whether a smaller page may avoid it.
    pub(crate) fn depends_on_size(&self) -> bool {
        match self {
            Self::Status(_)
            | Self::Timeout
            | Self::TooSlow(_)
            | Self::Connection(_)
            | Self::Broken(_) => true,
            Self::Storage(_)
            | Self::CutShort(_)
            | Self::Unreachable(_)
            | Self::NotJson(_)
            | Self::Inconsistent(_) => false,
        }
    }
}
