//! How often, and how soon, a failed read is sent again.

use std::time::{Duration, Instant};

use crate::error::{Error, Fault, Result};
use crate::http::Http;
use crate::options::{Event, Listener};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A server that is slow to fail gets as many tries as one that fails at once.
const LEAST_TRIES: u32 = 3;

/// The tries of one read.
pub(crate) struct Attempts {
    first_failure: Option<Instant>,
    failures: u32,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        Self {
            first_failure: None,
            failures: 0,
        }
    }

    /// Something new was read: what failed before is forgotten.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::new();
    }

    /// Failures since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Waits before the next try, or gives up when the budget is spent.
    pub(crate) async fn pause(
        &mut self,
        http: &Http,
        listener: &Listener,
        path: &str,
        fault: Fault,
    ) -> Result<()> {
        let now = http.clock.now();
        let elapsed = now.saturating_duration_since(*self.first_failure.get_or_insert(now));
        self.failures += 1;
        if elapsed >= http.retry_budget && self.failures >= LEAST_TRIES {
            return Err(Error::Unavailable {
                path: path.to_owned(),
                reason: fault.to_string(),
                attempts: self.failures,
                elapsed,
            });
        }
        let duration = backoff(self.failures - 1);
        tracing::warn!(path, %fault, ?duration, "a request failed and is sent again");
        listener(Event::RetryWait {
            duration,
            reason: fault.to_string(),
        });
        http.clock.sleep(duration).await;
        Ok(())
    }
}

/// The pause after a number of failures: it doubles, and up to half of it is left to chance, so
/// that clients that failed together do not come back together.
pub(crate) fn backoff(failures: u32) -> Duration {
    let full = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(LONGEST_PAUSE);
    full.mul_f64(1.0 - fastrand::f64() / 2.0)
}
