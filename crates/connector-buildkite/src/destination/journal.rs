//! What was sent, on disk before it is sent.
//!
//! A file of JSON lines that only grows. A request whose answer is lost, or whose sender is
//! killed, leaves an entry that is *open*: it is looked for before it is sent again.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, Result, State};
use serde::{Deserialize, Serialize};

use super::private;

const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    /// The first.
    Journal { version: u32 },
    /// It is about to be sent.
    Intent {
        to: String,
        key: String,
        at: DateTime<Utc>,
    },
    /// It was done.
    Done { to: String, key: String, done: Done },
    /// It was refused: nothing was done, and it may be sent again.
    Refused { to: String, key: String },
    /// All that was ever sent there up to this time is in the journal.
    Covered { to: String, until: DateTime<Utc> },
    /// Where a sync got to.
    State { sync: String, state: State },
}

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// The number of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// When the build was created, as Buildkite writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<String>,
}

/// How a record stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Sent at this time, or about to be; what came of it is not known.
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
    file: Option<(File, PathBuf)>,
    entries: HashMap<(String, String), Entry>,
    covered: HashMap<String, DateTime<Utc>>,
    states: HashMap<String, State>,
}

impl Journal {
    /// Opens the file, or makes it; without a path nothing outlives the process.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be opened or another process has it,
    /// [`ErrorKind::State`] if it is damaged or something else.
    pub(crate) async fn open(path: Option<PathBuf>) -> Result<Self> {
        let inner = match path {
            None => Inner::default(),
            Some(path) => blocking(move || Inner::open(path)).await?,
        };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    pub(crate) fn entry(&self, to: &str, key: &str) -> Option<Entry> {
        let id = (to.to_owned(), key.to_owned());
        self.with(|inner| inner.entries.get(&id).cloned())
    }

    /// Whether a record there has the build of this number.
    pub(crate) fn has_number(&self, to: &str, number: Option<u64>) -> bool {
        self.with(|inner| {
            let mut entries = inner.entries.iter();
            entries.any(|((place, _), entry)| {
                place == to && matches!(entry, Entry::Done(done) if done.number == number)
            })
        })
    }

    /// Until when everything that was sent there, by whomever, is known; `None` if it is not.
    pub(crate) fn covered(&self, to: &str) -> Option<DateTime<Utc>> {
        self.with(|inner| inner.covered.get(to).copied())
    }

    pub(crate) fn state(&self, sync: &str) -> Option<State> {
        self.with(|inner| inner.states.get(sync).cloned())
    }

    /// On disk when this returns.
    pub(crate) async fn intend(&self, to: &str, key: &str, at: DateTime<Utc>) -> Result<()> {
        let (to, key) = (to.to_owned(), key.to_owned());
        self.append(vec![Line::Intent { to, key, at }], true).await
    }

    pub(crate) async fn done(&self, to: &str, key: &str, done: Done) -> Result<()> {
        let (to, key) = (to.to_owned(), key.to_owned());
        self.append(vec![Line::Done { to, key, done }], false).await
    }

    pub(crate) async fn refused(&self, to: &str, key: &str) -> Result<()> {
        let (to, key) = (to.to_owned(), key.to_owned());
        self.append(vec![Line::Refused { to, key }], false).await
    }

    /// What was found at the remote; all of it up to `until`.
    pub(crate) async fn cover(
        &self,
        to: &str,
        found: impl IntoIterator<Item = (String, Done)>,
        until: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let done = |(key, done)| Line::Done {
            to: to.to_owned(),
            key,
            done,
        };
        let mut lines: Vec<_> = found.into_iter().map(done).collect();
        lines.extend(until.map(|until| Line::Covered {
            to: to.to_owned(),
            until,
        }));
        self.append(lines, false).await
    }

    /// Makes everything durable, and the state of a sync with it.
    pub(crate) async fn commit(&self, sync: &str, state: Option<&State>) -> Result<()> {
        let line = state.map(|state| Line::State {
            sync: sync.to_owned(),
            state: state.clone(),
        });
        self.append(line.into_iter().collect(), true).await
    }

    async fn append(&self, lines: Vec<Line>, is_durable: bool) -> Result<()> {
        let journal = self.clone();
        blocking(move || journal.with(|inner| inner.append(lines, is_durable))).await
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn open(path: PathBuf) -> Result<Self> {
        let mut options = private::options();
        let file = options.read(true).append(true).create(true).open(&path);
        let file = file.map_err(|error| {
            failed(
                &path,
                "cannot be opened; set `journal` to a file that can",
                &error,
            )
        })?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let message = "another process sends with this journal: two at once could start a \
                           build twice";
            return Err(Error::new(ErrorKind::Io, message).with_context("journal", path.display()));
        }
        let mut inner = Self::default();
        let length = inner.read(&file, &path)?;
        if length == 0 {
            refuse_other_content(&file, &path)?;
        }
        // What was cut off was not durable, so nothing was sent for it.
        let cut = file
            .set_len(length)
            .and_then(|()| (&file).seek(SeekFrom::End(0)));
        cut.map_err(|error| failed(&path, "cannot be written to", &error))?;
        inner.file = Some((file, path));
        if length == 0 {
            inner.append(vec![Line::Journal { version: VERSION }], true)?;
        }
        Ok(inner)
    }

    /// Takes all whole lines in; returns how many bytes they have.
    fn read(&mut self, file: &File, path: &Path) -> Result<u64> {
        let mut reader = BufReader::new(file);
        let (mut text, mut length, mut number) = (Vec::new(), 0_u64, 0_u64);
        loop {
            text.clear();
            let read = reader.read_until(b'\n', &mut text);
            let read = read.map_err(|error| failed(path, "cannot be read", &error))?;
            if text.last() != Some(&b'\n') {
                return Ok(length);
            }
            number += 1;
            length += read as u64;
            let line = serde_json::from_slice(&text).ok();
            let line = line.filter(|line| (number == 1) == matches!(line, Line::Journal { .. }));
            match line {
                Some(Line::Journal { version }) if version != VERSION => {
                    let message = format!(
                        "the journal has version {version}, this program knows version \
                         {VERSION}; use the newer program"
                    );
                    return Err(Error::new(ErrorKind::State, message)
                        .with_context("journal", path.display()));
                }
                Some(line) => self.take(line),
                None => {
                    let message = "the journal is damaged, or is something else; restore it, or \
                                   choose another file: what was sent is then looked for at \
                                   Buildkite";
                    return Err(Error::new(ErrorKind::State, message)
                        .with_context("journal", path.display())
                        .with_context("line", number));
                }
            }
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Journal { .. } => {}
            Line::Intent { to, key, at } => {
                self.entries.insert((to, key), Entry::Open(at));
            }
            Line::Done { to, key, done } => {
                self.entries.insert((to, key), Entry::Done(done));
            }
            Line::Refused { to, key } => {
                self.entries.remove(&(to, key));
            }
            Line::Covered { to, until } => {
                self.covered.insert(to, until);
            }
            Line::State { sync, state } => {
                self.states.insert(sync, state);
            }
        }
    }

    fn append(&mut self, lines: Vec<Line>, is_durable: bool) -> Result<()> {
        if let Some((file, path)) = &mut self.file {
            let mut text = Vec::new();
            for line in &lines {
                serde_json::to_writer(&mut text, line).map_err(|error| {
                    let message = "an entry of the journal has no JSON form";
                    Error::new(ErrorKind::Internal, message).with_source(error)
                })?;
                text.push(b'\n');
            }
            let written = file.write_all(&text).and_then(|()| match is_durable {
                true => file.sync_data(),
                false => Ok(()),
            });
            written.map_err(|error| failed(path, "cannot be written to", &error))?;
        }
        lines.into_iter().for_each(|line| self.take(line));
        Ok(())
    }
}

/// A file without a whole line is taken only if it is what a killed run left of the first one.
fn refuse_other_content(mut file: &File, path: &Path) -> Result<()> {
    let first = serde_json::to_vec(&Line::Journal { version: VERSION }).unwrap_or_default();
    let mut text = Vec::new();
    let read = file.seek(SeekFrom::Start(0));
    let read = read.and_then(|_| file.take(1024).read_to_end(&mut text));
    read.map_err(|error| failed(path, "cannot be read", &error))?;
    match first.starts_with(&text) {
        true => Ok(()),
        false => {
            let message = "the file of `journal` is something else; choose another";
            Err(Error::new(ErrorKind::State, message).with_context("journal", path.display()))
        }
    }
}

fn failed(path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("the journal {what}: {error}"))
        .with_context("journal", path.display())
}

/// Disks may be slow: nobody else waits for them.
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
