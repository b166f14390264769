//! The two marks of a coverage, and what a sync reads because of them.
//!
//! `top` is where the next sync begins with what is new; `synced` from when on it looks for what
//! changed. Both are told by the server: by the clock of its answers and by the times that it
//! wrote into builds, never by the clock of this machine.

use buildkite_client::ListingProgress;
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Error, ErrorKind, Result};

use super::found::OPEN;
use super::lists::Which;
use super::partition::Partition;
use crate::state::Coverage;

/// What is asked for as open where blocked builds have no end.
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

impl Partition {
    /// From when on builds count as new; absent for ever.
    pub(crate) fn since(&self) -> Option<DateTime<Utc>> {
        if self.coverage.is_nothing() {
            return self.coverage.created_from;
        }
        let overlap = self.coverage.top - self.pass.rules.overlap;
        self.coverage.created_from.max(Some(overlap))
    }

    /// The first page has been read: the upper end moves.
    pub(super) fn begin(&mut self, first: &ListingProgress) -> Result<()> {
        let now = first.server_time;
        if now.is_some_and(|now| self.coverage.top > now + LARGEST_SKEW) {
            return Err(self.future_state());
        }
        if let Some(mark) = self.mark(first) {
            if self.coverage.is_nothing() {
                self.coverage.synced = mark;
            }
            self.coverage.top = self.coverage.top.max(mark);
        }
        Ok(())
    }

    /// What is open and what finished has been read.
    pub(super) fn has_seen_changes(&mut self, first: &ListingProgress) {
        let mark = self.mark(first);
        self.coverage.synced = self
            .coverage
            .synced
            .max(mark.unwrap_or(self.coverage.synced));
    }

    /// When this sync began, by the server's clock. What the server wrote into builds is never
    /// ahead of that clock, and the clock of its answers may be: the earlier of the two counts.
    fn mark(&self, first: &ListingProgress) -> Option<DateTime<Utc>> {
        let latest = self.latest?;
        Some(first.server_time.map_or(latest, |now| now.min(latest)))
    }

    /// What is open now and what finished since the last sync, of all builds created before.
    pub(crate) fn changed_since(&self, since: DateTime<Utc>) -> Vec<Which> {
        let Coverage {
            created_from,
            synced,
            blocked_are_open,
            ..
        } = self.coverage;
        if created_from.is_some_and(|from| from >= since) {
            return Vec::new();
        }
        let older = Which {
            streams: self.streams(),
            from: created_from,
            to: Some(since),
            ..Which::default()
        };
        let states = match blocked_are_open {
            true => OPEN_OR_BLOCKED,
            false => OPEN,
        };
        let open_now = Which {
            states,
            ..older.clone()
        };
        let finished_since = Which {
            finished_from: Some(synced - self.pass.rules.finish_overlap),
            ..older
        };
        let has_finished = self.pass.rules.finished_since.then_some(finished_since);
        [open_now].into_iter().chain(has_finished).collect()
    }

    fn future_state(&self) -> Error {
        let message = format!(
            "the saved state says that builds up to {} have been read, which lies ahead of the \
             server's clock; restore it, or remove it to read everything again",
            self.coverage.top
        );
        Error::new(ErrorKind::State, message).with_context("stream", &self.lists.stream)
    }
}
