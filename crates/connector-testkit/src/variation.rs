//! Records that differ from given ones.

use connector_core::{JsonObject, Record, Result, Stream};
use serde_json::Value;

use crate::copy::value_of;

/// The record with another value in a field that is neither part of its key nor its cursor;
/// `None` if it has no field of text, number or truth value there.
pub(crate) fn altered(stream: &Stream, record: &Record) -> Result<Option<Record>> {
    let mut value = value_of(&record.data)?;
    let Some(fields) = value.as_object_mut() else {
        return Ok(None);
    };
    let is_kept =
        |name: &String| stream.primary_key.contains(name) || stream.cursor.as_ref() == Some(name);
    let mut others = fields.iter_mut().filter(|(name, _)| !is_kept(name));
    if !others.any(|(_, value)| alter(value)) {
        return Ok(None);
    }
    let data = JsonObject::from_serialize(&value)?;
    Ok(Some(Record::new(record.stream.clone(), data)))
}

/// Gives a value another one of its type, if its type is simple.
fn alter(value: &mut Value) -> bool {
    let other: Value = match value {
        // What is parsed as a time stays one.
        Value::String(text) if is_time(text) => return false,
        Value::String(text) => format!("{text}~").into(),
        Value::Bool(is_true) => (!*is_true).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.wrapping_add(1).into(),
            (None, Some(number)) => (number / 2.0).into(),
            (None, None) => return false,
        },
        _ => return false,
    };
    *value = other;
    true
}

/// Whether a text begins with a date, `2026-01-31`.
pub(crate) fn is_time(text: &str) -> bool {
    let date: Vec<_> = text.bytes().take(10).collect();
    let fits = |(at, byte): (usize, &u8)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    date.len() == 10 && date.iter().enumerate().all(fits)
}

/// The fields of text, and of whole numbers: they are stored as they are everywhere.
pub(crate) fn simple_fields(value: &Value) -> Vec<&str> {
    let fields = value.as_object().into_iter().flatten();
    let simple = fields.filter(|(_, value)| value.is_string() || value.is_i64());
    simple.map(|(name, _)| name.as_str()).collect()
}

/// The primary key of a record alone, as a tombstone holds it.
pub(crate) fn key_alone(stream: &Stream, record: &Record) -> Result<JsonObject> {
    let value = value_of(&record.data)?;
    let fields = stream.primary_key.iter();
    let key: serde_json::Map<_, _> = fields
        .map(|field| (field.clone(), value[field].clone()))
        .collect();
    JsonObject::from_serialize(&key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_simple_field_outside_of_key_and_cursor_changes() {
        let stream = Stream::new("builds", "", json!({}))
            .with_primary_key(["id"])
            .with_cursor("at");
        let record = |text| Record::new("builds".into(), JsonObject::parse(text).unwrap());
        let given = r#"{"id":"a","at":1,"seen":"2026-01-31T00:00:00Z","list":[],"state":"passed"}"#;
        let altered_one = altered(&stream, &record(given)).unwrap().unwrap();
        let expected = given.replace("passed", "passed~");
        assert_eq!(altered_one.data.as_str(), expected);

        let bare = record(r#"{"id":"a","at":1,"list":[]}"#);
        assert!(altered(&stream, &bare).unwrap().is_none());
        assert_eq!(key_alone(&stream, &bare).unwrap().as_str(), r#"{"id":"a"}"#);
    }
}
