//! The lines of standard input.
//!
//! A thread reads ahead, so that waiting for input can be interrupted by a request to stop.

use std::io::{self, Read};
use std::thread;

use connector_core::{Error, ErrorKind, Result, Stop, decode_text};
use futures::channel::mpsc::{self, Receiver, Sender};
use futures::executor::block_on;
use futures::{SinkExt, StreamExt};
use memchr::memchr;

use crate::{HostError, unless_stopped};

/// Bytes per read.
const CHUNK: usize = 64 * 1024;
/// Chunks that are read ahead.
const AHEAD: usize = 4;

type Chunk = io::Result<Vec<u8>>;

/// The lines of standard input.
pub struct Lines {
    stop: Stop,
    chunks: Receiver<Chunk>,
    bytes: Vec<u8>,
    /// Where the next line begins in `bytes`.
    start: usize,
    /// There is no line break between `start` and here.
    searched: usize,
    failure: Option<io::Error>,
    number: u64,
}

impl Lines {
    /// The lines of `reader`, until a request to stop.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if no thread can be started.
    pub fn new(reader: impl Read + Send + 'static, stop: Stop) -> Result<Self> {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let thread = thread::Builder::new().name("standard input".to_owned());
        // The thread ends with its input, or with the program.
        let started = thread.spawn(|| pump(reader, sender));
        started.map_err(|error| unreadable(&error))?;
        Ok(Self {
            stop,
            chunks,
            bytes: Vec::new(),
            start: 0,
            searched: 0,
            failure: None,
            number: 0,
        })
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be read, [`ErrorKind::Data`] if it is not text;
    /// [`HostError::Stopped`].
    pub async fn next_line(&mut self) -> Result<Option<&str>, HostError> {
        let line = loop {
            if self.stop.is_requested() {
                return Err(HostError::Stopped);
            }
            let Some(end) = self.line_end().await? else {
                return Ok(None);
            };
            let line = self.start..end;
            self.start = end;
            self.number += 1;
            if !self.bytes[line.clone()].trim_ascii().is_empty() {
                break line;
            }
        };
        let text = decode_text(&self.bytes[line], "the message");
        let text = text.map_err(|error| error.with_context("line", self.number))?;
        Ok(Some(text))
    }

    /// The number of the last line that was read, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether a complete line that is not empty can be read without waiting.
    pub fn has_more(&mut self) -> bool {
        loop {
            while let Some(end) = self.line_break() {
                if !self.bytes[self.start..end].trim_ascii().is_empty() {
                    return true;
                }
                self.start = end;
                self.number += 1;
            }
            if self.failure.is_some() {
                return true;
            }
            match self.chunks.try_recv() {
                Ok(chunk) => self.append(chunk),
                Err(_) => return false,
            }
        }
    }

    /// Where the next line ends; `None` if there is none.
    async fn line_end(&mut self) -> Result<Option<usize>, HostError> {
        loop {
            if let Some(end) = self.line_break() {
                return Ok(Some(end));
            }
            if let Some(error) = self.failure.take() {
                return Err(unreadable(&error).into());
            }
            let next = async { Ok::<_, HostError>(self.chunks.next().await) };
            match unless_stopped(&self.stop, next).await? {
                Some(chunk) => self.append(chunk),
                // The last line may lack its line break.
                None if self.start < self.bytes.len() => return Ok(Some(self.bytes.len())),
                None => return Ok(None),
            }
        }
    }

    /// Where the next line ends, if its line break has arrived. Each byte is searched once.
    fn line_break(&mut self) -> Option<usize> {
        let from = self.searched.max(self.start);
        let at = memchr(b'\n', &self.bytes[from..]);
        self.searched = at.map_or(self.bytes.len(), |at| from + at);
        at.map(|at| from + at + 1)
    }

    fn append(&mut self, chunk: Chunk) {
        match chunk {
            Err(error) => self.failure = Some(error),
            Ok(chunk) => {
                self.bytes.drain(..self.start);
                self.searched = self.searched.saturating_sub(self.start);
                self.start = 0;
                if self.bytes.is_empty() {
                    self.bytes = chunk;
                } else {
                    self.bytes.extend_from_slice(&chunk);
                }
            }
        }
    }
}

/// Sends what it reads, until the input ends, reading fails, or the receiver is gone.
fn pump(mut reader: impl Read, mut chunks: Sender<Chunk>) {
    loop {
        let chunk = match read(&mut reader) {
            Ok(chunk) if chunk.is_empty() => return,
            chunk => chunk,
        };
        let is_last = chunk.is_err();
        if block_on(chunks.send(chunk)).is_err() || is_last {
            return;
        }
    }
}

fn read(reader: &mut impl Read) -> Chunk {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(length) => {
                chunk.truncate(length);
                return Ok(chunk);
            }
        }
    }
}

fn unreadable(error: &io::Error) -> Error {
    let message = format!("standard input cannot be read: {error}");
    Error::new(ErrorKind::Io, message)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::mpsc as std_mpsc;

    use super::*;

    /// Yields each part in a read of its own.
    struct Parts(VecDeque<io::Result<Vec<u8>>>);

    impl Parts {
        fn new(parts: &[&[u8]]) -> Self {
            Self(parts.iter().map(|part| Ok(part.to_vec())).collect())
        }
    }

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let part = self.0.pop_front().unwrap_or(Ok(Vec::new()))?;
            buffer[..part.len()].copy_from_slice(&part);
            Ok(part.len())
        }
    }

    fn all(reader: impl Read + Send + 'static) -> Result<Vec<String>, HostError> {
        let mut lines = Lines::new(reader, Stop::new())?;
        let mut seen = Vec::new();
        while let Some(line) = block_on(lines.next_line())? {
            seen.push(line.trim_end().to_owned());
        }
        Ok(seen)
    }

    fn message(failure: HostError) -> String {
        match failure {
            HostError::Failed(error) => error.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn lines_are_whole_however_the_input_is_cut() {
        let text = b"\xEF\xBB\xBFone\n\n  \r\ntwo\r\nthree, which is longer\nfour";
        let expected = ["one", "two", "three, which is longer", "four"];
        for size in 1..text.len() {
            let parts: Vec<_> = text.chunks(size).collect();
            let seen = all(Parts::new(&parts)).unwrap();
            assert_eq!(seen, expected, "in parts of {size} bytes");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line_and_utf_16_by_name() {
        let failure = all(Parts::new(&[b"{}\n\n\xFF\n"])).unwrap_err();
        let text = "the message is not text in UTF-8 [byte: 1, line: 3]";
        assert_eq!(message(failure), text);
        let failure = all(Parts::new(&[b"\xFF\xFE{\0}\0\n\0"])).unwrap_err();
        let text = "the message is UTF-16; save it as UTF-8 [line: 1]";
        assert_eq!(message(failure), text);
    }

    #[test]
    fn a_failure_comes_after_the_lines_before_it() {
        let broken = Parts([Ok(b"one\n".to_vec()), Err(io::Error::other("unplugged"))].into());
        let mut lines = Lines::new(broken, Stop::new()).unwrap();
        assert_eq!(block_on(lines.next_line()).unwrap(), Some("one\n"));
        let failure = block_on(lines.next_line()).unwrap_err();
        assert_eq!(message(failure), "standard input cannot be read: unplugged");
    }

    #[test]
    fn blank_and_incomplete_lines_do_not_count_as_more() {
        for (text, has_more) in [("\n \n", false), ("half", false), ("\n\nwhole\nha", true)] {
            let mut lines = Lines::new(Parts::new(&[b"first\n", text.as_bytes()]), Stop::new());
            let lines = lines.as_mut().unwrap();
            block_on(lines.next_line()).unwrap();
            // Until the whole input has been read.
            while let Some(chunk) = block_on(lines.chunks.next()) {
                lines.append(chunk);
            }
            assert_eq!(lines.has_more(), has_more, "{text:?}");
        }
    }

    #[test]
    fn after_a_request_to_stop_no_more_lines_come() {
        let stop = Stop::new();
        let mut lines = Lines::new(Parts::new(&[b"one\ntwo\n"]), stop.clone()).unwrap();
        assert_eq!(block_on(lines.next_line()).unwrap(), Some("one\n"));
        stop.request();
        let ended = block_on(lines.next_line());
        assert!(matches!(ended, Err(HostError::Stopped)), "{ended:?}");
    }

    /// Never has anything to read.
    struct Silent(std_mpsc::Receiver<()>);

    impl Read for Silent {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            self.0.recv().ok();
            Ok(0)
        }
    }

    #[test]
    fn a_request_to_stop_ends_the_wait_for_input() {
        let (keep, silent) = std_mpsc::channel();
        let stop = Stop::new();
        let mut lines = Lines::new(Silent(silent), stop.clone()).unwrap();
        let asked = thread::spawn(move || stop.request());
        let ended = block_on(lines.next_line());
        assert!(matches!(ended, Err(HostError::Stopped)), "{ended:?}");
        asked.join().unwrap();
        keep.send(()).unwrap();
    }
}
