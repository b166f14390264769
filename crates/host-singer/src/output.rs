//! Lines on standard output, and words for people on standard error.

use std::io::{self, BufWriter, Write};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use connector_core::Record;
use host_kit::{Level, Notice, Report};
use serde_json::Value;

/// What is written in one go, unless a state or a pause comes before.
const BUFFER: usize = 256 * 1024;

/// Both outputs of a tap or target.
pub(crate) struct Output<W: Write, E: Write> {
    writer: BufWriter<W>,
    people: E,
    extracted: Extracted,
}

impl<W: Write, E: Write> Output<W, E> {
    pub(crate) fn new(stdout: W, stderr: E) -> Self {
        Self {
            writer: BufWriter::with_capacity(BUFFER, stdout),
            people: stderr,
            extracted: Extracted::default(),
        }
    }

    /// A record; `text` is the selected part of it, written as it is.
    pub(crate) fn record(&mut self, record: &Record, text: &str) -> io::Result<()> {
        let writer = &mut self.writer;
        writer.write_all(b"{\"type\":\"RECORD\",\"stream\":")?;
        serde_json::to_writer(&mut *writer, record.stream.as_str())?;
        writer.write_all(b",\"record\":")?;
        writer.write_all(text.as_bytes())?;
        writer.write_all(b",\"time_extracted\":\"")?;
        writer.write_all(self.extracted.text().as_bytes())?;
        writer.write_all(b"\"}\n")
    }

    pub(crate) fn message(&mut self, message: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, message)?;
        self.writer.write_all(b"\n")
    }

    /// A document of many lines: people read it, and Meltano's `config test` refuses lines of more
    /// than 64 KiB.
    pub(crate) fn document(&mut self, document: &Value) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.writer, document)?;
        self.writer.write_all(b"\n")
    }

    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Shows a line to people. That nobody reads it is no reason to stop.
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

/// The time, as text that is made once a millisecond.
#[derive(Debug, Default)]
struct Extracted {
    at: Option<(u128, String)>,
}

impl Extracted {
    fn text(&mut self) -> &str {
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        if self.at.as_ref().is_none_or(|(at, _)| *at != millis) {
            let text = DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Micros, true);
            self.at = Some((millis, text));
        }
        self.at.as_ref().map_or("", |(_, text)| text)
    }
}
