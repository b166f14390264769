//! One reader's share of a rate limit, when several processes read with the same token.
//!
//! The readers do not know each other, so each must be certain by itself that all together stay
//! within the limit. Of a window, each spends its share early, except for one request. That one it
//! keeps for the last ten seconds, when nobody spends from the share any more. Its answer shows how
//! much the others have left over, and the reader may use its share of that.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// What is left over may be used in this time before a window ends.
const LATE: Duration = Duration::from_secs(10);
/// Nothing is sent in this time before a window ends, since it might count in the next one.
const TOO_LATE: Duration = Duration::from_secs(3);
/// Shares are spent until this time before a window ends. The readers' ideas of the end differ by up
/// to a second or two, since answers report it in whole seconds.
const QUIET: Duration = Duration::from_secs(15);

/// One reader's share of a rate limit: one part of as many as there are readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    readers: NonZeroU32,
}

impl Share {
    /// The share of one of this many readers. With more readers than requests per window, each
    /// still sends one per window, and the server refuses some of them for a while.
    pub fn of(readers: NonZeroU32) -> Self {
        Self { readers }
    }

    /// The part of a number of requests.
    pub(super) fn part(self, requests: u32) -> u32 {
        requests / self.readers
    }

    /// The part of what a reader sees left over. The others have not necessarily seen it yet, and
    /// each will send a request to see it.
    fn part_of_rest(self, remaining: u32) -> u32 {
        self.part(remaining.saturating_sub(self.readers.get() - 1))
    }
}

/// When a request may be sent, as far as the share is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// Now.
    Now,
    /// When an answer shows what is left over.
    AfterAnswer,
    /// At this time.
    At(Instant),
    /// Not in this window.
    NextWindow,
}

/// What a reader has spent of its share of one window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spending {
    /// Requests that may be sent in this window, apart from what is left over. `None` until an
    /// answer tells.
    share: Option<u32>,
    sent: u32,
    sent_late: u32,
    /// Requests that may be sent in the last seconds, in addition to one. `None` until an answer to
    /// a late request tells.
    rest: Option<u32>,
}

impl Spending {
    /// The spending of a window that has just begun. The reader has the whole of its share.
    pub(super) fn of_new_window(share: Share, usable: u32) -> Self {
        Self {
            share: Some(share.part(usable).max(1)),
            ..Self::default()
        }
    }

    pub(super) fn allowance(&self, now: Instant, ends: Option<Instant>) -> Allowance {
        let Some(share) = self.share else {
            // The first request of all goes alone. Its answer tells.
            return Allowance::Now;
        };
        let Some(ends) = ends else {
            return if self.sent < early(share) {
                Allowance::Now
            } else {
                Allowance::AfterAnswer
            };
        };
        let left = ends.saturating_duration_since(now);
        if left <= TOO_LATE {
            Allowance::NextWindow
        } else if left <= LATE {
            self.late_allowance(share)
        } else if left > QUIET && self.sent < early(share) {
            Allowance::Now
        } else {
            Allowance::At(ends - LATE)
        }
    }

    fn late_allowance(&self, share: u32) -> Allowance {
        let has_one_left = self.sent < share;
        match self.rest {
            Some(rest) if self.sent_late <= rest => Allowance::Now,
            Some(_) => Allowance::NextWindow,
            None if self.sent_late > 0 => Allowance::AfterAnswer,
            None if has_one_left => Allowance::Now,
            None => Allowance::NextWindow,
        }
    }

    /// Counts a request.
    pub(super) fn send(&mut self, now: Instant, ends: Option<Instant>) {
        self.sent = self.sent.saturating_add(1);
        if is_late(now, ends) {
            self.sent_late = self.sent_late.saturating_add(1);
        }
    }

    /// An answer shows what remains of the window, apart from what is held back. `was_late` tells
    /// whether its request was sent in the last seconds.
    pub(super) fn learn(&mut self, share: Share, usable: u32, remaining: u32, was_late: bool) {
        let rest = share.part_of_rest(remaining);
        if self.share.is_none() {
            // Nobody knows what this reader's predecessor has spent of the window.
            let whole = share.part(usable).max(1);
            self.share = Some(rest.saturating_add(self.sent).clamp(1, whole));
            self.sent_late = if was_late { self.sent } else { 0 };
        }
        if was_late && self.rest.is_none() {
            self.rest = Some(rest);
        }
    }

    /// How much of the share is left.
    pub(super) fn left(&self) -> Option<u32> {
        Some(self.share?.saturating_sub(self.sent))
    }
}

/// How much of a share is spent early.
fn early(share: u32) -> u32 {
    if share > 1 { share - 1 } else { share }
}

/// Whether a moment is in the last seconds of a window.
pub(super) fn is_late(at: Instant, ends: Option<Instant>) -> bool {
    ends.is_some_and(|ends| ends.saturating_duration_since(at) <= LATE)
}
