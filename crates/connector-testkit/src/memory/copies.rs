//! All copies that a connector in memory holds, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_core::{Holder, RunRecord, StreamName};

use crate::copy::{Copy, Table};

/// What one copy holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    pub(super) copy: Copy,
    /// Rows that replace those of a stream once the sync of this name finishes.
    pub(super) staged: BTreeMap<(String, StreamName), Table>,
    /// The history of runs, oldest first.
    pub(super) runs: Vec<RunRecord>,
    /// Who runs the sync of a name.
    pub(super) holders: BTreeMap<String, Holder>,
}

/// All copies.
#[derive(Debug, Clone, Default)]
pub(super) struct Copies(Arc<Mutex<BTreeMap<String, Stored>>>);

impl Copies {
    /// Changes a copy, in one step; it is made if need be.
    pub(super) fn change<T>(&self, name: &str, change: impl FnOnce(&mut Stored) -> T) -> T {
        change(self.all().entry(name.to_owned()).or_default())
    }

    /// Reads a copy; `None` if there is none of this name.
    pub(super) fn read<T>(&self, name: &str, read: impl FnOnce(&Stored) -> T) -> Option<T> {
        self.all().get(name).map(read)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
