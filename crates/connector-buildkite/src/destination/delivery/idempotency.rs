//! The idempotency key of a record: what makes two records the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use connector_core::JsonObject;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// Where the key of a record is in the `meta_data` of its build.
pub(crate) const KEY: &str = "idempotency-key";
/// What says in `meta_data` that a build was triggered here.
pub(crate) const MARK: (&str, &str) = ("triggered-by", "buildkite-connector");

/// Which parts of a record make its key: JSON pointers (RFC 6901); all of it if there are none.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyParts(Vec<String>);

impl KeyParts {
    /// # Errors
    /// The number of the pointer that is none.
    pub(crate) fn new(pointers: Vec<String>) -> Result<Self, usize> {
        match pointers.iter().position(|one| !one.starts_with('/')) {
            Some(position) => Err(position),
            None => Ok(Self(pointers)),
        }
    }

    /// Whether all of a record counts.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The key of a record for a stream: 64 hexadecimal digits. Neither spaces nor the order of
    /// fields count; numbers count as they are written.
    ///
    /// # Errors
    /// A sentence, if a part is missing or null: many records would have the same key.
    pub(crate) fn of(&self, stream: &str, record: &JsonObject) -> Result<String, String> {
        let mut text = format!("{stream}\n");
        if self.0.is_empty() {
            canonical(record.as_str(), &mut text);
        }
        for pointer in &self.0 {
            let part = at(record.as_str(), pointer);
            let is_empty = |part: &str| {
                let part: String = part.split_whitespace().collect();
                matches!(part.as_str(), "null" | "\"\"" | "{}" | "[]")
            };
            let Some(part) = part.filter(|part| !is_empty(part)) else {
                return Err(format!(
                    "the record has no value at {pointer}, which is part of its idempotency key"
                ));
            };
            canonical(&part, &mut text);
            text.push('\n');
        }
        let digest = Sha256::digest(text.as_bytes());
        Ok(digest
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a text cannot fail.
                write!(hex, "{byte:02x}").ok();
                hex
            }))
    }
}

/// The value at a JSON pointer, as the text it came in.
pub(crate) fn at<'a>(json: &'a str, pointer: &str) -> Option<Cow<'a, str>> {
    let mut here = json;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        here = match here.as_bytes().first()? {
            b'{' => member(here, &step)?,
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(here).ok()?;
                items.get(step.parse::<usize>().ok()?)?.get()
            }
            _ => return None,
        };
    }
    Some(Cow::Borrowed(here))
}

/// The last member of that name.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let members: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(object).ok()?;
    members.get(name).map(|value| value.get())
}

/// Appends a valid JSON text without spaces and with its fields in order. What cannot be read, such
/// as a name with half a character, is appended as it is written.
fn canonical(json: &str, out: &mut String) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) else {
                return out.push_str(json);
            };
            out.push('{');
            for (name, value) in members {
                out.push_str(&serde_json::Value::from(name).to_string());
                out.push(':');
                canonical(value.get(), out);
                out.push(',');
            }
            out.push('}');
        }
        Some(b'[') => {
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) else {
                return out.push_str(json);
            };
            out.push('[');
            for item in items {
                canonical(item.get(), out);
                out.push(',');
            }
            out.push(']');
        }
        Some(b'"') => {
            // Escapes may be written in several ways.
            let text: String = serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
            out.push_str(&serde_json::Value::from(text).to_string());
        }
        _ => out.push_str(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pointers: &[&str], record: &str) -> Result<String, String> {
        let pointers = pointers.iter().map(|one| (*one).to_owned()).collect();
        let record = JsonObject::parse(record).unwrap();
        KeyParts::new(pointers).unwrap().of("builds", &record)
    }

    #[test]
    fn spaces_order_and_escapes_do_not_make_another_record() {
        let one = key(&[], r#"{"a":1,"b":{"c":[1,2],"d":"é"}}"#).unwrap();
        let same = key(&[], r#"{ "b": {"d":"\u00e9", "c":[1, 2]}, "a": 1 }"#).unwrap();
        assert_eq!(one, same);
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn numbers_beyond_what_a_double_holds_are_told_apart() {
        let one = key(&[], r#"{"a":12345678901234567890123}"#).unwrap();
        let next = key(&[], r#"{"a":12345678901234567890124}"#).unwrap();
        assert_ne!(one, next);
    }

    #[test]
    fn records_that_differ_behind_half_a_character_are_told_apart() {
        for (one, other) in [
            (r#"{"a":"\ud800x"}"#, r#"{"a":"\ud800y"}"#),
            (r#"{"\ud800":1}"#, r#"{"\ud800":2}"#),
            (r#"{"a":{"\ud800":0,"b":1}}"#, r#"{"a":{"\ud800":0,"b":2}}"#),
            (r#"{"a":[{"\ud800":[1]}]}"#, r#"{"a":[{"\ud800":[2]}]}"#),
        ] {
            assert_ne!(key(&[], one), key(&[], other), "{one} {other}");
        }
    }

    #[test]
    fn only_the_parts_that_are_named_count() {
        let parts = ["/id", "/nested/0"];
        let one = key(&parts, r#"{"id":7,"nested":["x"],"at":1}"#).unwrap();
        assert_eq!(
            one,
            key(&parts, r#"{"id":7,"nested":["x"],"at":2}"#).unwrap()
        );
        assert_ne!(
            one,
            key(&parts, r#"{"id":8,"nested":["x"],"at":1}"#).unwrap()
        );
    }

    #[test]
    fn parts_do_not_flow_into_each_other() {
        let parts = ["/a", "/b"];
        let one = key(&parts, r#"{"a":"x","b":"yz"}"#).unwrap();
        assert_ne!(one, key(&parts, r#"{"a":"xy","b":"z"}"#).unwrap());
    }

    #[test]
    fn a_record_without_a_part_of_its_key_is_refused() {
        for record in [
            r#"{"a":1}"#,
            r#"{"id":null}"#,
            r#"{"id":""}"#,
            r#"{"id":"  "}"#,
            r#"{"id":{ }}"#,
            r#"{"id":[]}"#,
        ] {
            let reason = key(&["/id"], record).unwrap_err();
            assert!(reason.contains("/id"), "{reason}");
        }
    }

    #[test]
    fn a_pointer_finds_names_with_slashes_and_tildes() {
        let json = r#"{"a/b":{"c~d":["x","y"]},"e":1}"#;
        assert_eq!(at(json, "/a~1b/c~0d/1").as_deref(), Some("\"y\""));
        assert_eq!(at(json, "/e/f"), None);
    }
}
