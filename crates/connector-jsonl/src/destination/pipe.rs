//! Standard output, named pipes and devices. They hold records and no state.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use connector_core::{Outcome, Record, Result, State, StreamPlan, WritePlan};

use super::envelopes::Envelopes;
use super::output::Output;
use super::sink::Sink;
use crate::error;

/// Writes records into a pipe.
pub(crate) struct Pipe {
    path: PathBuf,
    output: Output<Box<dyn Write + Send>>,
    envelopes: Envelopes,
}

impl Pipe {
    /// Standard output.
    pub(crate) fn standard(plan: &WritePlan) -> Self {
        Self::new(Path::new("-"), Box::new(io::stdout()), plan)
    }

    /// A named pipe, once somebody reads it, or a device.
    pub(crate) fn open(path: &Path, plan: &WritePlan) -> Result<Self> {
        let opened = OpenOptions::new().write(true).open(path);
        let file = opened.map_err(|error| error::of_io(error, path))?;
        Ok(Self::new(path, Box::new(file), plan))
    }

    fn new(path: &Path, writer: Box<dyn Write + Send>, plan: &WritePlan) -> Self {
        Self {
            path: path.to_owned(),
            output: Output::new(writer, 0),
            envelopes: Envelopes::of(plan),
        }
    }
}

impl Sink for Pipe {
    fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        self.envelopes.add(&stream.stream.name);
        Ok(())
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        let put = self.envelopes.put(&mut self.output, record);
        put.map_err(|error| error::of_io(error, &self.path))
    }

    fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        let flushed = self.output.flush();
        flushed.map_err(|error| error::of_io(error, &self.path))
    }
}

#[cfg(test)]
mod tests {
    use connector_core::{ErrorKind, JsonObject, Stream, WriteMode};

    use super::*;

    fn plan() -> WritePlan {
        let stream = Stream::new("builds", "", serde_json::Value::Null);
        WritePlan::new("test", [StreamPlan::new(stream, WriteMode::Append)])
    }

    fn record() -> Record {
        let data = JsonObject::parse("{\"id\": 1.0,\n\"a\":\"é\"}").unwrap();
        Record::new("builds".into(), data)
    }

    #[test]
    fn lines_arrive_at_the_commit_and_keep_their_text() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut pipe = Pipe::new(Path::new("-"), Box::new(writer), &plan());

        let outcome = pipe.put(&record()).unwrap();
        assert_eq!(outcome, Outcome::Accepted);
        pipe.commit(Some(&State::new("x", 1))).unwrap();
        drop(pipe);

        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        let line = "{\"stream\":\"builds\",\"record\":{\"id\": 1.0, \"a\":\"é\"}}\n";
        assert_eq!(text, line);
    }

    #[test]
    fn a_tombstone_has_the_same_form_as_in_a_file() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut pipe = Pipe::new(Path::new("-"), Box::new(writer), &plan());
        let key = JsonObject::parse("{\"id\":1}").unwrap();

        pipe.put(&Record::removed("builds".into(), key, "aged_out"))
            .unwrap();
        pipe.commit(None).unwrap();
        drop(pipe);

        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        let line = "{\"stream\":\"builds\",\"gone\":\"aged_out\",\"key\":{\"id\":1}}\n";
        assert_eq!(text, line);
    }

    #[test]
    fn a_reader_that_leaves_is_reported_as_a_closed_pipe() {
        let (reader, writer) = io::pipe().unwrap();
        let mut pipe = Pipe::new(Path::new("-"), Box::new(writer), &plan());
        drop(reader);

        pipe.put(&record()).unwrap();
        let error = pipe.commit(None).unwrap_err();

        assert!(error.is_closed_pipe());
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.to_string(), "the reader closed the pipe [path: -]");
    }
}
