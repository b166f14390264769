//! What an answer says about the rate limits.
//!
//! Two limits count every request: one per organization (`RateLimit-*`, before 2023
//! `Rate-Limit-*`) and one per user (`RateLimit-User-*`). `Reset` is the number of seconds until
//! the window ends, not a clock time (API facts 5.1).

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

/// No window is longer. A longer reset is cut to this, so that no sum overflows.
const LONGEST_RESET_SECS: f64 = 86_400.0;

/// One limit as an answer reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// Requests per window.
    pub(crate) limit: u32,
    /// Requests left in this window.
    pub(crate) remaining: u32,
    /// Time until the window ends, in whole seconds.
    pub(crate) reset: Duration,
}

/// Both limits, as far as the answer reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RateLimits {
    pub(crate) organization: Option<RateLimit>,
    pub(crate) user: Option<RateLimit>,
}

impl RateLimits {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        Self {
            organization: limit(headers, "ratelimit-").or_else(|| limit(headers, "rate-limit-")),
            user: limit(headers, "ratelimit-user-"),
        }
    }
}

fn limit(headers: &HeaderMap, prefix: &str) -> Option<RateLimit> {
    let number = |name: &str| -> Option<f64> {
        let value = headers.get(format!("{prefix}{name}"))?.to_str().ok()?;
        value.trim().parse().ok()
    };
    Some(RateLimit {
        limit: number("limit")? as u32,
        remaining: number("remaining")? as u32,
        reset: seconds(number("reset")?)?,
    })
}

/// Turns any number, fractional, negative or huge, into a time that can be waited for.
fn seconds(number: f64) -> Option<Duration> {
    let is_number = !number.is_nan();
    is_number.then(|| Duration::from_secs_f64(number.clamp(0.0, LONGEST_RESET_SECS).ceil()))
}

/// Which limit a 429 is about, and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// True for the user's limit, false for the organization's.
    pub(crate) is_user: bool,
    /// Absent if the answer does not say.
    pub(crate) wait: Option<Duration>,
}

impl Exceeded {
    /// Reads the body first, then the headers, then `Retry-After`.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let body: ExceededBody = serde_json::from_slice(body).unwrap_or_default();
        let limits = RateLimits::read(headers);
        let is_used_up = |limit: &RateLimit| limit.remaining == 0;
        let user = limits.user.filter(is_used_up);
        let organization = limits.organization.filter(is_used_up);
        let is_user = match body.scope.as_deref() {
            Some(scope) => scope == "rest_user",
            None => user.map(|limit| limit.reset) >= organization.map(|limit| limit.reset),
        };
        let of_header = if is_user { user } else { organization }.map(|limit| limit.reset);
        let wait = body
            .reset
            .and_then(seconds)
            .or(of_header)
            .or_else(|| retry_after(headers));
        Self { is_user, wait }
    }
}

#[derive(Default, Deserialize)]
struct ExceededBody {
    scope: Option<String>,
    reset: Option<f64>,
}

/// `Retry-After` in seconds. Buildkite does not document the header.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().and_then(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn both_sets_and_the_old_spelling_are_read() {
        let new = headers(&[
            ("RateLimit-Limit", "200"),
            ("RateLimit-Remaining", "199"),
            ("RateLimit-Reset", "43"),
            ("RateLimit-User-Limit", "50"),
            ("RateLimit-User-Remaining", "3"),
            ("RateLimit-User-Reset", "0"),
        ]);
        let read = RateLimits::read(&new);
        assert_eq!(read.organization.unwrap().remaining, 199);
        assert_eq!(read.user.unwrap().reset, Duration::ZERO);

        let old = headers(&[
            ("Rate-Limit-Limit", "100"),
            ("Rate-Limit-Remaining", "99"),
            ("Rate-Limit-Reset", "10"),
        ]);
        assert_eq!(RateLimits::read(&old).organization.unwrap().limit, 100);
        assert_eq!(RateLimits::read(&HeaderMap::new()), RateLimits::default());
    }

    #[test]
    fn odd_numbers_become_a_time_that_can_be_waited_for() {
        for (text, expected) in [
            ("41.2", Some(42)),
            ("-3", Some(0)),
            ("18446744073709551615", Some(86_400)),
            ("NaN", None),
            ("soon", None),
        ] {
            let headers = headers(&[("Retry-After", text)]);
            let read = retry_after(&headers).map(|wait| wait.as_secs());
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn the_body_of_a_429_goes_before_its_headers_and_those_before_retry_after() {
        let all = headers(&[
            ("RateLimit-User-Limit", "50"),
            ("RateLimit-User-Remaining", "0"),
            ("RateLimit-User-Reset", "20"),
            ("Retry-After", "30"),
        ]);
        let body = br#"{"scope":"rest","reset":10}"#;
        let wait = |headers: &HeaderMap, body: &[u8]| {
            let exceeded = Exceeded::read(headers, body);
            (exceeded.is_user, exceeded.wait.map(|wait| wait.as_secs()))
        };

        assert_eq!(wait(&all, body), (false, Some(10)));
        assert_eq!(wait(&all, b"<html>"), (true, Some(20)));
        let only_retry_after = headers(&[("Retry-After", "30")]);
        assert_eq!(wait(&only_retry_after, b"").1, Some(30));
        assert_eq!(wait(&HeaderMap::new(), b"").1, None);
    }

    proptest! {
        #[test]
        fn no_number_is_too_odd_to_read(
            limit in "[-+0-9.eE]{0,25}|inf|NaN",
            remaining in "[-+0-9.eE]{0,25}|inf|NaN",
            reset in "[-+0-9.eE]{0,25}|inf|NaN",
            body in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let all = HeaderMap::from_iter([
                ("ratelimit-limit".parse().unwrap(), limit.parse().unwrap()),
                ("ratelimit-remaining".parse().unwrap(), remaining.parse().unwrap()),
                ("ratelimit-reset".parse().unwrap(), reset.parse().unwrap()),
                (RETRY_AFTER, reset.parse().unwrap()),
            ]);
            let bodies = [body, format!(r#"{{"scope":"rest","reset":{reset}}}"#).into_bytes()];
            for body in bodies {
                let exceeded = Exceeded::read(&all, &body);
                let wait = exceeded.wait.unwrap_or_default();
                prop_assert!(wait.as_secs_f64() <= LONGEST_RESET_SECS);
            }
        }
    }
}
