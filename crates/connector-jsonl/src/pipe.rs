//! Standard output, named pipes and devices: records only, no state.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use connector_core::{Outcome, Record, Result, State, StreamName, StreamPlan, WritePlan};

use crate::output::Output;
use crate::sink::{Sink, not_announced};
use crate::{error, line};

/// Record lines into a pipe.
pub(crate) struct Pipe {
    path: PathBuf,
    output: Output<Box<dyn Write + Send>>,
    starts: HashMap<StreamName, String>,
}

impl Pipe {
    /// Standard output.
    pub(crate) fn standard(plan: &WritePlan) -> Self {
        Self::new(Path::new("-"), Box::new(io::stdout()), plan)
    }

    /// A named pipe, as soon as somebody reads it, or a device.
    pub(crate) fn open(path: &Path, plan: &WritePlan) -> Result<Self> {
        let opened = OpenOptions::new().write(true).open(path);
        let file = opened.map_err(|error| error::of_io(error, path))?;
        Ok(Self::new(path, Box::new(file), plan))
    }

    fn new(path: &Path, writer: Box<dyn Write + Send>, plan: &WritePlan) -> Self {
        Self {
            path: path.to_owned(),
            output: Output::new(writer, 0),
            starts: starts(plan),
        }
    }
}

/// What stands before the records of each stream.
pub(crate) fn starts(plan: &WritePlan) -> HashMap<StreamName, String> {
    plan.streams.iter().map(start).collect()
}

/// What stands before the records of one stream.
pub(crate) fn start(stream: &StreamPlan) -> (StreamName, String) {
    let name = &stream.stream.name;
    (name.clone(), line::record_start(name))
}

/// Adds the line of a record, or of one that was removed.
pub(crate) fn put<W: Write>(
    output: &mut Output<W>,
    starts: &HashMap<StreamName, String>,
    record: &Record,
) -> io::Result<Outcome> {
    let Some(start) = starts.get(&record.stream) else {
        return Ok(not_announced());
    };
    let data = record.data.single_line();
    match record.removal_reason() {
        None => output.line([start, &data, "}\n"])?,
        Some(reason) => {
            let start = line::removed_start(&record.stream, reason);
            output.line([&start, &data, "}\n"])?;
        }
    }
    Ok(Outcome::Accepted)
}

impl Sink for Pipe {
    fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        self.starts.extend([start(stream)]);
        Ok(())
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        put(&mut self.output, &self.starts, record).map_err(|error| error::of_io(error, &self.path))
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
    fn what_is_gone_has_the_form_that_it_has_in_a_file() {
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
    fn a_reader_that_goes_away_is_said_to_have_closed_the_pipe() {
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
