//! A read in progress: one file after the other, in chunks of messages.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;

use connector_core::{Error, Message, Result, Status, StreamName};

use super::lines::{Form, Lines, Reader};
use super::position::{Position, Positions};

/// Records between two checkpoints.
const CHECKPOINT_EVERY: usize = 1000;
/// The most that a chunk holds: lines, and bytes unless one record has more.
const CHUNK_LINES: usize = 1000;
const CHUNK_BYTES: usize = 256 * 1024;

/// A pipe, and the streams that it may hold.
pub(crate) type PipeLines = (Reader, BTreeSet<StreamName>);

/// A file or pipe to read.
pub(crate) struct Part {
    /// Its path. Used only in messages if it is a pipe.
    pub(crate) path: PathBuf,
    /// The format of its lines.
    pub(crate) form: Form,
    /// How many of its bytes are committed, if not all count.
    pub(crate) end: Option<u64>,
    /// The pipe, if it is one.
    pub(crate) pipe: Option<PipeLines>,
}

/// A read of some streams. After an error it must not be used.
pub(crate) struct Reading {
    parts: VecDeque<Part>,
    positions: Positions,
    open: Option<Open>,
    /// Returned after the messages before it.
    failure: Option<Error>,
}

struct Open {
    lines: Lines,
    form: Form,
    streams: Vec<StreamName>,
    /// The streams that a pipe may hold. A pipe has one checkpoint, at its end.
    known: Option<BTreeSet<StreamName>>,
    since_checkpoint: usize,
}

impl Reading {
    /// Reads the streams of `positions` from `parts`.
    pub(crate) fn new(parts: Vec<Part>, positions: Positions) -> Self {
        Self {
            parts: parts.into(),
            positions,
            open: None,
            failure: None,
        }
    }

    /// The next messages, which may be none. `None` at the end.
    pub(crate) fn chunk(&mut self) -> Result<Option<Vec<Message>>> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for _ in 0..CHUNK_LINES {
            let length = match self.step(&mut chunk) {
                Ok(Some(length)) => length,
                Ok(None) => return Ok((!chunk.is_empty()).then_some(chunk)),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            };
            bytes += length;
            if bytes >= CHUNK_BYTES {
                break;
            }
        }
        Ok(Some(chunk))
    }

    /// Reads one line, or begins a file. Returns the bytes of the record, `None` at the end.
    fn step(&mut self, messages: &mut Vec<Message>) -> Result<Option<usize>> {
        let Some(mut open) = self.open.take() else {
            let Some(part) = self.parts.pop_front() else {
                return Ok(None);
            };
            self.begin(part, messages)?;
            return Ok(Some(0));
        };
        let record = match open.lines.next_record(&open.form) {
            Ok(Some(record)) => record,
            Ok(None) => {
                self.finish(&open, messages)?;
                return Ok(Some(0));
            }
            Err(error) => {
                self.save_before(&open, messages)?;
                return Err(open.named(error));
            }
        };
        let mut bytes = 0;
        if let Some(record) = record {
            open.check(&record.stream)?;
            if self.is_wanted(&record.stream, open.lines.start()) {
                bytes = record.data.as_str().len();
                messages.push(Message::Record(record));
                open.since_checkpoint += 1;
            }
        }
        if open.since_checkpoint >= CHECKPOINT_EVERY && open.known.is_none() {
            open.since_checkpoint = 0;
            self.checkpoint(&open, open.lines.position(), messages)?;
        }
        self.open = Some(open);
        Ok(Some(bytes))
    }

    fn begin(&mut self, part: Part, messages: &mut Vec<Message>) -> Result<()> {
        let streams: Vec<_> = match &part.form {
            Form::Enveloped => self.positions.names().cloned().collect(),
            Form::Bare(stream) => vec![stream.clone()],
        };
        let started = streams.iter().cloned();
        messages.extend(started.map(|stream| Message::Status(stream, Status::Started)));
        let positions = streams
            .iter()
            .filter_map(|s| self.positions.get(s.as_str()));
        let open = positions.filter(|position| !position.complete);
        let Some(from) = open.min_by_key(|position| position.offset) else {
            messages.extend(completed(&streams));
            return Ok(());
        };
        let (lines, known) = match part.pipe {
            Some((reader, known)) => (Lines::new(&part.path, reader), Some(known)),
            None => {
                let lines = Lines::open(&part.path, from, part.end);
                (lines.map_err(|error| of_only(&streams, error))?, None)
            }
        };
        self.open = Some(Open {
            lines,
            form: part.form,
            streams,
            known,
            since_checkpoint: 0,
        });
        Ok(())
    }

    /// Saves the position before a line that cannot be read, so that earlier lines are not read
    /// again.
    fn save_before(&mut self, open: &Open, messages: &mut Vec<Message>) -> Result<()> {
        if open.since_checkpoint == 0 || open.known.is_some() {
            return Ok(());
        }
        self.checkpoint(open, open.lines.position_before(), messages)
    }

    fn finish(&mut self, open: &Open, messages: &mut Vec<Message>) -> Result<()> {
        self.checkpoint(open, Position::COMPLETE, messages)?;
        messages.extend(completed(&open.streams));
        Ok(())
    }

    fn checkpoint(
        &mut self,
        open: &Open,
        position: Position,
        messages: &mut Vec<Message>,
    ) -> Result<()> {
        for stream in &open.streams {
            self.positions.advance(stream, position);
        }
        messages.push(Message::Checkpoint(self.positions.state()?));
        Ok(())
    }

    /// Whether the stream is requested, and not yet read that far.
    fn is_wanted(&self, stream: &StreamName, start: u64) -> bool {
        let position = self.positions.get(stream.as_str());
        position.is_some_and(|position| !position.complete && start >= position.offset)
    }
}

impl Open {
    /// The error of the last line, with its stream if that is known.
    fn named(&self, error: Error) -> Error {
        match self.lines.stream_among(&self.streams) {
            Some(stream) => error.with_context("stream", stream),
            None => of_only(&self.streams, error),
        }
    }

    /// Fails for a stream that was not discovered, because its records would be lost silently.
    fn check(&self, stream: &StreamName) -> Result<()> {
        match &self.known {
            Some(known) if !known.contains(stream) => {
                let message = "the stream does not appear in the first MiB of the pipe, where its \
                               streams are discovered; write the pipe to a file first";
                Err(self.lines.refused(message).with_context("stream", stream))
            }
            _ => Ok(()),
        }
    }
}

/// If only one stream is read, it is the one that failed.
fn of_only(streams: &[StreamName], error: Error) -> Error {
    match streams {
        [stream] => error.with_context("stream", stream),
        _ => error,
    }
}

fn completed(streams: &[StreamName]) -> impl Iterator<Item = Message> {
    streams
        .iter()
        .map(|stream| Message::Status(stream.clone(), Status::Complete))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use connector_core::{ErrorKind, ReadRequest, Selection};

    use super::*;

    #[test]
    fn a_stream_that_appears_late_in_a_pipe_is_an_error_and_one_not_wanted_is_skipped() {
        let line = |stream: &str| format!("{{\"stream\":\"{stream}\",\"record\":{{}}}}\n");
        let text = [line("a"), line("b"), line("a"), line("late")].concat();
        let known = ["a", "b"].map(StreamName::from).into();
        let part = Part {
            path: "-".into(),
            form: Form::Enveloped,
            end: None,
            pipe: Some((Box::new(Cursor::new(text)), known)),
        };
        let request = ReadRequest::new([Selection::full_refresh("a")]);
        let mut reading = Reading::new(vec![part], Positions::of(&request).unwrap());

        let messages = reading.chunk().unwrap().unwrap();
        let error = reading.chunk().unwrap_err();

        let is_record = |message: &&Message| matches!(message, Message::Record(_));
        assert_eq!(messages.iter().filter(is_record).count(), 2);
        assert_eq!(error.kind(), ErrorKind::Data);
        let shown = error.to_string();
        assert!(shown.contains("line: 4, stream: late"), "{shown}");
    }
}
