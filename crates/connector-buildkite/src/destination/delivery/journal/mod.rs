//! What was sent, on disk before it is sent.
//!
//! A request whose answer is lost, or whose sender is killed, leaves an intent that is *open*: it
//! is probed for before it is sent again.

mod contents;
mod failure;
mod file;
mod format;
mod history;
mod lock;
mod targets;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, Result, State};

use contents::Contents;
use file::JournalFile;
use format::Event;
pub(crate) use format::{AwaitedBuild, Done, PendingRecord, ResultKey};

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
    /// Absent if nothing is written to disk.
    file: Option<JournalFile>,
    /// Whether there is a file, written to or not.
    is_kept: bool,
    contents: Contents,
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

    /// What a file says, without holding it. Nothing that is added outlives the process.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), but for other processes.
    pub(crate) async fn read(path: PathBuf) -> Result<Self> {
        let contents = blocking(move || JournalFile::read(&path)).await?;
        let inner = Inner {
            file: None,
            is_kept: true,
            contents,
        };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// Whether it outlives the process.
    pub(crate) fn is_kept(&self) -> bool {
        self.with(|inner| inner.is_kept)
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

    /// The builds whose end a sync awaits, the oldest duty first.
    pub(crate) fn awaited(&self, sync: &str) -> Vec<AwaitedBuild> {
        self.with(|inner| {
            inner
                .contents
                .awaited
                .get(sync)
                .cloned()
                .unwrap_or_default()
        })
    }

    /// A sync owes the result of a record until its build has ended.
    pub(crate) async fn awaits(&self, sync: &str, build: AwaitedBuild) -> Result<()> {
        let sync = sync.to_owned();
        self.append(vec![Event::Awaited { sync, build }], false)
            .await
    }

    /// Makes everything durable, and with it the state of a sync. The host has stored the results
    /// `reported`; the records `pending` are to be applied to their targets in the end.
    pub(crate) async fn commit(
        &self,
        sync: &str,
        (reported, pending): (Vec<ResultKey>, Vec<(String, PendingRecord)>),
        state: Option<&State>,
    ) -> Result<()> {
        let reported = reported.into_iter().map(|result| Event::Reported {
            sync: sync.to_owned(),
            result,
        });
        let mut events: Vec<_> = reported.collect();
        let pending = pending.into_iter();
        events.extend(pending.map(|(target, record)| Event::Pending { target, record }));
        events.extend(state.map(|state| Event::State {
            sync: sync.to_owned(),
            state: state.clone(),
        }));
        self.append(events, true).await
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
        let (file, contents) = JournalFile::open(path)?;
        Ok(Self {
            file: Some(file),
            is_kept: true,
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
