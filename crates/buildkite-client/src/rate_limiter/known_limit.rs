//! A rate limit, for forecasts.

use std::time::Duration;

/// The length of a window (API facts 5.1), plus the second that is lost at its end.
const WINDOW: Duration = Duration::from_secs(61);

/// A rate limit as the last answer reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLimit {
    /// Buildkite's name for it: `rest` for the organization's, `rest_user` for the user's.
    pub scope: &'static str,
    /// Requests per window.
    pub requests: u32,
    /// Requests per window that the reserve leaves to us.
    pub usable: u32,
    /// Requests that are left to us in this window.
    pub left: u32,
    /// Time until this window ends.
    pub window_ends: Duration,
}

impl KnownLimit {
    /// How long this many requests have to wait for this limit in total.
    pub fn wait_for(&self, requests: u64) -> Duration {
        let later = requests.saturating_sub(u64::from(self.left));
        if later == 0 {
            return Duration::ZERO;
        }
        let windows = (later - 1) / u64::from(self.usable.max(1));
        let windows = u32::try_from(windows).unwrap_or(u32::MAX);
        self.window_ends
            .saturating_add(WINDOW.saturating_mul(windows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_at_once_and_the_rest_window_by_window() {
        let limit = KnownLimit {
            scope: "rest_user",
            requests: 50,
            usable: 50,
            left: 10,
            window_ends: Duration::from_secs(30),
        };
        for (requests, seconds) in [(0, 0), (10, 0), (11, 30), (60, 30), (61, 91), (111, 152)] {
            let wait = limit.wait_for(requests);
            assert_eq!(wait, Duration::from_secs(seconds), "{requests}");
        }
    }
}
