//! How a client is set up.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::authorization::Authentication;
use crate::base_url::DEFAULT_BASE_URL;
use crate::clock::{Clock, SystemClock};
use crate::pace::Pace;

/// Settings of a [`Client`](crate::Client).
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// What it proves itself with, to the origin of `base_url` and nowhere else.
    pub authentication: Authentication,
    /// Where the API is; https, or this machine. Default: Buildkite's own address.
    pub base_url: String,
    /// Share of the organization's rate limit that is left to others, 0.0 to 0.9. Default: 0.1.
    pub reserve: f64,
    /// The pace of another client, whose reserve then counts. Default: one of its own.
    pub pace: Option<Pace>,
    /// Requests at the same time, 1 or more. Default: 4.
    pub max_concurrency: usize,
    /// How long a failing read is repeated before it fails for good. Default: 3 minutes.
    pub retry_budget: Duration,
    /// The longest wait for a rate limit; a longer one is an error that tells how long. Default:
    /// 10 minutes.
    pub max_rate_limit_wait: Duration,
    /// How long a server may stay silent, before and within an answer. Default: 60 s.
    pub read_timeout: Duration,
    /// Where time comes from. Default: the machine.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// The defaults, with this API access token.
    pub fn new(token: SecretString) -> Self {
        Self::authenticated(Authentication::Token(token))
    }

    /// The defaults, with what the client proves itself with.
    pub fn authenticated(authentication: Authentication) -> Self {
        Self {
            authentication,
            base_url: DEFAULT_BASE_URL.to_owned(),
            reserve: 0.1,
            pace: None,
            max_concurrency: 4,
            retry_budget: Duration::from_secs(180),
            max_rate_limit_wait: Duration::from_secs(600),
            read_timeout: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
        }
    }
}

/// What a client tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request is sent.
    Request,
    /// A wait for the end of a rate limit's window begins.
    RateLimitWait {
        /// How long.
        duration: Duration,
        /// Which limit: `rest` or `rest_user`, with its size.
        limit: String,
    },
    /// A request failed and is repeated after a wait.
    RetryWait {
        /// How long.
        duration: Duration,
        /// How it failed.
        reason: String,
    },
}

/// Is told what a client does.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;
