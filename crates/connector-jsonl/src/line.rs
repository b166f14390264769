//! The formats of a line, for writing and reading.

use std::borrow::Cow;

use connector_core::{JsonObject, Record, Result, State, StreamName};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The beginning of each line with a stream, as this program writes it.
pub(crate) const RECORD_START: &[u8] = b"{\"stream\":";
/// The beginning of each commit line, as this program writes it.
pub(crate) const COMMIT_START: &[u8] = b"{\"sync\":";

/// The part of a line before a record of `stream`. `}` closes the line.
pub(crate) fn record_start(stream: &StreamName) -> String {
    format!("{{\"stream\":{},\"record\":", quoted(stream.as_str()))
}

/// The part of a line before the key of a tombstone of `stream`. `}` closes the line.
pub(crate) fn removed_start(stream: &StreamName, reason: &str) -> String {
    let (stream, reason) = (quoted(stream.as_str()), quoted(reason));
    format!("{{\"stream\":{stream},\"gone\":{reason},\"key\":")
}

/// A commit of `sync` with its last state.
pub(crate) fn commit(sync: &str, state: Option<&State>) -> Result<String> {
    let state = state.map(State::to_json).transpose()?;
    let state = state.as_deref().unwrap_or("null");
    Ok(format!("{{\"sync\":{},\"state\":{state}}}\n", quoted(sync)))
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A commit line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commit {
    /// The name of the sync.
    pub(crate) sync: String,
    /// Its last state. It may be null. The attribute makes a missing one an error.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) state: Option<State>,
}

/// The line as a commit, if it is one.
pub(crate) fn parse_commit(line: &[u8]) -> Option<Commit> {
    serde_json::from_slice(line).ok()
}

/// The stream that a line names, whatever else the line holds.
pub(crate) fn stream_of(line: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        stream: Cow<'a, str>,
    }
    let named: Named<'_> = serde_json::from_slice(line).ok()?;
    Some(named.stream)
}

/// A line of a file with several streams.
#[derive(Debug)]
pub(crate) enum Enveloped {
    /// A record or a tombstone.
    Record(Record),
    /// A commit, which readers skip.
    Commit,
}

impl Enveloped {
    /// The line, if it is a record, a tombstone, a commit or a dead letter, and has no other
    /// fields. A dead letter is a record or tombstone with the reason for its rejection.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let line: Line<'_> = serde_json::from_str(line).ok()?;
        match line {
            Line {
                stream: Some(stream),
                record: Some(record),
                gone,
                key: None,
                sync: None,
                state: None,
                reason,
            } if gone.is_none() || reason.is_some() => {
                let data = JsonObject::from_raw(record)?;
                let stream = stream.as_ref().into();
                Some(Self::Record(match gone {
                    Some(why) => Record::removed(stream, data, why),
                    None => Record::new(stream, data),
                }))
            }
            Line {
                stream: Some(stream),
                record: None,
                gone: Some(why),
                key: Some(key),
                sync: None,
                state: None,
                reason: None,
            } => {
                let key = JsonObject::from_raw(key)?;
                let stream = stream.as_ref().into();
                Some(Self::Record(Record::removed(stream, key, why)))
            }
            Line {
                stream: None,
                record: None,
                gone: None,
                key: None,
                sync: Some(_),
                reason: None,
                ..
            } => Some(Self::Commit),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    gone: Option<Cow<'a, str>>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    sync: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_as_they_were_written() {
        let stream = StreamName::from("we\"ird");
        let line = format!("{}{{\"a\": 1.0}}}}", record_start(&stream));
        let Some(Enveloped::Record(record)) = Enveloped::parse(&line) else {
            panic!("{line}");
        };
        assert_eq!(record.stream, stream);
        assert_eq!(record.data.as_str(), "{\"a\": 1.0}");

        let line = commit("a\nb", Some(&State::new("x", 1))).unwrap();
        assert!(line.as_bytes().starts_with(COMMIT_START));
        let read = parse_commit(line.as_bytes()).unwrap();
        assert_eq!(read.sync, "a\nb");
        assert_eq!(read.state, Some(State::new("x", 1)));
        assert!(matches!(Enveloped::parse(&line), Some(Enveloped::Commit)));
    }

    #[test]
    fn tombstones_read_as_they_were_written() {
        let stream = StreamName::from("we\"ird");
        let line = format!("{}{{\"id\": 1.0}}}}", removed_start(&stream, "ag\"ed"));
        assert!(line.as_bytes().starts_with(RECORD_START));
        let Some(Enveloped::Record(record)) = Enveloped::parse(&line) else {
            panic!("{line}");
        };
        let key = JsonObject::parse("{\"id\": 1.0}").unwrap();
        assert_eq!(record, Record::removed(stream, key, "ag\"ed"));
    }

    #[test]
    fn a_dead_letter_is_read_as_the_record_that_was_rejected() {
        let line = r#"{"stream":"a","reason":"no","record":{"id":1}}"#;
        let data = JsonObject::parse("{\"id\":1}").unwrap();
        let Some(Enveloped::Record(record)) = Enveloped::parse(line) else {
            panic!("{line}");
        };
        assert_eq!(record, Record::new("a".into(), data.clone()));
        let line = r#"{"stream":"a","reason":"no","record":{"id":1},"gone":"aged_out"}"#;
        let Some(Enveloped::Record(record)) = Enveloped::parse(line) else {
            panic!("{line}");
        };
        assert_eq!(record, Record::removed("a".into(), data, "aged_out"));
    }

    #[test]
    fn an_object_with_other_fields_is_neither_record_nor_commit() {
        for line in [
            r#"{"stream":"a","record":{},"more":1}"#,
            r#"{"stream":"a","record":{},"gone":"b"}"#,
            r#"{"stream":"a","reason":"b"}"#,
            r#"{"sync":"a","state":null,"reason":"b"}"#,
            r#"{"stream":"a","record":1}"#,
            r#"{"stream":"a"}"#,
            r#"{"stream":"a","gone":"b"}"#,
            r#"{"stream":"a","gone":"b","key":1}"#,
            r#"{"stream":"a","gone":"b","key":{},"record":{}}"#,
            r#"{"stream":"a","record":{},"key":{}}"#,
            r#"{"sync":"a","state":null,"gone":"b"}"#,
            r#"{"sync":1,"state":null}"#,
            r#"{"id":1}"#,
            "[]",
        ] {
            assert!(Enveloped::parse(line).is_none(), "{line}");
        }
    }
}
