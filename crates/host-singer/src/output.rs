//! Lines on standard output, and messages for people on standard error.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use connector_core::StreamName;
use host_kit::{Level, MessageWriter, Notice, RecordForm, Report, WireOutput};
use serde_json::{Value, json};

const RECORD: RecordForm = RecordForm {
    head: |stream| {
        let name = json!(stream);
        format!(r#"{{"type":"RECORD","stream":{name},"record":"#)
    },
    before_time: ",\"time_extracted\":\"",
    time: |now| DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Micros, true),
    after_time: "\"}",
};

/// Both outputs of a tap or target.
pub(crate) struct Output<W: Write, E: Write> {
    messages: MessageWriter<W>,
    people: E,
}

impl<W: Write, E: Write> Output<W, E> {
    pub(crate) fn new(stdout: W, stderr: E) -> Self {
        Self {
            messages: MessageWriter::new(stdout, RECORD),
            people: stderr,
        }
    }

    /// A record; `text` is the selected part of it, on one line.
    pub(crate) fn record(&mut self, stream: &StreamName, text: &str) -> io::Result<()> {
        self.messages.record(stream, text)
    }

    pub(crate) fn message(&mut self, message: &Value) -> io::Result<()> {
        self.messages.message(message)
    }

    /// A document of many lines, because people read it and Meltano's `config test` refuses lines
    /// of more than 64 KiB.
    pub(crate) fn document(&mut self, document: &Value) -> io::Result<()> {
        self.messages.document(document)
    }

    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.messages.line(line)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.messages.flush()
    }

    /// Shows a line to people. A closed standard error is no reason to stop.
    pub(crate) fn tell(&mut self, level: &str, text: impl std::fmt::Display) {
        writeln!(self.people, "{level} {text}").ok();
    }
}

impl<W: Write, E: Write> Report for Output<W, E> {
    fn report(&mut self, notice: Notice) -> io::Result<()> {
        let level = match notice {
            Notice::Log(Level::Error, _) => "ERROR",
            Notice::Log(Level::Warn, _) => "WARNING",
            Notice::Log(Level::Info, _) | Notice::Estimate(..) => "INFO",
        };
        self.tell(level, notice);
        Ok(())
    }
}

impl<W: Write, E: Write> WireOutput for Output<W, E> {
    fn pass_on(&mut self, states: &[String]) -> io::Result<()> {
        for state in states {
            self.line(state)?;
        }
        self.flush()
    }
}
