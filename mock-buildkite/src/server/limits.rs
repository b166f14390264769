//! Both rate limits: fixed windows by the fake's own clock. Refused requests count as well.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use crate::clock::millis_of;

/// A limit that no test reaches.
const UNLIMITED: u32 = 1_000_000;

/// Which of the two limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// `rest`: all users of an organization together.
    Organization,
    /// `rest_user`: one user.
    User,
}

impl LimitScope {
    /// As the API spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Organization => "rest",
            Self::User => "rest_user",
        }
    }
}

/// Which rate limit headers answers carry. All of these were observed over the years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitHeaders {
    /// `RateLimit-*` and `RateLimit-User-*`: since April 2026.
    Both,
    /// `RateLimit-*` only.
    Organization,
    /// `Rate-Limit-*`: before 2023.
    Old,
    /// None.
    Absent,
}

/// The limits and their use.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) organization: u32,
    pub(crate) user: u32,
    pub(crate) headers: LimitHeaders,
    pub(crate) sends_retry_after: bool,
    window: i64,
    used: HashMap<String, Used>,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    window: i64,
    requests: u32,
}

/// One limit after a request was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) scope: LimitScope,
    pub(crate) limit: u32,
    pub(crate) used: u32,
    /// Whole seconds until the window ends, rounded down.
    pub(crate) reset: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            organization: UNLIMITED,
            user: UNLIMITED,
            headers: LimitHeaders::Both,
            sends_retry_after: false,
            window: 60_000,
            used: HashMap::new(),
        }
    }
}

impl Limits {
    pub(crate) fn set_window(&mut self, window: Duration) {
        self.window = millis_of(window).max(1000);
    }

    /// Counts a request of a user to an organization; either may be unknown.
    pub(crate) fn count(&mut self, organization: &str, user: &str, now: i64) -> [Count; 2] {
        let organization = self.count_one(LimitScope::Organization, organization, now);
        [organization, self.count_one(LimitScope::User, user, now)]
    }

    fn count_one(&mut self, scope: LimitScope, whose: &str, now: i64) -> Count {
        let window = now.div_euclid(self.window);
        let key = format!("{}/{whose}", scope.name());
        let used = self.used.entry(key).or_insert(Used {
            window,
            requests: 0,
        });
        if used.window != window {
            *used = Used {
                window,
                requests: 0,
            };
        }
        used.requests += 1;
        let left = self.window - now.rem_euclid(self.window);
        Count {
            scope,
            limit: match scope {
                LimitScope::Organization => self.organization,
                LimitScope::User => self.user,
            },
            used: used.requests,
            reset: u32::try_from(left / 1000).unwrap_or(u32::MAX),
        }
    }

    /// The headers that an answer carries.
    pub(crate) fn write(&self, counts: &[Count; 2], mut header: impl FnMut(String, String)) {
        for count in counts {
            let prefix = match (self.headers, count.scope) {
                (LimitHeaders::Both, LimitScope::User) => "RateLimit-User",
                (LimitHeaders::Both | LimitHeaders::Organization, LimitScope::Organization) => {
                    "RateLimit"
                }
                (LimitHeaders::Old, LimitScope::Organization) => "Rate-Limit",
                _ => continue,
            };
            header(format!("{prefix}-Limit"), count.limit.to_string());
            header(format!("{prefix}-Remaining"), count.remaining().to_string());
            header(format!("{prefix}-Reset"), count.reset.to_string());
            if self.headers != LimitHeaders::Old {
                header(format!("{prefix}-Scope"), count.scope.name().to_owned());
            }
            if self.headers == LimitHeaders::Both && count.remaining() == 0 {
                let warning = "You have exceeded your API rate limit.";
                header(format!("{prefix}-Warning"), warning.to_owned());
            }
        }
    }
}

impl Count {
    pub(crate) fn is_exceeded(&self) -> bool {
        self.used > self.limit
    }

    /// Limit, use and seconds until the reset.
    pub(crate) fn usage(&self) -> (u32, u32, u32) {
        (self.limit, self.used, self.reset)
    }

    fn remaining(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }

    /// The body of a 429.
    pub(crate) fn body(&self) -> Vec<u8> {
        let reset = self.reset;
        let message = format!(
            "You have exceeded your API rate limit. Please wait {reset} seconds before making more requests."
        );
        let body = json!({
            "message": message, "scope": self.scope.name(), "limit": self.limit,
            "current": self.used, "reset": reset,
        });
        body.to_string().into_bytes()
    }
}
