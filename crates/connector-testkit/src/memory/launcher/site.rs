//! Where things are launched, and the journals that remember what is owed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_core::{Error, ErrorKind, Result, State};

/// How often a launch must be looked at before it has ended.
const LOOKS: u32 = 2;

/// All launches and journals. Its clones are the same site.
#[derive(Clone, Default)]
pub(super) struct Site(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    launches: Vec<Launch>,
    journals: BTreeMap<String, Journal>,
    /// How many more launches succeed; absent if all do.
    left: Option<u64>,
}

struct Launch {
    journal: String,
    key: String,
    looks: u32,
}

/// What is durable under the name of a journal.
#[derive(Default)]
pub(super) struct Journal {
    /// Keys of launches whose results are owed.
    pub(super) owed: BTreeSet<String>,
    pub(super) states: BTreeMap<String, State>,
}

impl Site {
    pub(super) fn count(&self, journal: &str) -> usize {
        let inner = self.inner();
        let launches = inner.launches.iter();
        launches.filter(|launch| launch.journal == journal).count()
    }

    pub(super) fn break_after(&self, launches: u64) {
        self.inner().left = Some(launches);
    }

    pub(super) fn mend(&self) {
        self.inner().left = None;
    }

    /// Launches, and remembers that the result is owed.
    pub(super) fn launch(&self, journal: &str, key: &str) -> Result<()> {
        let mut inner = self.inner();
        if inner.left == Some(0) {
            let message = "the site does not answer; try again later";
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        inner.left = inner.left.map(|left| left - 1);
        inner.launches.push(Launch {
            journal: journal.to_owned(),
            key: key.to_owned(),
            looks: 0,
        });
        let journal = inner.journals.entry(journal.to_owned()).or_default();
        journal.owed.insert(key.to_owned());
        Ok(())
    }

    /// The number of a launch; `None` if there was none with this key.
    pub(super) fn number(&self, journal: &str, key: &str) -> Option<u64> {
        let inner = self.inner();
        let mut launches = inner.launches.iter();
        let at = launches.position(|launch| launch.journal == journal && launch.key == key)?;
        Some(at as u64 + 1)
    }

    /// Looks at a launch once more, and says whether it has ended.
    pub(super) fn has_ended(&self, journal: &str, key: &str) -> bool {
        let mut inner = self.inner();
        let mut launches = inner.launches.iter_mut();
        let launch = launches.find(|launch| launch.journal == journal && launch.key == key);
        launch.is_none_or(|launch| {
            launch.looks += 1;
            launch.looks >= LOOKS
        })
    }

    /// Changes a journal, in one step.
    pub(super) fn journal<T>(&self, name: &str, change: impl FnOnce(&mut Journal) -> T) -> T {
        change(self.inner().journals.entry(name.to_owned()).or_default())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let launches = self.inner().launches.len();
        let mut site = f.debug_struct("Site");
        site.field("launches", &launches).finish_non_exhaustive()
    }
}
