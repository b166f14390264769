//! One file for all streams. Commits are lines in it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use connector_core::{Outcome, Record, Result, State, StreamPlan, WritePlan};

use super::envelopes::Envelopes;
use super::output::Output;
use super::sink::Sink;
use crate::line::{self, COMMIT_START, RECORD_START};
use crate::{disk, error, tail};

/// Writes records and commits into a file.
pub(crate) struct SingleFile {
    path: PathBuf,
    sync: String,
    /// The last state. A commit without a state repeats it.
    state: Option<State>,
    output: Output<File>,
    envelopes: Envelopes,
}

/// Proves that the file can be created or extended. Changes nothing.
pub(crate) fn check(path: &Path) -> Result<()> {
    if !path.exists() {
        let folder = disk::folder_of(path);
        return disk::check_folder(folder).map_err(|error| error::of_io(error, path));
    }
    let opened = OpenOptions::new().read(true).write(true).open(path);
    let file = opened.map_err(|error| error::of_io(error, path))?;
    begin_of(&file, path).map(drop)
}

impl SingleFile {
    /// Opens or creates the file, and removes everything after the last commit.
    pub(crate) fn start(path: &Path, plan: &WritePlan) -> Result<(Self, Option<State>)> {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let mut file = opened.map_err(|error| error::of_io(error, path))?;
        error::lock(&file, path)?;
        let (end, state) = match begin_of(&file, path)? {
            Begin::Nothing => (0, None),
            Begin::Commit => committed(&file, path, &plan.sync)?,
        };
        disk::cut(&mut file, end).map_err(|error| error::of_io(error, path))?;
        let mut started = Self {
            path: path.to_owned(),
            sync: plan.sync.clone(),
            state: state.clone(),
            output: Output::new(file, end),
            envelopes: Envelopes::of(plan),
        };
        if end == 0 {
            // The first line shows that this program made the file.
            started.commit(None)?;
            disk::sync_folder_of(path).map_err(|error| error::of_io(error, path))?;
        }
        Ok((started, state))
    }
}

impl Sink for SingleFile {
    fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        self.envelopes.add(&stream.stream.name);
        Ok(())
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        let put = self.envelopes.put(&mut self.output, record);
        put.map_err(|error| error::of_io(error, &self.path))
    }

    fn commit(&mut self, state: Option<&State>) -> Result<()> {
        // Without locks, two runs may write.
        let is_changed = self.output.is_changed();
        if is_changed.map_err(|error| error::of_io(error, &self.path))? {
            return Err(error::written_by_others(&self.path));
        }
        if let Some(state) = state {
            self.state = Some(state.clone());
        }
        let line = line::commit(&self.sync, self.state.as_ref())?;
        self.output
            .line([&line, "", ""])
            .and_then(|()| self.output.sync())
            .map_err(|error| error::of_io(error, &self.path))
    }
}

/// How a file begins.
enum Begin {
    /// It is empty, or a kill cut off its first line.
    Nothing,
    /// With a commit line, like all files of this program.
    Commit,
}

/// Longer than a commit line without a state.
const LONGEST_TORN: u64 = 4096;

fn begin_of(mut file: &File, path: &Path) -> Result<Begin> {
    let mut begin = Vec::new();
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.take(LONGEST_TORN).read_to_end(&mut begin))
        .map_err(|error| error::of_io(error, path))?;
    // Without a complete line, a kill may have cut off the very first write.
    let begins = match tail::line_at(file, path, 0)? {
        Some(line) => line::parse_commit(&line).map(|_| Begin::Commit),
        None => is_torn_commit(&begin).then_some(Begin::Nothing),
    };
    begins.ok_or_else(|| error::not_ours(path, "the file was not made by this program"))
}

fn is_torn_commit(begin: &[u8]) -> bool {
    if COMMIT_START.starts_with(begin) {
        return true;
    }
    if !begin.starts_with(COMMIT_START) || begin.len() as u64 == LONGEST_TORN {
        return false;
    }
    match serde_json::from_slice::<line::Commit>(begin) {
        Ok(commit) => commit.state.is_none(),
        Err(error) => error.is_eof(),
    }
}

fn committed(file: &File, path: &Path, sync: &str) -> Result<(u64, Option<State>)> {
    let last = tail::last_commit(file, path, sync)?;
    let last =
        last.ok_or_else(|| error::not_ours(path, "the file changes while it is being read"))?;
    tail::check_rest(file, path, last.end, &[RECORD_START, COMMIT_START])?;
    Ok((last.end, last.state))
}
