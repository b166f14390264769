//! Infers schemas from records: the fields, their order and their types.

use std::collections::HashMap;

use connector_core::{Catalog, ErrorKind, JsonObject, Record, Result, Stream, StreamName};
use serde_json::{Map, Value, json};

use super::lines::{Form, Lines};

/// The types of JSON values, in the order in which a schema lists them.
const TYPES: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "object", "array",
];
const INTEGER: u8 = 1 << 2;
const NUMBER: u8 = 1 << 3;

/// The streams in `lines`, in the order in which they come.
pub(crate) fn infer(mut lines: Lines, form: &Form, origin: &str) -> Result<Catalog> {
    let mut seen: Vec<(StreamName, Inference)> = Vec::new();
    if let Form::Bare(stream) = form {
        // It exists even without a record.
        seen.push((stream.clone(), Inference::default()));
    }
    while let Some(record) = next_readable(&mut lines, form)? {
        let Some(record) = record else { continue };
        let at = seen.iter().position(|(stream, _)| *stream == record.stream);
        let at = at.unwrap_or_else(|| {
            seen.push((record.stream.clone(), Inference::default()));
            seen.len() - 1
        });
        seen[at].1.see(&record.data);
    }
    let streams = seen.into_iter();
    Ok(Catalog {
        streams: streams
            .map(|(name, seen)| seen.stream(name, origin))
            .collect(),
    })
}

/// The next line as a record. The inner value is `None` for a commit, and for a line that is not a
/// record: the read reports that line, after the records before it.
fn next_readable(lines: &mut Lines, form: &Form) -> Result<Option<Option<Record>>> {
    match lines.next_record(form) {
        Err(error) if error.kind() == ErrorKind::Data => Ok(Some(None)),
        read => read,
    }
}

/// What was seen of one stream.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    /// Fields with the set of their types, one bit for each of `TYPES`.
    fields: Vec<(String, u8)>,
    by_name: HashMap<String, usize>,
}

impl Inference {
    /// Adds the fields of a record. A record with a field name that is not valid Unicode adds none.
    pub(crate) fn see(&mut self, record: &JsonObject) {
        for (field, value) in record.fields().unwrap_or_default() {
            let seen = type_of(value.get());
            if let Some(position) = self.by_name.get(field.as_ref()) {
                self.fields[*position].1 |= seen;
                continue;
            }
            let field = field.into_owned();
            self.by_name.insert(field.clone(), self.fields.len());
            self.fields.push((field, seen));
        }
    }

    /// The stream. It has no key, because lines do not declare one.
    pub(crate) fn stream(&self, name: StreamName, origin: &str) -> Stream {
        let properties: Map<_, _> = self
            .fields
            .iter()
            .map(|(field, types)| (field.clone(), json!({"type": names(*types)})))
            .collect();
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": properties,
        });
        Stream::new(name, &format!("Lines of {origin}."), schema)
    }
}

fn type_of(json: &str) -> u8 {
    let bit = match json.as_bytes().first() {
        Some(b'n') => 0,
        Some(b't' | b'f') => 1,
        Some(b'"') => 4,
        Some(b'{') => 5,
        Some(b'[') => 6,
        _ if json.contains(['.', 'e', 'E']) => 3,
        _ => 2,
    };
    1 << bit
}

/// One type as text, several as a list.
fn names(types: u8) -> Value {
    // In a schema every integer is a number.
    let types = match types & NUMBER {
        0 => types,
        _ => types & !INTEGER,
    };
    let mut names: Vec<_> = TYPES
        .iter()
        .enumerate()
        .filter(|(bit, _)| types & (1 << bit) != 0)
        .map(|(_, name)| json!(name))
        .collect();
    match names.len() {
        1 => names.remove(0),
        _ => Value::Array(names),
    }
}
