//! How far a run is in the history of each target.
//!
//! A target is something whose state records replace: an annotation, a pipeline. Its history in
//! the journal is the sequence of records that were applied to it. The same input again runs
//! along the history and sends nothing. A record that the rest of the history does not have is
//! sent, and is its end. When the input ends, the last record of each target must be the last one
//! applied; if it is not, it is sent then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use connector_core::Result;

use super::journal::{Done, Journal};

/// The targets of a run. Clones share them.
#[derive(Clone)]
pub(crate) struct Targets {
    journal: Journal,
    progress: Arc<Mutex<HashMap<String, Progress>>>,
}

/// How far a run is in one history.
#[derive(Default)]
struct Progress {
    /// The first entry of the history that this run has not come to.
    position: usize,
    /// The records that this run has found in the history since it added to it.
    found: Vec<(String, Done)>,
    /// The last record.
    last: Option<(String, Done)>,
}

/// What the history says of a record.
pub(crate) struct Recalled {
    pub(crate) done: Done,
    /// Whether the target has that state now: nothing was applied after it.
    pub(crate) is_current: bool,
}

impl Targets {
    pub(super) fn new(journal: Journal) -> Self {
        Self {
            journal,
            progress: Arc::default(),
        }
    }

    /// What the rest of a target's history says of a record; `None` if it must be applied.
    pub(crate) fn recall(&self, target: &str, key: &str) -> Option<Recalled> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = progress.entry(target.to_owned()).or_default();
        let done = match &progress.last {
            Some((last, done)) if last == key => done.clone(),
            _ => {
                let (position, done) = self.journal.find_applied(target, progress.position, key)?;
                progress.position = position + 1;
                progress.found.push((key.to_owned(), done.clone()));
                done
            }
        };
        progress.last = Some((key.to_owned(), done.clone()));
        Some(Recalled {
            done,
            is_current: self.journal.current(target).as_deref() == Some(key),
        })
    }

    /// A record was applied. What this run has found before it belongs in front of it, so that
    /// the history has the records in the order of the input.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn append(&self, target: &str, key: &str, done: Done) -> Result<()> {
        let applied = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            let progress = progress.entry(target.to_owned()).or_default();
            let is_behind = progress.position < self.journal.applied_count(target);
            let mut applied = std::mem::take(&mut progress.found);
            applied.pop_if(|(last, _)| last == key);
            if !is_behind {
                applied.clear();
            }
            applied.push((key.to_owned(), done.clone()));
            progress.position = self.journal.applied_count(target) + applied.len();
            progress.last = Some((key.to_owned(), done));
            applied
        };
        self.journal.applied(target, applied).await
    }
}
