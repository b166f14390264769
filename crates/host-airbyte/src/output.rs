//! Messages on standard output. Nothing else is written there.

use std::error::Error as _;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use connector_core::{Error, ErrorKind, Record, StreamName};
use host_kit::{Level, MessageWriter, Notice, RecordForm, Report, WireOutput};
use serde_json::{Value, json};

const RECORD: RecordForm = RecordForm {
    head: |stream| {
        let name = json!(stream);
        format!(r#"{{"type":"RECORD","record":{{"stream":{name},"data":"#)
    },
    before_time: ",\"emitted_at\":",
    time: |now| millis(now).to_string(),
    after_time: "}}",
};

/// Writes messages.
pub(crate) struct Output<W: Write>(MessageWriter<W>);

/// The status of a stream, in Airbyte's terms.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StreamStatus {
    Started,
    Running,
    Complete,
    Incomplete,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self(MessageWriter::new(writer, RECORD))
    }

    pub(crate) fn record(&mut self, record: &Record) -> io::Result<()> {
        self.0.record(&record.stream, &record.data.single_line())
    }

    /// Any other message.
    pub(crate) fn message(&mut self, message: &Value) -> io::Result<()> {
        self.0.message(message)
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
        self.0.flush()
    }

    fn trace(&mut self, kind: &str, member: &str, content: &Value) -> io::Result<()> {
        let emitted_at = millis(SystemTime::now());
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

impl<W: Write> WireOutput for Output<W> {
    fn pass_on(&mut self, states: &[String]) -> io::Result<()> {
        for state in states {
            self.0.line(state)?;
        }
        self.flush()
    }
}

/// Who can fix it: the user, time, or the authors of the connector.
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

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    u64::try_from(millis).unwrap_or(u64::MAX)
}
