//! Messages on standard output, one JSON object per line.

use std::io::{self, BufWriter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use connector_core::StreamName;
use serde_json::Value;

/// Bytes per write, unless a flush comes first.
const BUFFER: usize = 256 * 1024;

/// How a protocol writes a record: head, data, `before_time`, time, `after_time`.
#[derive(Debug, Clone, Copy)]
pub struct RecordForm {
    /// The text before the data of a record of this stream.
    pub head: fn(&StreamName) -> String,
    /// The text between data and time.
    pub before_time: &'static str,
    /// The time at which the record is written.
    pub time: fn(SystemTime) -> String,
    /// The text after the time.
    pub after_time: &'static str,
}

/// Writes messages.
pub struct MessageWriter<W: Write> {
    writer: BufWriter<W>,
    form: RecordForm,
    heads: Vec<(StreamName, String)>,
    /// Renewed at most once per millisecond.
    time: Option<(u128, String)>,
}

impl<W: Write> MessageWriter<W> {
    /// Writes records in this form.
    pub fn new(writer: W, form: RecordForm) -> Self {
        Self {
            writer: BufWriter::with_capacity(BUFFER, writer),
            form,
            heads: Vec::new(),
            time: None,
        }
    }

    /// A record of `stream`. `data`, an object on one line, is written unchanged, without parsing.
    ///
    /// # Errors
    /// Those of the output, as for all methods.
    pub fn record(&mut self, stream: &StreamName, data: &str) -> io::Result<()> {
        let head = self.head(stream);
        self.renew_time();
        let time = self.time.as_ref().map_or("", |(_, text)| text);
        let head = &self.heads[head].1;
        for part in [
            head,
            data,
            self.form.before_time,
            time,
            self.form.after_time,
        ] {
            self.writer.write_all(part.as_bytes())?;
        }
        self.writer.write_all(b"\n")
    }

    /// Any other message.
    ///
    /// # Errors
    /// Those of the output.
    pub fn message(&mut self, message: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, message)?;
        self.writer.write_all(b"\n")
    }

    /// A document of many lines.
    ///
    /// # Errors
    /// Those of the output.
    pub fn document(&mut self, document: &Value) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.writer, document)?;
        self.writer.write_all(b"\n")
    }

    /// A line of text.
    ///
    /// # Errors
    /// Those of the output.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    /// Lets the reader see everything written so far.
    ///
    /// # Errors
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// The index of the head of a stream.
    fn head(&mut self, stream: &StreamName) -> usize {
        let mut heads = self.heads.iter();
        if let Some(index) = heads.position(|(known, _)| known == stream) {
            return index;
        }
        let head = (self.form.head)(stream);
        self.heads.push((stream.clone(), head));
        self.heads.len() - 1
    }

    fn renew_time(&mut self) {
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        if self.time.as_ref().is_none_or(|(at, _)| *at != millis) {
            self.time = Some((millis, (self.form.time)(now)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_stand_between_other_messages_as_they_came() {
        let form = RecordForm {
            head: |stream| format!("{{\"{stream}\":"),
            before_time: ",\"at\":",
            time: |_| "7".to_owned(),
            after_time: "}",
        };
        let mut written = Vec::new();
        {
            let mut writer = MessageWriter::new(&mut written, form);
            writer.record(&"a".into(), r#"{"n":1.0}"#).unwrap();
            writer.message(&json!({"state": 1})).unwrap();
            writer.record(&"b".into(), "{}").unwrap();
            writer.record(&"a".into(), "{}").unwrap();
            writer.flush().unwrap();
        }
        let expected = "{\"a\":{\"n\":1.0},\"at\":7}\n{\"state\":1}\n{\"b\":{},\"at\":7}\n\
                        {\"a\":{},\"at\":7}\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}
