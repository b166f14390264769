//! Small writers for the hot path: each appends one JSON value to a buffer.

use std::io::Write as _;

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::ids::write_graphql_id;
use crate::time::write_millis;

/// Appends text as it is.
pub(crate) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends all parts, one after the other.
pub(crate) fn put_all(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        put(out, part);
    }
}

/// Appends a JSON string, escaped.
pub(crate) fn put_json(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text is JSON");
}

/// Appends the 36 characters of an id, without quotes.
pub(crate) fn put_id(out: &mut Vec<u8>, id: Uuid) {
    let mut text = [0; Hyphenated::LENGTH];
    out.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
}

/// Appends `"id":"…","graphql_id":"…"`.
pub(crate) fn put_ids(out: &mut Vec<u8>, kind: &str, id: Uuid) {
    let mut text = [0; Hyphenated::LENGTH];
    let text = id.hyphenated().encode_lower(&mut text);
    put_all(out, &["\"id\":\"", text, "\",\"graphql_id\":\""]);
    write_graphql_id(out, kind, text.as_bytes());
    put(out, "\"");
}

/// Appends a number.
pub(crate) fn put_number(out: &mut Vec<u8>, number: i64) {
    write!(out, "{number}").expect("a buffer takes any text");
}

/// Appends a number or `null`.
pub(crate) fn put_number_or_null(out: &mut Vec<u8>, number: Option<i64>) {
    match number {
        Some(number) => put_number(out, number),
        None => put(out, "null"),
    }
}

/// Appends `,"key":` and a quoted time or `null`.
pub(crate) fn put_time(out: &mut Vec<u8>, key: &str, time: Option<i64>) {
    put_all(out, &[",\"", key, "\":"]);
    match time {
        Some(time) => {
            out.push(b'"');
            write_millis(out, time);
            out.push(b'"');
        }
        None => put(out, "null"),
    }
}
