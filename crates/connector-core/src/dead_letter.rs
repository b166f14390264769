//! The line that keeps a rejected record.
//!
//! One format everywhere: `{"stream":…,"reason":…,"record":{…}}`, and `"gone":…` after that for a
//! tombstone. The connector for JSON lines reads such a line as the record, so that it can be
//! sent again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, JsonObject, Record, Result, StreamName, invalid_json};

/// A rejected record, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// What was rejected.
    pub record: Record,
    /// Why, in a sentence without values of the record.
    pub reason: String,
}

/// Its JSON form.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    record: JsonObject,
    /// Warehouses have a column of this name, too.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    gone: Option<Cow<'a, str>>,
}

impl DeadLetter {
    /// A record that was rejected for `reason`.
    pub fn new(record: Record, reason: impl Into<String>) -> Self {
        Self {
            record,
            reason: reason.into(),
        }
    }

    /// The line, without its line break.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the record has no JSON form.
    pub fn to_line(&self) -> Result<String> {
        let line = JsonObject::parse(&self.record.data.single_line()).and_then(|record| {
            JsonObject::from_serialize(&Line {
                stream: self.record.stream.as_str().into(),
                reason: self.reason.as_str().into(),
                record,
                gone: self.record.removal_reason().map(Into::into),
            })
        });
        line.map(|line| line.as_str().to_owned()).map_err(|error| {
            let message = "a rejected record has no JSON form";
            Error::new(ErrorKind::Internal, message).with_source(error)
        })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if it is not a dead letter.
    pub fn parse(line: &str) -> Result<Self> {
        let line: Line<'_> = serde_json::from_str(line)
            .map_err(|error| invalid_json(ErrorKind::Data, "the line", &error))?;
        let stream = StreamName::from(&*line.stream);
        let record = match line.gone {
            Some(reason) => Record::removed(stream, line.record, reason),
            None => Record::new(stream, line.record),
        };
        Ok(Self::new(record, line.reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_one_line_that_is_read_back_as_the_record() {
        let data = JsonObject::parse("{\n\"id\": 1.0}").unwrap();
        let letter = DeadLetter::new(Record::new("builds".into(), data.clone()), "no \"use\"");
        let line = letter.to_line().unwrap();
        let expected = r#"{"stream":"builds","reason":"no \"use\"","record":{ "id": 1.0}}"#;
        assert_eq!(line, expected);
        let read = DeadLetter::parse(&line).unwrap();
        assert_eq!(read.reason, letter.reason);
        assert_eq!(read.record.data.as_str(), "{ \"id\": 1.0}");

        let removed = DeadLetter::new(Record::removed("builds".into(), data, "aged_out"), "no");
        let line = removed.to_line().unwrap();
        assert!(line.ends_with(r#","gone":"aged_out"}"#), "{line}");
        let read = DeadLetter::parse(&line).unwrap();
        assert_eq!(read.record.removal_reason(), Some("aged_out"));
    }
}
