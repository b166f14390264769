//! Reads lines, counts them, and turns them into records.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Record, Result, StreamName, decode_text};

use super::position::Position;
use crate::line::Enveloped;
use crate::{bare, error, line};

/// A file or pipe.
pub(crate) type Reader = Box<dyn Read + Send>;

/// The format of the lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each line is a record or tombstone of this stream.
    Bare(StreamName),
    /// Each line names its stream, or is a commit.
    Enveloped,
}

/// The lines of a file or pipe. At most one is in memory.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<Reader>,
    buffer: Vec<u8>,
    /// Where the line in the buffer begins.
    start: u64,
    position: Position,
}

impl Lines {
    /// From the first line on.
    pub(crate) fn new(path: &Path, reader: Reader) -> Self {
        Self {
            path: path.to_owned(),
            reader: BufReader::with_capacity(256 * 1024, reader),
            buffer: Vec::new(),
            start: 0,
            position: Position::default(),
        }
    }

    /// The lines of a file from the position of an earlier read on, up to `end`.
    pub(crate) fn open(path: &Path, position: Position, end: Option<u64>) -> Result<Self> {
        let end = end.unwrap_or(u64::MAX);
        let open = || {
            let mut file = File::open(path)?;
            let fits = position.offset <= end && ends_a_line(&mut file, position.offset)?;
            Ok((file.take(end.saturating_sub(position.offset)), fits))
        };
        let (file, fits) = open().map_err(|error| error::of_io(error, path))?;
        if !fits {
            let message = "no line ends where the last read stopped, so this is another file; \
                           remove the state to read it from the beginning";
            return Err(Error::new(ErrorKind::State, message).with_context("path", path.display()));
        }
        let mut lines = Self::new(path, Box::new(file));
        lines.position = position;
        Ok(lines)
    }

    /// The next line that is not empty, without its end.
    pub(crate) fn next(&mut self) -> Result<Option<&str>> {
        while self.read()? {
            if self.buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return self.text().map(Some);
        }
        Ok(None)
    }

    /// The next line as a record. The inner value is `None` for a commit.
    pub(crate) fn next_record(&mut self, form: &Form) -> Result<Option<Option<Record>>> {
        let record = match (self.next()?, form) {
            (None, _) => return Ok(None),
            (Some(line), Form::Bare(stream)) => bare::parse(line, stream)
                .map(Some)
                .map_err(|_| "the line is not a JSON object"),
            (Some(line), Form::Enveloped) => match Enveloped::parse(line) {
                Some(Enveloped::Record(record)) => Ok(Some(record)),
                Some(Enveloped::Commit) => Ok(None),
                None => Err("the line is not an object with `stream` and `record`"),
            },
        };
        let record = record.map_err(|message| self.refused(self.unfinished().unwrap_or(message)));
        record.map(Some).map_err(|error| match form {
            Form::Bare(stream) => error.with_context("stream", stream),
            Form::Enveloped => error,
        })
    }

    /// The stream among `streams` that the last line names.
    pub(crate) fn stream_among<'s>(&self, streams: &'s [StreamName]) -> Option<&'s StreamName> {
        let named = line::stream_of(&self.buffer)?;
        streams.iter().find(|stream| **stream == *named)
    }

    /// After the last line.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Before the last line.
    pub(crate) fn position_before(&self) -> Position {
        Position {
            offset: self.start,
            line: self.position.line.saturating_sub(1),
            complete: false,
        }
    }

    fn text(&self) -> Result<&str> {
        let what = if self.start == 0 {
            "the file"
        } else {
            "the line"
        };
        let text = decode_text(&self.buffer, what);
        text.map(str::trim_ascii)
            .map_err(|error| self.refused(error.message()))
    }

    fn unfinished(&self) -> Option<&'static str> {
        let message = "the last line is not complete; its writer is not done, or was killed";
        (!self.buffer.ends_with(b"\n")).then_some(message)
    }

    /// Where the last line begins.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// The error of the last line.
    pub(crate) fn refused(&self, message: &str) -> Error {
        Error::new(ErrorKind::Data, message)
            .with_context("path", self.path.display())
            .with_context("line", self.position.line)
    }

    fn read(&mut self) -> Result<bool> {
        self.buffer.clear();
        self.buffer.shrink_to(1024 * 1024);
        let read = self.reader.read_until(b'\n', &mut self.buffer);
        let length = read.map_err(|error| error::of_io(error, &self.path))?;
        self.start = self.position.offset;
        self.position.offset += length as u64;
        self.position.line += 1;
        Ok(length > 0)
    }
}

/// The format of lines, by the first one. Bare lines belong to `stream`.
pub(crate) fn form_of(first: &str, stream: StreamName) -> Form {
    match Enveloped::parse(first) {
        Some(_) => Form::Enveloped,
        None => Form::Bare(stream),
    }
}

/// Moves to `offset`. False if no line can begin there.
fn ends_a_line(file: &mut File, offset: u64) -> std::io::Result<bool> {
    if offset == 0 {
        return Ok(true);
    }
    let length = file.metadata()?.len();
    if offset >= length {
        // The last line may have no end.
        file.seek(SeekFrom::Start(offset))?;
        return Ok(offset == length);
    }
    file.seek(SeekFrom::Start(offset - 1))?;
    let mut end = [0];
    file.read_exact(&mut end)?;
    Ok(end == *b"\n")
}
