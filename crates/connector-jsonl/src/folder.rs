//! A folder with a file for each stream, and `_state.json` for what is committed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as Io, Write};
use std::path::{Path, PathBuf};

use connector_core::{
    Error, ErrorKind, Outcome, Record, Result, State, Stream, StreamName, StreamPlan, WritePlan,
};
use serde::{Deserialize, Serialize};

use crate::output::{self, Output};
use crate::sink::{Sink, not_announced};
use crate::{bare, error, file, tail};

/// The file of states and lengths.
pub(crate) const STATE_FILE: &str = "_state.json";

const VERSION: u32 = 1;

/// Why a record is refused that would be read as another's end.
const LOOKS_GONE: &str = "its first field is a text `_gone`: in a folder such a line says that a \
                          record is gone; write to one file instead";

/// What `_state.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Committed {
    /// The form of this file: [`VERSION`].
    version: u32,
    /// The last state of each sync.
    syncs: BTreeMap<String, State>,
    /// How much of the file of each stream counts, in bytes.
    lengths: BTreeMap<StreamName, u64>,
}

/// Bare records into one file for each stream.
pub(crate) struct Folder {
    path: PathBuf,
    sync: String,
    committed: Committed,
    outputs: BTreeMap<StreamName, Output<File>>,
    /// Holds the lock.
    _folder: Option<File>,
}

/// How many bytes count of the file of each stream. None are known of a folder that was not
/// written here.
pub(crate) fn committed_lengths(path: &Path) -> BTreeMap<StreamName, u64> {
    Committed::read(path).map_or_else(|_| BTreeMap::new(), |committed| committed.lengths)
}

/// Proves that files can be made and written on, and changes nothing.
pub(crate) fn check(path: &Path) -> Result<()> {
    let folder = if path.exists() {
        path
    } else {
        output::folder_of(path)
    };
    output::check_folder(folder).map_err(|error| error::of_io(error, path))?;
    Committed::read(path).map(drop)
}

impl Folder {
    /// Opens the files of the plan, or makes them, and cuts off what came after the last commit.
    pub(crate) fn start(path: &Path, plan: &WritePlan) -> Result<(Self, Option<State>)> {
        create(path).map_err(|error| error::of_io(error, path))?;
        // Not every system can open a folder; there it stays without a lock.
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
            // All are looked at before the first is changed.
            self.look_at(stream)?;
        }
        for stream in streams {
            let lengths = &mut self.committed.lengths;
            lengths.entry(stream.name.clone()).or_insert(0);
        }
        // Before the first record: a file that is not in it would be taken for one of others.
        self.committed.write(&self.path)?;
        streams.iter().try_for_each(|stream| self.open(stream))
    }

    /// Checks that the file of a stream is what was committed, and perhaps more of it.
    fn look_at(&self, stream: &Stream) -> Result<()> {
        let path = self.file_of(stream)?;
        let committed = self.committed.lengths.get(&stream.name).copied();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == Io::NotFound => {
                return match committed {
                    None | Some(0) => Ok(()),
                    Some(_) => Err(error::damaged(
                        &path,
                        "the file of a committed stream is gone",
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
        file::cut(&mut file, end).map_err(|error| error::of_io(error, &path))?;
        let output = Output::new(file, end);
        self.outputs.insert(stream.name.clone(), output);
        Ok(())
    }

    fn file_of(&self, stream: &Stream) -> Result<PathBuf> {
        let name = stream.name.as_str();
        let is_unfit = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
        if name.is_empty() || name.starts_with('.') || name.contains(is_unfit) {
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
            return Ok(not_announced());
        };
        let text = record.data.single_line();
        let written = match record.removal_reason() {
            Some(reason) => {
                let (start, rest) = bare::removed(reason, &text);
                output.line([&start, rest, "\n"])
            }
            None if bare::is_removed(&text) => return Ok(Outcome::Rejected(LOOKS_GONE.to_owned())),
            None => output.line([&*text, "\n", ""]),
        };
        written.map_err(|error| error::of_io(error, &self.path))?;
        Ok(Outcome::Accepted)
    }

    fn commit(&mut self, state: Option<&State>) -> Result<()> {
        // Where there are no locks, two runs may write.
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

impl Committed {
    /// What the file says; nothing, if there is none.
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(STATE_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == Io::NotFound => return Ok(Self::nothing()),
            Err(error) => return Err(error::of_io(error, &path)),
        };
        match serde_json::from_slice(&text) {
            Ok(
                read @ Self {
                    version: VERSION, ..
                },
            ) => Ok(read),
            _ => {
                let why = "the file of states is damaged, or of a newer program";
                Err(error::damaged(&path, why))
            }
        }
    }

    fn nothing() -> Self {
        Self {
            version: VERSION,
            syncs: BTreeMap::new(),
            lengths: BTreeMap::new(),
        }
    }

    /// Replaces the file in one step: after a crash it is the old one or the new one.
    fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(STATE_FILE);
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "the state has no JSON form").with_source(error)
        })?;
        let new = folder.join("_state.json.new");
        let replace = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            output::sync_folder_of(&path)
        };
        replace().map_err(|error| error::of_io(error, &path))
    }
}

/// Makes the folder itself, but none above it: that may be a typing error.
fn create(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == Io::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => output::sync_folder_of(path),
    }
}

/// Checks that a line ends where the commit ended, and what follows are records.
fn check_end(file: &File, path: &Path, length: u64) -> Result<()> {
    if length > 0 && tail::line_at(file, path, length - 1)?.as_deref() != Some(b"\n") {
        let why = "no line of the file ends where the last commit ended";
        return Err(error::damaged(path, why));
    }
    tail::check_rest(file, path, length, &[b"{"])
}
