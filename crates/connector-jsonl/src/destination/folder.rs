//! A folder with a file for each stream. `_state.json` says what is committed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};

use connector_core::{
    Error, ErrorKind, Outcome, Record, Result, State, Stream, StreamName, StreamPlan, WritePlan,
};

use super::output::Output;
use super::sink::{Sink, unknown_stream};
use crate::committed::Committed;
use crate::{bare, disk, error, tail};

/// Why a record is rejected that would be read as a tombstone.
const LOOKS_REMOVED: &str = "its first field is a text `_gone`, which in a folder marks a record \
                             that was removed at the source; write to one file instead";

/// Writes bare records into one file for each stream.
pub(crate) struct Folder {
    path: PathBuf,
    sync: String,
    committed: Committed,
    outputs: BTreeMap<StreamName, Output<File>>,
    /// Holds the lock.
    _folder: Option<File>,
}

/// Proves that files can be created and extended. Changes nothing.
pub(crate) fn check(path: &Path) -> Result<()> {
    let folder = if path.exists() {
        path
    } else {
        disk::folder_of(path)
    };
    disk::check_folder(folder).map_err(|error| error::of_io(error, path))?;
    Committed::read(path).map(|_| ())
}

impl Folder {
    /// Opens or creates the files of the plan, and removes everything after the last commit.
    pub(crate) fn start(path: &Path, plan: &WritePlan) -> Result<(Self, Option<State>)> {
        create(path).map_err(|error| error::of_io(error, path))?;
        // Where a folder cannot be opened, there is no lock.
        let folder = File::open(path).ok();
        if let Some(folder) = &folder {
            error::lock(folder, path)?;
        }
        let mut started = Self {
            path: path.to_owned(),
            sync: plan.sync.clone(),
            committed: Committed::read(path)?,
            outputs: BTreeMap::new(),
            _folder: folder,
        };
        let streams: Vec<_> = plan.streams.iter().map(|plan| &plan.stream).collect();
        started.add_all(&streams)?;
        let state = started.committed.syncs.get(&plan.sync).cloned();
        Ok((started, state))
    }

    fn add_all(&mut self, streams: &[&Stream]) -> Result<()> {
        for stream in streams {
            // All are checked before the first is changed.
            self.check_file(stream)?;
        }
        for stream in streams {
            let lengths = &mut self.committed.lengths;
            lengths.entry(stream.name.clone()).or_insert(0);
        }
        // Before the first record, because a file that is not listed counts as foreign.
        self.committed.write(&self.path)?;
        streams.iter().try_for_each(|stream| self.open(stream))
    }

    /// Checks that the file of a stream holds what was committed, and perhaps more.
    fn check_file(&self, stream: &Stream) -> Result<()> {
        let path = self.file_of(stream)?;
        let committed = self.committed.lengths.get(&stream.name).copied();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == Io::NotFound => {
                return match committed {
                    None | Some(0) => Ok(()),
                    Some(_) => Err(error::damaged(
                        &path,
                        "the file of a committed stream is missing",
                    )),
                };
            }
            Err(error) => return Err(error::of_io(error, &path)),
        };
        let metadata = file
            .metadata()
            .map_err(|error| error::of_io(error, &path))?;
        match committed {
            None if metadata.len() == 0 => Ok(()),
            None => Err(error::not_ours(
                &path,
                "the file was not made by this program",
            )),
            Some(length) if length > metadata.len() => Err(error::damaged(
                &path,
                "the file is shorter than what was committed",
            )),
            Some(length) => check_end(&file, &path, length),
        }
    }

    fn open(&mut self, stream: &Stream) -> Result<()> {
        let path = self.file_of(stream)?;
        let end = self.committed.lengths[&stream.name];
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.map_err(|error| error::of_io(error, &path))?;
        disk::cut(&mut file, end).map_err(|error| error::of_io(error, &path))?;
        let output = Output::new(file, end);
        self.outputs.insert(stream.name.clone(), output);
        Ok(())
    }

    fn file_of(&self, stream: &Stream) -> Result<PathBuf> {
        let name = stream.name.as_str();
        let is_forbidden = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
        if name.is_empty() || name.starts_with('.') || name.contains(is_forbidden) {
            let message = "a file cannot have the name of this stream; write to one file instead";
            return Err(Error::new(ErrorKind::Config, message)
                .with_context("stream", name)
                .with_context("path", self.path.display()));
        }
        Ok(self.path.join(format!("{name}.jsonl")))
    }
}

impl Sink for Folder {
    fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        if self.outputs.contains_key(&stream.stream.name) {
            return Ok(());
        }
        self.add_all(&[&stream.stream])
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        let Some(output) = self.outputs.get_mut(&record.stream) else {
            return Ok(unknown_stream());
        };
        let text = record.data.single_line();
        let written = match record.removal_reason() {
            Some(reason) => {
                let (start, rest) = bare::removed(reason, &text);
                output.line([&start, rest, "\n"])
            }
            None if bare::is_removed(&text) => {
                return Ok(Outcome::Rejected(LOOKS_REMOVED.to_owned()));
            }
            None => output.line([&*text, "\n", ""]),
        };
        written.map_err(|error| error::of_io(error, &self.path))?;
        Ok(Outcome::Accepted)
    }

    fn commit(&mut self, state: Option<&State>) -> Result<()> {
        // Without locks, two runs may write.
        if Committed::read(&self.path)? != self.committed {
            return Err(error::written_by_others(&self.path));
        }
        for (stream, output) in &mut self.outputs {
            let length = output.length();
            if self.committed.lengths.insert(stream.clone(), length) != Some(length) {
                let synced = output.sync();
                synced.map_err(|error| error::of_io(error, &self.path))?;
            }
        }
        if let Some(state) = state {
            let syncs = &mut self.committed.syncs;
            syncs.insert(self.sync.clone(), state.clone());
        }
        self.committed.write(&self.path)
    }
}

/// Creates the folder, but not its parents: a missing parent may be a typing error.
fn create(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == Io::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => disk::sync_folder_of(path),
    }
}

/// Checks that a line ends where the commit ended, and that only records follow.
fn check_end(file: &File, path: &Path, length: u64) -> Result<()> {
    if length > 0 && tail::line_at(file, path, length - 1)?.as_deref() != Some(b"\n") {
        let why = "no line of the file ends where the last commit ended";
        return Err(error::damaged(path, why));
    }
    tail::check_rest(file, path, length, &[b"{"])
}
