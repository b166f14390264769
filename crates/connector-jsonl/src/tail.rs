//! The end of an existing file: the last commit, and what a killed sync left after it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use connector_core::{Result, State};
use memchr::memmem;

use crate::error;
use crate::line::{COMMIT_START, parse_commit};

/// Bytes that are read at once, from the end backwards.
const BLOCK: u64 = 1024 * 1024;

/// Where a file can be extended.
#[derive(Debug, PartialEq)]
pub(crate) struct LastCommit {
    /// Where its line ends.
    pub(crate) end: u64,
    /// The last state of the requested sync.
    pub(crate) state: Option<State>,
}

/// Finds the last commit line, and the last one of `sync`. `None` if there is no complete commit
/// line.
pub(crate) fn last_commit(file: &File, path: &Path, sync: &str) -> Result<Option<LastCommit>> {
    let mut end = None;
    let mut before = Backwards::new(file, path)?;
    while let Some(start) = before.next()? {
        let Some(text) = line_at(file, path, start)? else {
            // Cut off by a kill, so it never was a commit.
            continue;
        };
        let commit = parse_commit(&text)
            .ok_or_else(|| error::damaged(path, "a commit line of the file is damaged"))?;
        let end = *end.get_or_insert(start + text.len() as u64);
        if commit.sync == sync {
            let state = commit.state;
            return Ok(Some(LastCommit { end, state }));
        }
    }
    Ok(end.map(|end| LastCommit { end, state: None }))
}

/// Checks that all lines from `from` on begin with one of `starts`. The last one may be cut off.
/// After a loss of power, a file system may leave zeros in place of lines.
pub(crate) fn check_rest(file: &File, path: &Path, from: u64, starts: &[&[u8]]) -> Result<()> {
    let mut lines = reader_at(file, path, from)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        if read.map_err(|error| error::of_io(error, path))? == 0 {
            return Ok(());
        }
        let is_cut_off = !line.ends_with(b"\n");
        let begins =
            |start: &&[u8]| line.starts_with(start) || is_cut_off && start.starts_with(&line);
        if line[0] != 0 && !starts.iter().any(begins) {
            let why = "after the last commit it has lines that this program did not write";
            return Err(error::not_ours(path, why));
        }
    }
}

/// The line that begins at `start`, with its end. `None` if it is not complete.
pub(crate) fn line_at(file: &File, path: &Path, start: u64) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader_at(file, path, start)?
        .read_until(b'\n', &mut line)
        .map_err(|error| error::of_io(error, path))?;
    Ok(line.ends_with(b"\n").then_some(line))
}

fn reader_at<'f>(mut file: &'f File, path: &Path, from: u64) -> Result<BufReader<&'f File>> {
    file.seek(SeekFrom::Start(from))
        .map_err(|error| error::of_io(error, path))?;
    Ok(BufReader::with_capacity(64 * 1024, file))
}

/// Finds lines that look like commits, from the end of a file backwards, block by block.
struct Backwards<'f> {
    file: &'f File,
    path: &'f Path,
    /// Everything from here on has been searched.
    searched: u64,
    /// Found in the last block, in ascending order.
    found: Vec<u64>,
    finder: memmem::Finder<'static>,
}

/// The beginning of a commit line after another line.
const NEEDLE: &[u8] = b"\n{\"sync\":";

impl<'f> Backwards<'f> {
    fn new(file: &'f File, path: &'f Path) -> Result<Self> {
        let metadata = file.metadata().map_err(|error| error::of_io(error, path))?;
        Ok(Self {
            file,
            path,
            searched: metadata.len(),
            found: Vec::new(),
            finder: memmem::Finder::new(NEEDLE),
        })
    }

    fn next(&mut self) -> Result<Option<u64>> {
        while self.found.is_empty() && self.searched > 0 {
            self.search()?;
        }
        Ok(self.found.pop())
    }

    fn search(&mut self) -> Result<()> {
        let from = self.searched.saturating_sub(BLOCK);
        // A match that begins in this block may end in the next one.
        let length = self.searched - from + NEEDLE.len() as u64 - 1;
        let mut block = Vec::new();
        reader_at(self.file, self.path, from)?
            .take(length)
            .read_to_end(&mut block)
            .map_err(|error| error::of_io(error, self.path))?;
        if from == 0 && block.starts_with(COMMIT_START) {
            self.found.push(0);
        }
        let starts = self.finder.find_iter(&block);
        self.found.extend(starts.map(|at| from + at as u64 + 1));
        self.searched = from;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::line::commit;

    fn found(text: &[u8], sync: &str) -> Option<LastCommit> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        last_commit(&file, Path::new("x"), sync).unwrap()
    }

    #[test]
    fn a_commit_is_found_across_the_borders_of_blocks() {
        let state = State::new("x", 1);
        let line = commit("a", Some(&state)).unwrap();
        let block = usize::try_from(BLOCK).unwrap();
        for after in (block - 60..block + 60).chain([0, 1, 3 * block]) {
            let mut text = format!("{{}}\n{line}").into_bytes();
            let end = text.len() as u64;
            text.resize(text.len() + after, b' ');
            let state = Some(state.clone());
            assert_eq!(
                found(&text, "a"),
                Some(LastCommit { end, state }),
                "{after}"
            );
        }
    }

    #[test]
    fn an_incomplete_commit_does_not_count_and_other_syncs_only_move_the_end() {
        let first = commit("a", Some(&State::new("x", 1))).unwrap();
        let second = commit("b", None).unwrap();
        let text = format!("{first}{second}");
        for cut in 0..second.len() {
            let end = first.len() as u64;
            let state = Some(State::new("x", 1));
            let torn = &text[..first.len() + cut];
            assert_eq!(found(torn.as_bytes(), "a"), Some(LastCommit { end, state }));
        }
        let end = text.len() as u64;
        let state = Some(State::new("x", 1));
        assert_eq!(found(text.as_bytes(), "a"), Some(LastCommit { end, state }));
        let none = Some(LastCommit { end, state: None });
        assert_eq!(found(text.as_bytes(), "c"), none);
        assert_eq!(found(b"{}\n{}\n", "a"), None);
    }
}
