//! One rate limit: what is left of its current window, and when the window ends.
//!
//! `Reset` comes in whole seconds, and nothing says whether they are rounded up or down. So a
//! window may end up to a second after the time in the header. Every answer narrows that down: the
//! earliest `arrival + reset + 1 s` is the first moment that is certainly after the end.

use std::time::{Duration, Instant};

use super::headers::RateLimit;
use super::known_limit::KnownLimit;
use super::share::{Allowance, Share, Spending, is_late};

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

/// How much of a limit may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) limit: Limit,
    /// Share that is left to other users, 0.0 to 0.9.
    pub(super) reserve: f64,
    /// Share of the rest that is this reader's. `None` for all of it.
    pub(super) share: Option<Share>,
}

/// What a request has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Go,
    /// Nothing may be sent until this time. The limit has this size.
    Until(Instant, Limit, u32),
    /// Requests in flight have taken what is left.
    OtherRequests,
}

impl Turn {
    /// What a request has to do if both windows must allow it. The later time counts.
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
    /// The first moment that was certainly after the window before this one.
    previous_end: Option<Instant>,
    spending: Spending,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    limit: u32,
    remaining: u32,
    /// The first moment that is certainly in the next window. `None` for a window that has begun
    /// without an answer yet: the limit is the one of the window before.
    ends: Option<Instant>,
    /// The server refused a request, so the count cannot be trusted.
    was_refused: bool,
}

impl Known {
    /// How many requests of a window may be used.
    fn usable(&self, policy: &Policy) -> u32 {
        self.limit - self.held_back(policy)
    }

    /// How many requests of a window are left to others.
    fn held_back(&self, policy: &Policy) -> u32 {
        let held_back = (f64::from(self.limit) * policy.reserve) as u32;
        held_back.min(self.limit.saturating_sub(1))
    }

    /// How many requests of this window may still be used.
    fn left(&self, policy: &Policy) -> u32 {
        self.remaining.saturating_sub(self.held_back(policy))
    }
}

impl Window {
    pub(super) fn turn(&mut self, now: Instant, policy: &Policy) -> Turn {
        self.roll_over(now, policy);
        let Some(known) = self.known else {
            // Until the first answer tells the limits, one request goes alone.
            let goes = self.is_silent || self.in_flight == 0;
            return if goes { Turn::Go } else { Turn::OtherRequests };
        };
        let left = known.left(policy);
        if left == 0 {
            self.wait(known.ends, &known, policy)
        } else if left <= self.in_flight {
            Turn::OtherRequests
        } else if policy.share.is_none() {
            Turn::Go
        } else {
            match self.spending.allowance(now, known.ends) {
                Allowance::Now => Turn::Go,
                Allowance::At(time) => self.wait(Some(time), &known, policy),
                Allowance::AfterAnswer if self.in_flight > 0 => Turn::OtherRequests,
                Allowance::AfterAnswer | Allowance::NextWindow => {
                    self.wait(known.ends, &known, policy)
                }
            }
        }
    }

    /// Waits until a time. If that is unknown, an answer will tell.
    fn wait(&self, until: Option<Instant>, known: &Known, policy: &Policy) -> Turn {
        match until {
            Some(time) => Turn::Until(time, policy.limit, known.limit),
            None if self.in_flight > 0 => Turn::OtherRequests,
            None => Turn::Go,
        }
    }

    /// Begins a new window when the current one has certainly ended. It is likely to have the same
    /// limit, so requests do not have to wait for its first answer.
    fn roll_over(&mut self, now: Instant, policy: &Policy) {
        let Some(known) = self.known else { return };
        let Some(ends) = known.ends.filter(|ends| now >= *ends) else {
            return;
        };
        self.previous_end = Some(ends);
        self.is_silent = false;
        self.spending = match policy.share {
            Some(share) => Spending::of_new_window(share, known.usable(policy)),
            None => Spending::default(),
        };
        self.known = (!known.was_refused).then_some(Known {
            remaining: known.limit,
            ends: None,
            ..known
        });
    }

    /// Counts a request as sent.
    pub(super) fn send(&mut self, now: Instant) {
        self.in_flight += 1;
        self.spending.send(now, self.ends());
    }

    /// Counts a request as over.
    pub(super) fn settle(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn ends(&self) -> Option<Instant> {
        self.known.and_then(|known| known.ends)
    }

    /// What is known at this time, for a forecast.
    pub(super) fn known(&self, now: Instant, policy: &Policy) -> Option<KnownLimit> {
        let known = self.known?;
        let ends = known.ends.filter(|ends| now < *ends)?;
        let usable = known.usable(policy);
        let share = policy.share.map(|share| share.part(usable).max(1));
        let left = known.left(policy);
        Some(KnownLimit {
            scope: policy.limit.scope(),
            requests: known.limit,
            usable: share.unwrap_or(usable),
            left: match policy.share {
                Some(_) => self.spending.left().unwrap_or(0).min(left),
                None => left,
            },
            window_ends: ends - now,
        })
    }

    /// An answer arrived now, with or without this limit, to a request sent at a certain time.
    pub(super) fn learn(
        &mut self,
        report: Option<RateLimit>,
        sent: Instant,
        now: Instant,
        policy: &Policy,
    ) {
        let Some(report) = report else {
            return self.learn_nothing();
        };
        // The window may have ended this early, according to the report.
        let earliest = sent + report.reset;
        if self.is_about_the_window_before(sent, earliest) {
            return;
        }
        let learned = self.merged(
            Known {
                limit: report.limit,
                remaining: report.remaining,
                ends: Some(now + report.reset + RESET_PRECISION),
                was_refused: false,
            },
            earliest,
            now,
        );
        self.known = Some(learned);
        if let Some(share) = policy.share {
            let was_late = is_late(sent, learned.ends);
            let (usable, left) = (learned.usable(policy), learned.left(policy));
            self.spending.learn(share, usable, left, was_late);
        }
    }

    /// Whether an answer took so long that a new window has begun meanwhile.
    fn is_about_the_window_before(&self, sent: Instant, earliest: Instant) -> bool {
        let is_about = |end| sent < end && earliest <= end + RESET_PRECISION;
        self.known.is_some() && self.previous_end.is_some_and(is_about)
    }

    /// What is learned about the current window, or about a new one. Answers may overtake each
    /// other, so of one window the lowest count and the earliest end are true.
    fn merged(&self, learned: Known, earliest: Instant, now: Instant) -> Known {
        let is_same = |end: &Instant| now < *end && earliest <= *end + RESET_PRECISION;
        match self.known {
            Some(known) if known.ends.as_ref().is_some_and(is_same) => Known {
                limit: learned.limit,
                remaining: learned.remaining.min(known.remaining),
                ends: learned.ends.min(known.ends),
                was_refused: known.was_refused,
            },
            _ => learned,
        }
    }

    fn learn_nothing(&mut self) {
        match self.known {
            // The request counted, though the answer does not say so.
            Some(known) if known.ends.is_some() => self.spend(),
            _ => (self.known, self.is_silent) = (None, true),
        }
    }

    /// One request less is left.
    pub(super) fn spend(&mut self) {
        if let Some(known) = &mut self.known {
            known.remaining = known.remaining.saturating_sub(1);
        }
    }

    /// The server refused a request. Nothing is left until this time.
    pub(super) fn exhaust(&mut self, ends: Instant) {
        self.known = Some(Known {
            limit: self.known.map_or(0, |known| known.limit),
            remaining: 0,
            ends: Some(ends),
            was_refused: true,
        });
    }
}
