//! The lines of standard input.

use std::io::{BufRead, BufReader, Read};

use connector_core::{Error, ErrorKind, Result, decode_text};

/// The lines of standard input, in one buffer.
pub struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// From the next line on.
    pub fn new(reader: BufReader<R>) -> Self {
        Self {
            reader,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be read, [`ErrorKind::Data`] if it is no text.
    pub fn next_line(&mut self) -> Result<Option<&str>> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.reader.read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| {
                let message = format!("standard input cannot be read: {error}");
                Error::new(ErrorKind::Io, message)
            })?;
            if read == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let text = decode_text(&self.line, "the message");
        text.map(Some)
            .map_err(|error| error.with_context("line", self.number))
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether a whole line that is not empty is there without waiting.
    pub fn has_more(&self) -> bool {
        let buffer = self.reader.buffer();
        let whole = buffer.iter().rposition(|byte| *byte == b'\n');
        whole.is_some_and(|end| !buffer[..end].trim_ascii().is_empty())
    }
}
