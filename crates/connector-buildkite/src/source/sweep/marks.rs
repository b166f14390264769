//! The two marks of a coverage, and what a read lists because of them.
//!
//! `top` is where the next read begins with what is new. `synced` is the moment since which it looks
//! for changes. Both come from the server: from the clock of its answers and from the times that it
//! wrote into builds, never from the clock of this machine.

use buildkite_client::ListingProgress;
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Error, ErrorKind, Result};

use super::listing::BuildFilter;
use super::partition::Partition;
use crate::source::overlap;
use crate::source::state::Coverage;
use crate::streams::OPEN_STATES;

/// The states to request as open where blocked builds have no end.
pub(crate) const OPEN_OR_BLOCKED: &[&str] = &[
    "creating",
    "scheduled",
    "running",
    "failing",
    "canceling",
    "blocked",
];
/// The server's clock may be behind what it said before, but not by a day.
const LARGEST_SKEW: TimeDelta = TimeDelta::days(1);

/// When a read began, by the server's clock: `latest` is the latest time that the server wrote into
/// a build read so far, and never ahead of that clock. The clock of its answers may be, so the
/// earlier of the two counts.
pub(crate) fn mark(
    first: &ListingProgress,
    latest: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    let latest = latest?;
    Some(first.server_time.map_or(latest, |now| now.min(latest)))
}

impl Coverage {
    /// From which creation time on builds count as new; absent for any.
    pub(crate) fn new_since(&self) -> Option<DateTime<Utc>> {
        if self.is_nothing() {
            return self.created_from;
        }
        self.created_from.max(Some(self.top - overlap::CREATED))
    }

    /// Checks that it does not lie ahead of the server's clock.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if it does.
    pub(crate) fn expect_past(&self, now: Option<DateTime<Utc>>) -> Result<()> {
        if now.is_none_or(|now| self.top <= now + LARGEST_SKEW) {
            return Ok(());
        }
        let message = format!(
            "the saved state says that builds up to {} have been read, which is ahead of the \
             server's clock; restore it, or remove it to read everything again",
            self.top
        );
        Err(Error::new(ErrorKind::State, message))
    }

    /// Which builds have changed since it was saved, of those created before `since`: those that
    /// are open now, and then those that finished.
    pub(crate) fn changes(&self, since: DateTime<Utc>) -> Vec<BuildFilter> {
        if self.created_from.is_some_and(|from| from >= since) {
            return Vec::new();
        }
        let older = BuildFilter {
            from: self.created_from,
            to: Some(since),
            ..BuildFilter::default()
        };
        let open_now = BuildFilter {
            states: if self.blocked_are_open {
                OPEN_OR_BLOCKED
            } else {
                OPEN_STATES
            },
            ..older.clone()
        };
        let finished_since = BuildFilter {
            finished_from: Some(self.synced - overlap::FINISHED),
            ..older
        };
        vec![open_now, finished_since]
    }
}

impl Partition {
    /// The first page has been read: the upper end moves.
    pub(super) fn begin(&mut self, first: &ListingProgress) -> Result<()> {
        let past = self.coverage.expect_past(first.server_time);
        past.map_err(|error| error.with_context("stream", &self.listing.stream))?;
        self.coverage.is_lost = false;
        self.coverage.is_carried = false;
        if let Some(mark) = mark(first, self.latest) {
            if self.coverage.is_nothing() {
                self.coverage.synced = mark;
            }
            self.coverage.top = self.coverage.top.max(mark);
        }
        Ok(())
    }

    /// What is open and what finished has been read.
    pub(super) fn has_seen_changes(&mut self, first: &ListingProgress) {
        if let Some(mark) = mark(first, self.latest) {
            self.coverage.synced = self.coverage.synced.max(mark);
        }
    }

    /// What changed since the last read, of the builds created before `since`.
    pub(crate) fn changed_since(&self, since: DateTime<Utc>) -> Vec<BuildFilter> {
        let changes = self.coverage.changes(since).into_iter();
        let for_all = |filter| BuildFilter {
            streams: self.streams(),
            ..filter
        };
        changes.map(for_all).collect()
    }
}
