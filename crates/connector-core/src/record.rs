//! One row on its way.

use serde::Serialize;

use crate::{Error, ErrorKind, JsonObject, Result, StreamName};

/// One record of one stream, or the news that the source no longer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its fields, as the text they came in; of a record that is gone the primary key alone.
    pub data: JsonObject,
    /// Why the source no longer has it, in a word of the source's (`aged_out`); `None` while it
    /// has. What is gone is not to be deleted: a destination keeps the row and marks it.
    pub gone: Option<Box<str>>,
}

impl Record {
    /// A record of `stream`.
    pub fn new(stream: StreamName, data: JsonObject) -> Self {
        Self {
            stream,
            data,
            gone: None,
        }
    }

    /// The news that the source no longer has the record of `stream` with this primary key.
    pub fn gone(stream: StreamName, key: JsonObject, why: impl Into<Box<str>>) -> Self {
        Self {
            stream,
            data: key,
            gone: Some(why.into()),
        }
    }

    /// The line that keeps a record which was refused for a reason, without its end:
    /// `{"stream":…,"reason":…,"record":{…}}`, and `"gone":…` behind that if it is gone. The
    /// connector for JSON lines reads it as the record.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has no JSON form.
    pub fn dead_letter(&self, reason: &str) -> Result<String> {
        #[derive(Serialize)]
        struct Line<'a> {
            stream: &'a str,
            reason: &'a str,
            record: &'a serde_json::value::RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            gone: Option<&'a str>,
        }
        let text = self.data.single_line();
        let line = serde_json::from_str(&text).and_then(|record| {
            serde_json::to_string(&Line {
                stream: self.stream.as_str(),
                reason,
                record,
                gone: self.gone.as_deref(),
            })
        });
        line.map_err(|error| {
            Error::new(ErrorKind::Internal, "a refused record has no JSON form").with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_one_line_with_the_reason() {
        let data = JsonObject::parse("{\n\"id\": 1.0}").unwrap();
        let record = Record::new("builds".into(), data.clone());
        let line = record.dead_letter("no \"use\"").unwrap();
        let expected = r#"{"stream":"builds","reason":"no \"use\"","record":{ "id": 1.0}}"#;
        assert_eq!(line, expected);
        let gone = Record::gone("builds".into(), data, "aged_out");
        let line = gone.dead_letter("no").unwrap();
        assert!(line.ends_with(r#","gone":"aged_out"}"#), "{line}");
    }
}
