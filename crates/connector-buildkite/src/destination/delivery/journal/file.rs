//! The file of a journal: JSON lines, only ever added to, held by one process at a time. When it
//! is opened and most of its lines say nothing any more, it is written anew.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result};

use super::contents::Contents;
use super::failure::{failed, refusal};
use super::format::{Event, VERSION};
use super::lock::{create_locked, expect_own_file, open_locked};

/// A shorter file stays as it is.
const FEW_LINES: usize = 200;

/// An open file that this process holds.
pub(super) struct JournalFile {
    file: File,
    path: PathBuf,
}

/// What was read of a file.
struct Lines {
    /// Bytes of all whole lines.
    length: u64,
    count: usize,
    is_current: bool,
}

impl JournalFile {
    /// Opens the file, or makes it, and reads it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be opened or another process holds it,
    /// [`ErrorKind::State`] if it is damaged, something else, or open to other users.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Contents)> {
        let file = open_locked(&path)?;
        let mut contents = Contents::default();
        let lines = read(&file, &path, |event| contents.take(event))?;
        let mut journal = Self { file, path };
        if lines.count == 0 {
            refuse_other_content(&journal.file, &journal.path)?;
        }
        journal.cut(lines.length)?;
        if lines.count == 0 {
            journal.append(&[Event::Journal { version: VERSION }], true)?;
        } else {
            journal.compact(&lines, &contents)?;
        }
        Ok((journal, contents))
    }

    /// Reads a file without holding it. What is not there says nothing.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), but for other processes.
    pub(super) fn read(path: &Path) -> Result<Contents> {
        let mut contents = Contents::default();
        let Ok(found) = path.metadata() else {
            return Ok(contents);
        };
        expect_own_file(path, &found)?;
        let file = File::open(path).map_err(|error| failed(path, "cannot be opened", &error))?;
        let lines = read(&file, path, |event| contents.take(event))?;
        if lines.count == 0 {
            refuse_other_content(&file, path)?;
        }
        Ok(contents)
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

    /// Cuts off a line that is not whole. It was not durable, so nothing was sent for it.
    fn cut(&mut self, length: u64) -> Result<()> {
        let cut = self.file.set_len(length);
        let cut = cut.and_then(|()| self.file.seek(SeekFrom::End(0)));
        cut.map_err(|error| failed(&self.path, "cannot be written to", &error))?;
        Ok(())
    }

    /// Writes the file anew if most of its lines are superseded, or if an older program wrote it:
    /// that must not read lines that it does not know.
    fn compact(&mut self, lines: &Lines, contents: &Contents) -> Result<()> {
        let events = contents.to_events();
        let is_mostly_dead = lines.count > FEW_LINES && lines.count > 2 * events.len();
        if lines.is_current && !is_mostly_dead {
            return Ok(());
        }
        // The target of a link, not the link.
        let failed = |what, error: &std::io::Error| failed(&self.path, what, error);
        let path = self
            .path
            .canonicalize()
            .map_err(|error| failed("cannot be read", &error))?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        let file = match create_locked(&new) {
            // A folder that cannot be written to: the file stays as it is.
            Err(_) if lines.is_current => return Ok(()),
            file => file?,
        };
        let mut journal = Self { file, path: new };
        journal.append(&events, true)?;
        std::fs::rename(&journal.path, &path)
            .map_err(|error| failed("cannot be replaced", &error))?;
        sync_folder(&path);
        self.file = journal.file;
        Ok(())
    }
}

/// Makes a renaming durable where that is possible.
fn sync_folder(path: &Path) {
    let folder = path.parent().map(File::open);
    if let Some(Ok(folder)) = folder {
        folder.sync_all().ok();
    }
}

/// Reads all whole lines.
fn read(file: &File, path: &Path, mut take: impl FnMut(Event)) -> Result<Lines> {
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    let mut lines = Lines {
        length: 0,
        count: 0,
        is_current: true,
    };
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text);
        let read = read.map_err(|error| failed(path, "cannot be read", &error))?;
        if text.last() != Some(&b'\n') {
            return Ok(lines);
        }
        lines.count += 1;
        lines.length += read as u64;
        let event = parse(&text, lines.count, path)?;
        if let Event::Journal { version } = event {
            lines.is_current = version == VERSION;
        }
        take(event);
    }
}

fn parse(text: &[u8], number: usize, path: &Path) -> Result<Event> {
    let event = serde_json::from_slice(text).ok();
    let is_in_place = |event: &Event| (number == 1) == matches!(event, Event::Journal { .. });
    match event.filter(is_in_place) {
        Some(Event::Journal { version }) if !(1..=VERSION).contains(&version) => {
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
    let mut text = Vec::new();
    let read = file.seek(SeekFrom::Start(0));
    let read = read.and_then(|_| file.take(1024).read_to_end(&mut text));
    read.map_err(|error| failed(path, "cannot be read", &error))?;
    let begins = |version| {
        let first = serde_json::to_vec(&Event::Journal { version }).unwrap_or_default();
        first.starts_with(&text)
    };
    if (1..=VERSION).any(begins) {
        return Ok(());
    }
    Err(refusal(
        path,
        "the file of `journal` is something else; choose another",
    ))
}
