//! How long something has waited. Each wait is announced when it begins.

use std::time::Duration;

use tokio::time::Instant;

/// Adds up waits. Waits at the same time count once. Of a wait that is not over,
/// or that the end of the sync cut short, only the elapsed time counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WaitClock {
    /// Up to `until`.
    total: Duration,
    until: Option<Instant>,
}

impl WaitClock {
    /// A wait begins.
    pub(crate) fn begin(&mut self, now: Instant, duration: Duration) {
        let counted_until = self.until.map_or(now, |until| until.max(now));
        let end = now + duration;
        self.total += end.saturating_duration_since(counted_until);
        self.until = Some(end.max(counted_until));
    }

    /// All waits up to `now`.
    pub(crate) fn total(&self, now: Instant) -> Duration {
        let ahead = self
            .until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        self.total.saturating_sub(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_one_after_the_other_add_up() {
        let start = Instant::now();
        let mut clock = WaitClock::default();
        clock.begin(start, seconds(2));
        clock.begin(start + seconds(10), seconds(3));
        assert_eq!(clock.total(start + seconds(60)), seconds(5));
    }

    #[test]
    fn waits_at_the_same_time_count_once() {
        let start = Instant::now();
        let mut clock = WaitClock::default();
        clock.begin(start, seconds(10));
        clock.begin(start + seconds(4), seconds(6));
        clock.begin(start + seconds(5), seconds(8));
        clock.begin(start + seconds(6), seconds(1));
        assert_eq!(clock.total(start + seconds(60)), seconds(13));
    }

    #[test]
    fn a_wait_counts_only_as_far_as_it_has_passed() {
        let start = Instant::now();
        let mut clock = WaitClock::default();
        clock.begin(start, seconds(42));
        assert_eq!(clock.total(start + seconds(2)), seconds(2));
    }
}
