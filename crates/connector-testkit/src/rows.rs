//! Records by what identifies them.

use std::collections::BTreeMap;

use connector_core::{Catalog, Message, Record, Result, Stream};

/// Texts of records by stream and key. Of a record that comes again, the last counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows(BTreeMap<(String, String), String>);

impl Rows {
    pub(crate) fn of(catalog: &Catalog, messages: &[Message]) -> Result<Self> {
        let mut rows = Self::default();
        for record in records(messages).filter(|record| !record.is_removed()) {
            let stream = catalog.stream(record.stream.as_str())?;
            let at = (record.stream.to_string(), key_of(stream, record)?);
            rows.0.insert(at, record.data.as_str().to_owned());
        }
        Ok(rows)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
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
