//! The file of a journal: JSON lines, only ever added to, held by one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result};

use super::format::{Event, VERSION};

/// An open file that this process holds.
pub(super) struct JournalFile {
    file: File,
    path: PathBuf,
}

impl JournalFile {
    /// Opens the file, or makes it, and hands each of its lines to `take`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be opened or another process holds it,
    /// [`ErrorKind::State`] if it is damaged or something else.
    pub(super) fn open(path: PathBuf, take: impl FnMut(Event)) -> Result<Self> {
        let file = options().read(true).append(true).create(true).open(&path);
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
        let length = read(&file, &path, take)?;
        if length == 0 {
            refuse_other_content(&file, &path)?;
        }
        // What was cut off was not durable, so nothing was sent for it.
        let cut = file
            .set_len(length)
            .and_then(|()| (&file).seek(SeekFrom::End(0)));
        cut.map_err(|error| failed(&path, "cannot be written to", &error))?;
        let mut journal = Self { file, path };
        if length == 0 {
            journal.append(&[Event::Journal { version: VERSION }], true)?;
        }
        Ok(journal)
    }

    /// Adds lines. If they are to be durable, they are on disk when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file.
    pub(super) fn append(&mut self, events: &[Event], is_durable: bool) -> Result<()> {
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, event).map_err(|error| {
                let message = "an entry of the journal has no JSON form";
                Error::new(ErrorKind::Internal, message).with_source(error)
            })?;
            text.push(b'\n');
        }
        let mut written = self.file.write_all(&text);
        if is_durable {
            written = written.and_then(|()| self.file.sync_data());
        }
        written.map_err(|error| failed(&self.path, "cannot be written to", &error))
    }
}

/// A new file is the user's alone where the system knows of that: it holds records.
fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Reads all whole lines. Returns how many bytes they have.
fn read(file: &File, path: &Path, mut take: impl FnMut(Event)) -> Result<u64> {
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
        take(parse(&text, number, path)?);
    }
}

fn parse(text: &[u8], number: u64, path: &Path) -> Result<Event> {
    let event = serde_json::from_slice(text).ok();
    let is_in_place = |event: &Event| (number == 1) == matches!(event, Event::Journal { .. });
    match event.filter(is_in_place) {
        Some(Event::Journal { version }) if version != VERSION => {
            let message = format!(
                "the journal has version {version}, this program knows version {VERSION}; use the \
                 newer program"
            );
            Err(refusal(path, &message))
        }
        Some(event) => Ok(event),
        None => {
            let message = "the journal is damaged, or is something else; restore it, or choose \
                           another file: what was sent is then looked for at Buildkite";
            Err(refusal(path, message).with_context("line", number))
        }
    }
}

/// A file without a whole line is accepted only if it is what a killed run left of the first one.
fn refuse_other_content(mut file: &File, path: &Path) -> Result<()> {
    let first = serde_json::to_vec(&Event::Journal { version: VERSION }).unwrap_or_default();
    let mut text = Vec::new();
    let read = file.seek(SeekFrom::Start(0));
    let read = read.and_then(|_| file.take(1024).read_to_end(&mut text));
    read.map_err(|error| failed(path, "cannot be read", &error))?;
    if first.starts_with(&text) {
        return Ok(());
    }
    Err(refusal(
        path,
        "the file of `journal` is something else; choose another",
    ))
}

fn refusal(path: &Path, message: &str) -> Error {
    Error::new(ErrorKind::State, message).with_context("journal", path.display())
}

fn failed(path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("the journal {what}: {error}"))
        .with_context("journal", path.display())
}
