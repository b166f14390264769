//! What was applied to a target.

use super::format::{Done, Event, PendingRecord};

/// What the journal says of a target.
#[derive(Default)]
pub(super) struct History {
    /// The records that were applied, in their order.
    pub(super) applied: Vec<(String, Done)>,
    /// Records that may have been applied after those.
    pub(super) open: Vec<String>,
    /// To be applied when the input has ended.
    pub(super) pending: Option<PendingRecord>,
}

impl History {
    pub(super) fn apply(&mut self, key: String) {
        if !self.open.contains(&key) {
            self.open.push(key);
        }
    }

    pub(super) fn applied(&mut self, key: String, done: Done) {
        self.open.clear();
        self.applied.push((key, done));
    }

    pub(super) fn unapplied(&mut self, key: &str) {
        self.open.retain(|open| open != key);
    }

    /// The record whose state the target has; `None` if that is not certain.
    pub(super) fn current(&self) -> Option<&str> {
        let (key, _) = self.applied.last()?;
        self.open.is_empty().then_some(key)
    }

    /// The lines that say the same.
    pub(super) fn to_events(&self, target: &str) -> Vec<Event> {
        let target = || target.to_owned();
        let applied = self.applied.iter().cloned();
        let applied = applied.map(|(key, done)| Event::Applied {
            target: target(),
            key,
            done,
        });
        let open = self.open.iter().cloned().map(|key| Event::Apply {
            target: target(),
            key,
        });
        let pending = self.pending.iter().cloned().map(|record| Event::Pending {
            target: target(),
            record,
        });
        applied.chain(open).chain(pending).collect()
    }
}
