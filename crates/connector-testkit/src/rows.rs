//! Records by what identifies them.

use std::collections::BTreeMap;

use connector_core::{Catalog, Message, Record, Result, Stream};

/// What a copy holds after some messages: texts of records by stream and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows(BTreeMap<(String, String), String>);

impl Rows {
    pub(crate) fn of(catalog: &Catalog, messages: &[Message]) -> Result<Self> {
        Self::default().then(catalog, messages)
    }

    /// What the copy holds after these messages, too. Of a record that comes again, the last
    /// counts; a tombstone removes the row.
    pub(crate) fn then(mut self, catalog: &Catalog, messages: &[Message]) -> Result<Self> {
        for record in records(messages) {
            let stream = catalog.stream(record.stream.as_str())?;
            let at = (record.stream.to_string(), key_of(stream, record)?);
            if record.is_removed() {
                self.0.remove(&at);
            } else {
                self.0.insert(at, record.data.as_str().to_owned());
            }
        }
        Ok(self)
    }

    /// The first row that is here and not in `other`: `builds ["7"]`.
    pub(crate) fn missing_in(&self, other: &Self) -> Option<String> {
        let missing = self.0.keys().find(|at| !other.0.contains_key(*at));
        missing.map(|(stream, key)| format!("{stream} {key}"))
    }

    /// The first row that is here and not the same in `other`.
    pub(crate) fn differing_in(&self, other: &Self) -> Option<String> {
        let differs = |(at, text): &(&(String, String), &String)| other.0.get(*at) != Some(*text);
        let differing = self.0.iter().find(differs);
        differing.map(|((stream, key), _)| format!("{stream} {key}"))
    }
}

pub(crate) fn records(messages: &[Message]) -> impl Iterator<Item = &Record> {
    messages.iter().filter_map(|message| match message {
        Message::Record(record) => Some(record),
        _ => None,
    })
}

/// The values of the primary key as a list in JSON; without one, the whole record.
pub(crate) fn key_of(stream: &Stream, record: &Record) -> Result<String> {
    if stream.primary_key.is_empty() {
        return Ok(record.data.as_str().to_owned());
    }
    let fields = record.data.fields()?;
    let value = |key: &String| {
        let field = fields.iter().rfind(|(field, _)| field == key);
        field.map_or("null", |(_, value)| value.get())
    };
    let values: Vec<_> = stream.primary_key.iter().map(value).collect();
    Ok(format!("[{}]", values.join(",")))
}
