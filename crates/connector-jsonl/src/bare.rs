//! Lines of one stream: bare records and tombstones.
//!
//! `{"_gone":"aged_out","id":"…"}` is a tombstone: its first field is a text `_gone`, and the others
//! are the key. Read as a table, the file has a column `_gone` that is null in each record.

use std::borrow::Cow;
use std::fmt;

use connector_core::{JsonObject, ObjectWriter, Record, Result, StreamName};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::line::quoted;

const GONE: &str = "_gone";

/// The two parts of the tombstone of the record with the key `key`.
pub(crate) fn removed<'k>(why: &str, key: &'k str) -> (String, &'k str) {
    let start = format!("{{\"{GONE}\":{}", quoted(why));
    let fields = key.strip_prefix('{').unwrap_or(key).trim_ascii_start();
    let comma = if fields == "}" { "" } else { "," };
    (start + comma, fields)
}

/// Whether an object is a tombstone.
pub(crate) fn is_removed(object: &str) -> bool {
    let name = object.strip_prefix('{').unwrap_or(object);
    let mut name = name.trim_ascii_start().bytes();
    // Two bytes show that nearly all records are none.
    if name.next() != Some(b'"') || !matches!(name.next(), Some(b'_' | b'\\')) {
        return false;
    }
    let read = serde_json::Deserializer::from_str(object).deserialize_map(TombstoneVisitor);
    read.unwrap_or_default()
}

/// The line as a record of `stream`.
pub(crate) fn parse(line: &str, stream: &StreamName) -> Result<Record> {
    let object = JsonObject::parse(line)?;
    if !is_removed(object.as_str()) {
        return Ok(Record::new(stream.clone(), object));
    }
    let mut fields = object.fields()?.into_iter();
    let why: Cow<'_, str> = match fields.next() {
        Some((_, why)) => serde_json::from_str::<String>(why.get()).map_or_else(
            // Not valid Unicode: kept as JSON writes it.
            |_| why.get().into(),
            Cow::Owned,
        ),
        None => Cow::Borrowed(""),
    };
    let mut key = ObjectWriter::with_capacity(line.len());
    for (field, value) in fields {
        key.raw(&field, value);
    }
    Ok(Record::removed(stream.clone(), key.finish(), why))
}

/// Finds out whether the first field is a text `_gone`.
struct TombstoneVisitor;

impl<'de> Visitor<'de> for TombstoneVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let is_gone = match map.next_entry::<String, &serde_json::value::RawValue>()? {
            Some((name, value)) => name == GONE && value.get().starts_with('"'),
            None => false,
        };
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(is_gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Record {
        parse(line, &"builds".into()).unwrap()
    }

    #[test]
    fn tombstones_read_as_they_were_written() {
        for (key, line) in [
            (r#"{"id":1.0}"#, r#"{"_gone":"a\"b","id":1.0}"#),
            ("{ \"id\": 1}", r#"{"_gone":"a\"b","id": 1}"#),
            (r#"{"_gone":"k"}"#, r#"{"_gone":"a\"b","_gone":"k"}"#),
            ("{ }", r#"{"_gone":"a\"b"}"#),
        ] {
            let (start, rest) = removed("a\"b", key);
            assert_eq!(start + rest, line);
            let record = parsed(line);
            assert_eq!(record.removal_reason(), Some("a\"b"));
            let compact = |text: &str| text.replace(' ', "");
            assert_eq!(record.data.as_str(), compact(key));
        }
    }

    #[test]
    fn only_a_text_in_the_first_field_makes_a_tombstone() {
        for line in [
            r#"{"_gone":"x"}"#,
            r#"{ "_gone" : "x", "id":1}"#,
            r#"{"\u005fgone":"x"}"#,
        ] {
            assert!(parsed(line).is_removed(), "{line}");
        }
        for line in [
            "{}",
            r#"{"id":1,"_gone":"x"}"#,
            r#"{"_gone":null,"id":1}"#,
            r#"{"_gone":true}"#,
            r#"{"_gone":{"a":"x"}}"#,
            r#"{"_gone2":"x"}"#,
            r#"{"\ud800":"x"}"#,
        ] {
            let record = parsed(line);
            assert_eq!(record.tombstone, None, "{line}");
            assert_eq!(record.data.as_str(), line);
        }
    }
}
