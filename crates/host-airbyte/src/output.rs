//! Messages on standard output, one JSON object a line. Nothing else is written there.

use std::error::Error as _;
use std::io::{self, BufWriter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use connector_core::{Error, ErrorKind, Record, StreamName};
use host_kit::{Level, Notice, Report};
use serde_json::{Value, json};

/// What is written in one go, unless a state or a pause comes before.
const BUFFER: usize = 256 * 1024;

/// Writes messages.
pub(crate) struct Output<W: Write> {
    writer: BufWriter<W>,
    clock: Clock,
    /// The text before the data of a record, by stream.
    heads: Vec<(StreamName, String)>,
}

/// Where the read of a stream stands, in Airbyte's words.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StreamStatus {
    Started,
    Running,
    Complete,
    Incomplete,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self {
            writer: BufWriter::with_capacity(BUFFER, writer),
            clock: Clock::default(),
            heads: Vec::new(),
        }
    }

    /// A record. Its text is written as it is, without parsing.
    pub(crate) fn record(&mut self, record: &Record) -> io::Result<()> {
        let head = match self.heads.iter().position(|(s, _)| *s == record.stream) {
            Some(index) => index,
            None => {
                let name = json!(record.stream);
                let head = format!(r#"{{"type":"RECORD","record":{{"stream":{name},"data":"#);
                self.heads.push((record.stream.clone(), head));
                self.heads.len() - 1
            }
        };
        let writer = &mut self.writer;
        writer.write_all(self.heads[head].1.as_bytes())?;
        writer.write_all(record.data.single_line().as_bytes())?;
        writer.write_all(b",\"emitted_at\":")?;
        writer.write_all(self.clock.millis_text().as_bytes())?;
        writer.write_all(b"}}\n")
    }

    /// Any other message.
    pub(crate) fn message(&mut self, message: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, message)?;
        self.writer.write_all(b"\n")
    }

    /// A message that already is text.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    fn log(&mut self, level: &str, message: &str) -> io::Result<()> {
        self.message(&json!({"type": "LOG", "log": {"level": level, "message": message}}))
    }

    pub(crate) fn stream_status(
        &mut self,
        stream: &StreamName,
        status: StreamStatus,
    ) -> io::Result<()> {
        let status = match status {
            StreamStatus::Started => "STARTED",
            StreamStatus::Running => "RUNNING",
            StreamStatus::Complete => "COMPLETE",
            StreamStatus::Incomplete => "INCOMPLETE",
        };
        let stream_status = json!({"stream_descriptor": {"name": stream}, "status": status});
        self.trace("STREAM_STATUS", "stream_status", &stream_status)
    }

    pub(crate) fn error(&mut self, error: &Error) -> io::Result<()> {
        let mut content = json!({
            "message": error.to_string(),
            "internal_message": causes(error),
            "failure_type": failure_type(error.kind()),
        });
        let mut context = error.context();
        if let Some((_, stream)) = context.find(|(key, _)| *key == "stream") {
            content["stream_descriptor"] = json!({"name": stream});
        }
        self.trace("ERROR", "error", &content)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn trace(&mut self, kind: &str, member: &str, content: &Value) -> io::Result<()> {
        let emitted_at = self.clock.millis();
        let trace = json!({"type": kind, "emitted_at": emitted_at, member: content});
        self.message(&json!({"type": "TRACE", "trace": trace}))
    }
}

impl<W: Write> Report for Output<W> {
    fn report(&mut self, notice: Notice) -> io::Result<()> {
        match notice {
            Notice::Log(Level::Info, message) => self.log("INFO", &message)?,
            Notice::Log(Level::Warn, message) => self.log("WARN", &message)?,
            Notice::Log(Level::Error, message) => self.log("ERROR", &message)?,
            Notice::Estimate(stream, records) => {
                let estimate = json!({"name": stream, "type": "STREAM", "row_estimate": records});
                self.trace("ESTIMATE", "estimate", &estimate)?;
            }
        }
        // It must not wait for more output.
        self.flush()
    }
}

/// Who must act: the user, nobody but time, or whoever wrote the connector.
fn failure_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config
        | ErrorKind::Auth
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::State => "config_error",
        ErrorKind::Unavailable => "transient_error",
        _ => "system_error",
    }
}

/// The kind of an error, then the error, then its causes.
fn causes(error: &Error) -> String {
    let mut text = format!("{:?}: {error}", error.kind());
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The time, as text that is made once a millisecond.
#[derive(Debug, Default)]
struct Clock {
    millis: u128,
    text: String,
}

impl Clock {
    fn millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        u64::try_from(millis).unwrap_or(u64::MAX)
    }

    fn millis_text(&mut self) -> &str {
        let millis = u128::from(self.millis());
        if self.text.is_empty() || millis != self.millis {
            self.millis = millis;
            self.text = millis.to_string();
        }
        &self.text
    }
}
