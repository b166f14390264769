//! What the journal says of targets, whose state records replace.

use connector_core::Result;

use super::format::{Done, Event, PendingRecord};
use super::history::History;
use super::{Inner, Journal};

impl Journal {
    /// Where the history of a target has a record, from a position on, and what came of it.
    pub(crate) fn find_applied(
        &self,
        target: &str,
        from: usize,
        key: &str,
    ) -> Option<(usize, Done)> {
        self.with(|inner| {
            let applied = &inner.history(target)?.applied;
            let mut rest = applied.iter().enumerate().skip(from);
            let (position, (_, done)) = rest.find(|(_, (applied, _))| applied == key)?;
            Some((position, done.clone()))
        })
    }

    /// Whether a record was ever applied to a target.
    pub(crate) fn has_applied(&self, target: &str, key: &str) -> bool {
        self.find_applied(target, 0, key).is_some()
    }

    /// How long the history of a target is.
    pub(crate) fn applied_count(&self, target: &str) -> usize {
        self.with(|inner| {
            inner
                .history(target)
                .map_or(0, |history| history.applied.len())
        })
    }

    /// The record whose state a target has; `None` if that is not certain.
    pub(crate) fn current(&self, target: &str) -> Option<String> {
        self.with(|inner| inner.history(target)?.current().map(str::to_owned))
    }

    /// Whether a record may have been applied that is not known to be.
    pub(crate) fn is_being_applied(&self, target: &str, key: &str) -> bool {
        self.with(|inner| {
            let history = inner.history(target);
            history.is_some_and(|history| history.open.iter().any(|open| open == key))
        })
    }

    /// A record is about to be applied. On disk when this returns.
    pub(crate) async fn apply(&self, target: &str, key: &str) -> Result<()> {
        let (target, key) = (target.to_owned(), key.to_owned());
        self.append(vec![Event::Apply { target, key }], true).await
    }

    /// Records were applied, or are superseded by those after them.
    pub(crate) async fn applied(&self, target: &str, applied: Vec<(String, Done)>) -> Result<()> {
        let applied = applied.into_iter().map(|(key, done)| Event::Applied {
            target: target.to_owned(),
            key,
            done,
        });
        self.append(applied.collect(), false).await
    }

    /// A record was refused: the target has what it had.
    pub(crate) async fn unapplied(&self, target: &str, key: &str) -> Result<()> {
        let (target, key) = (target.to_owned(), key.to_owned());
        self.append(vec![Event::Unapplied { target, key }], false)
            .await
    }

    /// What earlier runs have left to be applied.
    pub(crate) fn pending(&self) -> Vec<(String, PendingRecord)> {
        self.with(|inner| {
            let histories = inner.contents.histories.iter();
            let pending = |(target, history): (&String, &History)| {
                Some((target.clone(), history.pending.clone()?))
            };
            histories.filter_map(pending).collect()
        })
    }

    /// Whether a record is to be applied to a target in the end, and which.
    pub(crate) fn is_pending(&self, target: &str, key: Option<&str>) -> bool {
        self.with(|inner| {
            let pending = inner.history(target).and_then(|one| one.pending.as_ref());
            pending.is_some_and(|pending| key.is_none_or(|key| pending.key == key))
        })
    }

    /// No record is to be applied to a target any more.
    pub(crate) async fn settled(&self, target: &str) -> Result<()> {
        let target = target.to_owned();
        self.append(vec![Event::Settled { target }], false).await
    }
}

impl Inner {
    fn history(&self, target: &str) -> Option<&History> {
        self.contents.histories.get(target)
    }
}
