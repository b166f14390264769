//! How a client is set up.

use std::sync::Arc;
use std::time::Duration;

use credential::Credential;

use crate::base_url::DEFAULT_BASE_URL;
use crate::clock::{Clock, SystemClock};
use crate::limits::Limits;
use crate::rate_limiter::{RateLimiter, Share};

/// Under a limit of 50 requests a minute, and with answers that take seconds, fewer requests in flight
/// would not use up a window before it ends.
pub(crate) const DEFAULT_MAX_CONCURRENCY: usize = 16;

/// Settings of a [`Client`](crate::Client).
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Sent to the origin of `base_url` and nowhere else.
    pub credential: Credential,
    /// Address of the API: https, or http on this machine. Default: Buildkite's own address.
    pub base_url: String,
    /// Share of the organization's rate limit that is left to others, 0.0 to 0.9. Default: 0.1.
    pub reserve: f64,
    /// This reader's share of the rate limits, if several processes read with the same token.
    /// Default: all of them.
    pub share: Option<Share>,
    /// The rate limiter of another client, whose `reserve` and `share` then apply. Default: a new
    /// one.
    pub rate_limiter: Option<RateLimiter>,
    /// Maximum number of requests at the same time, 1 or more. Default: 16.
    pub max_concurrency: usize,
    /// How long a failing read is repeated before it fails for good. Default: 3 minutes.
    pub retry_budget: Duration,
    /// The longest wait for a rate limit. A longer one is an error that tells the wait. Default:
    /// 10 minutes.
    pub max_rate_limit_wait: Duration,
    /// How long a server may stay silent, before and within an answer. Default: 60 s.
    pub read_timeout: Duration,
    /// What one answer may cost. Default: see [`Limits`].
    pub limits: Limits,
    /// Where time comes from. Default: this machine.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// The defaults, with this credential.
    pub fn new(credential: Credential) -> Self {
        Self {
            credential,
            base_url: DEFAULT_BASE_URL.to_owned(),
            reserve: 0.1,
            share: None,
            rate_limiter: None,
            max_concurrency: DEFAULT_MAX_CONCURRENCY,
            retry_budget: Duration::from_secs(180),
            max_rate_limit_wait: Duration::from_secs(600),
            read_timeout: Duration::from_secs(60),
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        }
    }
}
