//! Rows that wait for their consumer, in memory or in a temporary file.

use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, JsonObject, Result};
use tempfile::{SpooledTempFile, spooled_tempfile};

const MOST_IN_MEMORY: usize = 16 << 20;

/// Rows, in order.
pub(crate) struct Kept {
    lines: BufWriter<SpooledTempFile>,
    /// The path of their database, for errors.
    path: PathBuf,
}

impl Kept {
    /// No rows yet, of the database at `path`.
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            lines: BufWriter::new(spooled_tempfile(MOST_IN_MEMORY)),
            path: path.to_owned(),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &JsonObject) -> Result<()> {
        let line = row.single_line();
        let mut parts = [line.as_bytes(), b"\n"].into_iter();
        let written = parts.try_for_each(|part| self.lines.write_all(part));
        written.map_err(|error| failed(error, &self.path))
    }

    /// Passes all rows to `take`, until it returns false.
    pub(crate) fn each(self, mut take: impl FnMut(JsonObject) -> bool) -> Result<()> {
        let path = self.path;
        let lines = self
            .lines
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        let lines = lines.and_then(|mut lines| lines.rewind().map(|()| lines));
        let lines = BufReader::new(lines.map_err(|error| failed(error, &path))?);
        for line in lines.lines() {
            let line = line.map_err(|error| failed(error, &path))?;
            if !take(JsonObject::parse(&line)?) {
                break;
            }
        }
        Ok(())
    }
}

fn failed(error: io::Error, path: &Path) -> Error {
    let message = "the rows of the query do not fit into a temporary file; free some space, or \
                   switch the database to WAL mode";
    Error::new(ErrorKind::Io, message)
        .with_source(error)
        .with_context("path", path.display())
}
