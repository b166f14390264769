//! How often and how soon a failed read is sent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::clock::Clock;
use crate::error::{Error, Fault, Result};
use crate::observer::{Event, Observer};

/// Up to as much again is added at random.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A server that is slow to fail gets this many attempts even when the budget is spent.
const MIN_ATTEMPTS: u32 = 3;

/// Pauses between attempts. They double, with jitter, so that clients that failed together do not
/// return together.
pub(crate) struct Pauses(ExponentialBackoff);

impl Pauses {
    pub(crate) fn new() -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .without_max_times();
        Self(pauses.build())
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST_PAUSE)
    }
}

/// When to give up.
#[derive(Clone)]
pub(crate) struct RetryPolicy {
    pub(crate) clock: Arc<dyn Clock>,
    /// For how long a failing read is repeated.
    pub(crate) budget: Duration,
}

/// The attempts of one read.
pub(crate) struct Attempts {
    first_failure: Option<Instant>,
    failures: u32,
    pauses: Pauses,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        Self {
            first_failure: None,
            failures: 0,
            pauses: Pauses::new(),
        }
    }

    /// Forgets earlier failures, because something new was read.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::new();
    }

    /// The number of failures since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the budget is spent.
    pub(crate) async fn pause(
        &mut self,
        policy: &RetryPolicy,
        observer: &Observer,
        path: &str,
        fault: Fault,
    ) -> Result<()> {
        let now = policy.clock.now();
        let elapsed = now.saturating_duration_since(*self.first_failure.get_or_insert(now));
        self.failures += 1;
        if elapsed >= policy.budget && self.failures >= MIN_ATTEMPTS {
            return Err(Error::Unavailable {
                path: path.to_owned(),
                reason: fault.to_string(),
                attempts: self.failures,
                elapsed,
            });
        }
        let duration = self.pauses.next();
        tracing::warn!(path, %fault, ?duration, "a request failed; it is sent again");
        observer(Event::RetryWait {
            duration,
            reason: fault.to_string(),
        });
        policy.clock.sleep(duration).await;
        Ok(())
    }
}
