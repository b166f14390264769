//! The clock of the fake. No other module reads the real clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};

use crate::time::to_chrono;

/// The time of the fake. Clones share one time.
///
/// Everything that depends on time follows it: the `Date` header, the windows of the rate limits,
/// `created_at` of new builds.
#[derive(Debug, Clone)]
pub struct Clock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug)]
struct Hands {
    /// Milliseconds since 1970 at `since`, or now if the clock stands still.
    millis: i64,
    /// The real moment that `millis` belongs to, if the clock runs.
    since: Option<Instant>,
}

impl Clock {
    /// The real time.
    #[must_use]
    pub fn real() -> Self {
        Self::running_from(SystemTime::now().into())
    }

    /// Starts at a time and runs at real speed.
    #[must_use]
    pub fn running_from(start: DateTime<Utc>) -> Self {
        Self::with(start, Some(Instant::now()))
    }

    /// Stands still until [`advance`](Self::advance) or [`set`](Self::set) moves it.
    #[must_use]
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self::with(start, None)
    }

    fn with(start: DateTime<Utc>, since: Option<Instant>) -> Self {
        let hands = Hands {
            millis: start.timestamp_millis(),
            since,
        };
        Self {
            hands: Arc::new(Mutex::new(hands)),
        }
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        to_chrono(self.now_millis())
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.millis += millis_of(by);
    }

    /// Sets the clock, forward or backward. A running clock continues from there.
    pub fn set(&self, time: DateTime<Utc>) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.millis = time.timestamp_millis();
        hands.since = hands.since.map(|_| Instant::now());
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_millis(&self) -> i64 {
        let hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.millis + hands.since.map_or(0, |since| millis_of(since.elapsed()))
    }
}

/// A duration as whole milliseconds.
pub(crate) fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
