//! A record laid out over the columns of a table.

use std::borrow::Cow;

use connector_core::JsonObject;
use rusqlite::Statement;
use serde_json::value::RawValue;

use super::value::StoredValue;
use super::{Layout, TOO_MANY_COLUMNS};

/// A top-level field of a record and its JSON text.
pub(crate) type Field<'r> = (Cow<'r, str>, &'r RawValue);

/// Where the value of each column is in the text of a record.
///
/// A record is parsed once, when it is written. It is stored later from these positions.
#[derive(Debug)]
pub(crate) struct Row {
    spans: Box<[Span]>,
}

/// A part of a record's text; empty where a column has no value.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Row {
    /// The row of a record, and its fields that have no column, each once. The last value of a
    /// repeated field counts.
    pub(crate) fn of<'r>(
        data: &JsonObject,
        fields: &'r [Field<'_>],
        layout: &Layout,
    ) -> (Self, Vec<&'r str>) {
        let mut spans = vec![Span::default(); layout.columns().len()];
        let mut new = Vec::new();
        let mut next = 0;
        for (field, value) in fields {
            match layout.position(field, next) {
                Some(position) => {
                    spans[position] = Span::of(value.get(), data.as_str());
                    next = position + 1;
                }
                None if new.len() < TOO_MANY_COLUMNS && !new.contains(&field.as_ref()) => {
                    new.push(field.as_ref());
                }
                None => {}
            }
        }
        let spans = spans.into_boxed_slice();
        (Self { spans }, new)
    }

    /// The first field of the primary key that is missing or null.
    pub(crate) fn missing_key<'l>(&self, data: &JsonObject, layout: &'l Layout) -> Option<&'l str> {
        let is_missing =
            |position: &usize| matches!(self.stored_at(data, layout, *position), StoredValue::Null);
        let missing = layout.key().iter().copied().find(is_missing)?;
        layout.columns()[missing].field.as_deref()
    }

    /// What is stored in each column.
    pub(crate) fn stored<'r>(
        &self,
        data: &'r JsonObject,
        layout: &Layout,
    ) -> impl Iterator<Item = StoredValue<'r>> {
        (0..layout.columns().len()).map(move |position| self.stored_at(data, layout, position))
    }

    /// Binds the primary key, from the parameter `first` on.
    pub(crate) fn bind_key(
        &self,
        data: &JsonObject,
        layout: &Layout,
        statement: &mut Statement<'_>,
        first: usize,
    ) -> rusqlite::Result<()> {
        let mut key = layout.key().iter().enumerate();
        key.try_for_each(|(at, position)| {
            statement.raw_bind_parameter(first + at, self.stored_at(data, layout, *position))
        })
    }

    /// A column that was added after the row was parsed has no value.
    fn stored_at<'r>(
        &self,
        data: &'r JsonObject,
        layout: &Layout,
        position: usize,
    ) -> StoredValue<'r> {
        let span = self.spans.get(position).copied().unwrap_or_default();
        match span.text(data.as_str()) {
            "" => StoredValue::Null,
            json => StoredValue::of(json, layout.columns()[position].kind),
        }
    }
}

impl Span {
    /// The position of `part` within `whole`. Positions fit, because a row has at most 1 GB.
    fn of(part: &str, whole: &str) -> Self {
        let start = part.as_ptr().addr() - whole.as_ptr().addr();
        let place = |at| u32::try_from(at).unwrap_or(0);
        Self {
            start: place(start),
            end: place(start + part.len()),
        }
    }

    fn text(self, whole: &str) -> &str {
        let range = self.start as usize..self.end as usize;
        whole.get(range).unwrap_or_default()
    }
}
