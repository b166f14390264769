//! Whether a failed read is retried, and after how long. Pure: the runner does the waiting.
//!
//! A library for backoff would not help: this module decides when the count of tries starts again
//! and how much waiting is left.

use std::time::Duration;

use connector_core::Retry;

use crate::RetryBudget;

/// Also the minimum wait, so that an advice of zero seconds does not spin.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// What is left of a [`RetryBudget`].
#[derive(Debug)]
pub(crate) struct Retries {
    budget: RetryBudget,
    /// Tries in a row that have failed without progress.
    failed: u32,
    waited: Duration,
}

impl Retries {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        Self {
            budget,
            failed: 0,
            waited: Duration::ZERO,
        }
    }

    /// A new state was committed, so earlier failures have been overcome.
    pub(crate) fn has_progressed(&mut self) {
        self.failed = 0;
    }

    /// Counts a failure; the wait before the next try, or `None` if there is none.
    pub(crate) fn after_failure(&mut self, advice: Retry) -> Option<Duration> {
        let doublings = self.failed.min(16);
        self.failed = self.failed.saturating_add(1);
        let wait = match advice {
            Retry::Never => return None,
            Retry::Backoff => (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_BACKOFF),
            Retry::After(wait) => wait.max(FIRST_WAIT),
        };
        let total = self.waited.saturating_add(wait);
        if self.failed >= self.budget.tries || total > self.budget.wait {
            return None;
        }
        self.waited = total;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn retries(tries: u32, wait: u64) -> Retries {
        let wait = seconds(wait);
        Retries::new(RetryBudget { tries, wait })
    }

    #[test]
    fn backoff_doubles_up_to_a_minute() {
        let mut retries = retries(9, 3_600);
        let waits: Vec<_> = (0..8)
            .map(|_| retries.after_failure(Retry::Backoff).unwrap().as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(retries.after_failure(Retry::Backoff), None);
    }

    #[test]
    fn progress_restores_all_tries_but_no_time() {
        let mut retries = retries(2, 3);
        for _ in 0..3 {
            assert_eq!(retries.after_failure(Retry::Backoff), Some(seconds(1)));
            retries.has_progressed();
        }
        assert_eq!(retries.after_failure(Retry::Backoff), None);
    }

    #[test]
    fn advice_is_kept_unless_it_is_longer_than_the_time_left() {
        let mut retries = retries(9, 100);
        let mut after = |wait| retries.after_failure(Retry::After(seconds(wait)));
        assert_eq!(after(70), Some(seconds(70)));
        assert_eq!(after(31), None);
        assert_eq!(after(0), Some(seconds(1)));
    }

    #[test]
    fn never_means_never() {
        assert_eq!(retries(9, 100).after_failure(Retry::Never), None);
    }
}
