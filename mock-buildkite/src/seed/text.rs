//! Small writers for the hot path: each appends one JSON value to a buffer.

use std::io::Write as _;

use crate::dice::{Uuid, write_graphql_id};
use crate::time::write_millis;

/// The address that the fields of objects name. Only links of lists name the fake itself.
pub(crate) const PUBLIC_API: &str = "https://api.buildkite.com/v2/organizations";
/// The address of the browser pages.
pub(crate) const PUBLIC_WEB: &str = "https://buildkite.com";

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
    out.extend_from_slice(&id.text());
}

/// Appends `"id":"…","graphql_id":"…"`.
pub(crate) fn put_ids(out: &mut Vec<u8>, kind: &str, id: Uuid) {
    let text = id.text();
    put(out, "\"id\":\"");
    out.extend_from_slice(&text);
    put(out, "\",\"graphql_id\":\"");
    write_graphql_id(out, kind, &text);
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
