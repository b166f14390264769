//! One rate limit: what is left of its current window, and when the window ends.
//!
//! `Reset` comes in whole seconds, and nothing says whether they are rounded up or down. So a
//! window may end up to a second after the time in the header. Every answer narrows that down: the
//! earliest `arrival + reset + 1 s` is the first moment that is certainly after the end.

use std::time::{Duration, Instant};

use super::headers::RateLimit;
use super::known_limit::KnownLimit;

/// How much later a window may end than a header in whole seconds says.
pub(super) const RESET_PRECISION: Duration = Duration::from_secs(1);

/// Which of the two limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Organization,
    User,
}

impl Limit {
    /// Buildkite's name for it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Organization => "rest",
            Self::User => "rest_user",
        }
    }
}

/// What a request has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Go,
    /// This window is used up. It ends at this time.
    Until(Instant, Limit, u32),
    /// Requests in flight have taken what is left.
    OtherRequests,
}

impl Turn {
    /// What a request has to do if both windows must allow it. The later end counts.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Go, turn) | (turn, Self::Go) => turn,
            (Self::Until(x, ..), Self::Until(y, ..)) if x < y => other,
            (until @ Self::Until(..), _) | (_, until) => until,
        }
    }
}

/// What is known about one limit.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Absent until an answer reports it.
    known: Option<Known>,
    /// An answer reported no limit, so requests are not held back to learn it.
    is_silent: bool,
    /// Requests sent and not answered.
    in_flight: u32,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    limit: u32,
    remaining: u32,
    /// The first moment that is certainly in the next window.
    ends: Instant,
}

impl Known {
    /// How many requests of a window are left to others.
    fn held_back(&self, reserve: f64) -> u32 {
        let held_back = (f64::from(self.limit) * reserve) as u32;
        held_back.min(self.limit.saturating_sub(1))
    }
}

impl Window {
    /// Counts a request as sent.
    pub(super) fn send(&mut self) {
        self.in_flight += 1;
    }

    /// Counts a request as over.
    pub(super) fn settle(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn turn(&mut self, now: Instant, reserve: f64, which: Limit) -> Turn {
        if self.known.is_some_and(|known| now >= known.ends) {
            // A new window has begun. Its first answer tells when it ends.
            self.known = None;
            self.is_silent = false;
        }
        let Some(known) = self.known else {
            // Until the first answer tells the limits, one request goes alone.
            let goes = self.is_silent || self.in_flight == 0;
            return if goes { Turn::Go } else { Turn::OtherRequests };
        };
        let left = known.remaining.saturating_sub(known.held_back(reserve));
        if left == 0 {
            Turn::Until(known.ends, which, known.limit)
        } else if left > self.in_flight {
            Turn::Go
        } else {
            Turn::OtherRequests
        }
    }

    /// What is known at this time, for a forecast.
    pub(super) fn known(&self, now: Instant, reserve: f64, which: Limit) -> Option<KnownLimit> {
        let known = self.known.filter(|known| now < known.ends)?;
        let held_back = known.held_back(reserve);
        Some(KnownLimit {
            scope: which.scope(),
            requests: known.limit,
            usable: known.limit.saturating_sub(held_back),
            left: known.remaining.saturating_sub(held_back),
            window_ends: known.ends - now,
        })
    }

    /// An answer arrived, with or without this limit.
    pub(super) fn learn(&mut self, report: Option<RateLimit>, now: Instant) {
        let Some(report) = report else {
            self.is_silent |= self.known.is_none();
            // The request counted, though the answer does not say so.
            self.spend();
            return;
        };
        let mut learned = Known {
            limit: report.limit,
            remaining: report.remaining,
            ends: now + report.reset + RESET_PRECISION,
        };
        let is_same_window =
            |known: &Known| now < known.ends && learned.ends <= known.ends + 2 * RESET_PRECISION;
        if let Some(known) = self.known.filter(is_same_window) {
            // Answers may overtake each other. The lowest count and the earliest end are true.
            learned.remaining = learned.remaining.min(known.remaining);
            learned.ends = learned.ends.min(known.ends);
        }
        self.known = Some(learned);
    }

    /// One request less is left.
    pub(super) fn spend(&mut self) {
        if let Some(known) = &mut self.known {
            known.remaining = known.remaining.saturating_sub(1);
        }
    }

    /// Nothing is left until this time.
    pub(super) fn exhaust(&mut self, ends: Instant) {
        self.known = Some(Known {
            limit: self.known.map_or(0, |known| known.limit),
            remaining: 0,
            ends,
        });
    }
}
