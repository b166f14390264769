//! What was sent, on disk before it is sent.
//!
//! A request whose answer is lost, or whose sender is killed, leaves an intent that is *open*: it
//! is probed for before it is sent again.

mod file;
mod format;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, Result, State};

use file::JournalFile;
pub(crate) use format::Done;
use format::Event;

/// What the journal knows of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Sent at this time, or about to be. What came of it is unknown.
    Open(DateTime<Utc>),
    /// Done.
    Done(Done),
}

/// The journal. Clones share it.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Absent if nothing is kept on disk.
    file: Option<JournalFile>,
    contents: Contents,
}

/// What the lines say, taken together.
#[derive(Default)]
struct Contents {
    entries: HashMap<(String, String), Entry>,
    covered: HashMap<String, DateTime<Utc>>,
    states: HashMap<String, State>,
}

impl Journal {
    /// Opens the file, or makes it. Without a path nothing outlives the process.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be opened or another process holds it,
    /// [`ErrorKind::State`] if it is damaged or something else.
    pub(crate) async fn open(path: Option<PathBuf>) -> Result<Self> {
        let inner = match path {
            None => Inner::default(),
            Some(path) => blocking(move || Inner::open(path)).await?,
        };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// What it knows of a record at a place.
    pub(crate) fn entry(&self, to: &str, key: &str) -> Option<Entry> {
        let id = (to.to_owned(), key.to_owned());
        self.with(|inner| inner.contents.entries.get(&id).cloned())
    }

    /// Whether a record there has the build of this number.
    pub(crate) fn has_number(&self, to: &str, number: Option<u64>) -> bool {
        self.with(|inner| {
            let mut entries = inner.contents.entries.iter();
            entries.any(|((place, _), entry)| {
                place == to && matches!(entry, Entry::Done(done) if done.number == number)
            })
        })
    }

    /// Until when it knows everything that was sent there, by anybody; `None` if it does not.
    pub(crate) fn covered(&self, to: &str) -> Option<DateTime<Utc>> {
        self.with(|inner| inner.contents.covered.get(to).copied())
    }

    /// The state of a sync.
    pub(crate) fn state(&self, sync: &str) -> Option<State> {
        self.with(|inner| inner.contents.states.get(sync).cloned())
    }

    /// A request is about to be sent. On disk when this returns.
    pub(crate) async fn intend(&self, to: &str, key: &str, at: DateTime<Utc>) -> Result<()> {
        let (to, key) = (to.to_owned(), key.to_owned());
        self.append(vec![Event::Intent { to, key, at }], true).await
    }

    /// It was carried out.
    pub(crate) async fn done(&self, to: &str, key: &str, done: Done) -> Result<()> {
        let (to, key) = (to.to_owned(), key.to_owned());
        self.append(vec![Event::Done { to, key, done }], false)
            .await
    }

    /// It was refused: nothing was done.
    pub(crate) async fn refused(&self, to: &str, key: &str) -> Result<()> {
        let (to, key) = (to.to_owned(), key.to_owned());
        self.append(vec![Event::Refused { to, key }], false).await
    }

    /// What was found at Buildkite: everything up to `until`.
    pub(crate) async fn cover(
        &self,
        to: &str,
        found: impl IntoIterator<Item = (String, Done)>,
        until: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let done = |(key, done)| Event::Done {
            to: to.to_owned(),
            key,
            done,
        };
        let mut events: Vec<_> = found.into_iter().map(done).collect();
        events.extend(until.map(|until| Event::Covered {
            to: to.to_owned(),
            until,
        }));
        self.append(events, false).await
    }

    /// Makes everything durable, and the state of a sync with it.
    pub(crate) async fn commit(&self, sync: &str, state: Option<&State>) -> Result<()> {
        let event = state.map(|state| Event::State {
            sync: sync.to_owned(),
            state: state.clone(),
        });
        self.append(event.into_iter().collect(), true).await
    }

    async fn append(&self, events: Vec<Event>, is_durable: bool) -> Result<()> {
        let journal = self.clone();
        blocking(move || journal.with(|inner| inner.append(events, is_durable))).await
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn open(path: PathBuf) -> Result<Self> {
        let mut contents = Contents::default();
        let file = JournalFile::open(path, |event| contents.take(event))?;
        Ok(Self {
            file: Some(file),
            contents,
        })
    }

    fn append(&mut self, events: Vec<Event>, is_durable: bool) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.append(&events, is_durable)?;
        }
        events
            .into_iter()
            .for_each(|event| self.contents.take(event));
        Ok(())
    }
}

impl Contents {
    fn take(&mut self, event: Event) {
        match event {
            Event::Journal { .. } => {}
            Event::Intent { to, key, at } => {
                self.entries.insert((to, key), Entry::Open(at));
            }
            Event::Done { to, key, done } => {
                self.entries.insert((to, key), Entry::Done(done));
            }
            Event::Refused { to, key } => {
                self.entries.remove(&(to, key));
            }
            Event::Covered { to, until } => {
                self.covered.insert(to, until);
            }
            Event::State { sync, state } => {
                self.states.insert(sync, state);
            }
        }
    }
}

/// Runs on a thread of its own: a slow disk holds up nobody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        let message = "a call of the journal was cut off";
        Err(Error::new(ErrorKind::Internal, message).with_source(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: &str = "builds acme/web";

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn seven() -> Done {
        Done {
            number: Some(7),
            ..Done::default()
        }
    }

    #[tokio::test]
    async fn what_was_written_is_there_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("journal"));
        let journal = Journal::open(path.clone()).await.unwrap();
        for key in ["done", "refused", "open"] {
            journal.intend(TO, key, now()).await.unwrap();
        }
        journal.done(TO, "done", seven()).await.unwrap();
        journal.refused(TO, "refused").await.unwrap();
        journal.cover(TO, [], Some(now())).await.unwrap();
        let state = State::new("acme", 1);
        journal.commit("nightly", Some(&state)).await.unwrap();
        drop(journal);

        let journal = Journal::open(path).await.unwrap();
        assert_eq!(journal.entry(TO, "done"), Some(Entry::Done(seven())));
        assert_eq!(journal.entry(TO, "refused"), None);
        assert_eq!(journal.entry(TO, "open"), Some(Entry::Open(now())));
        assert_eq!(journal.entry("builds acme/other", "open"), None);
        assert_eq!(journal.covered(TO), Some(now()));
        assert_eq!(journal.state("nightly"), Some(state));
    }

    #[tokio::test]
    async fn a_line_that_is_cut_off_is_dropped_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(Some(path.clone())).await.unwrap();
        journal.intend(TO, "one", now()).await.unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let journal = Journal::open(Some(path.clone())).await.unwrap();
            assert_eq!(journal.entry(TO, "one"), None, "{end}");
        }

        std::fs::write(&path, [&whole[..first], b"{}\n", &whole[first..]].concat()).unwrap();
        let error = Journal::open(Some(path)).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("line: 2"), "{error}");
    }

    #[tokio::test]
    async fn two_senders_do_not_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("journal"));
        let _first = Journal::open(path.clone()).await.unwrap();
        let error = Journal::open(path).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("another process"), "{error}");
    }
}
