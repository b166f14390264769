//! A record laid out over the columns of a table.

use std::borrow::Cow;

use connector_core::JsonObject;
use rusqlite::Statement;
use serde_json::value::RawValue;

use crate::layout::{Layout, TOO_MANY_COLUMNS};
use crate::value::Stored;

/// A top-level field of a record and its JSON text.
pub(crate) type Field<'r> = (Cow<'r, str>, &'r RawValue);

/// Where the values of a record stand in its text, by column.
///
/// A record is taken apart once, when it is written, and stored later from these places.
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
    /// The row of a record, and its fields without a column, each once. Of a field that comes
    /// twice, the last counts.
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

    /// The first field of the primary key that it lacks.
    pub(crate) fn missing_key<'l>(&self, data: &JsonObject, layout: &'l Layout) -> Option<&'l str> {
        let is_missing =
            |position: &usize| matches!(self.stored_at(data, layout, *position), Stored::Null);
        let missing = layout.key().iter().copied().find(is_missing)?;
        layout.columns()[missing].field.as_deref()
    }

    /// What is stored in each column.
    pub(crate) fn stored<'r>(
        &self,
        data: &'r JsonObject,
        layout: &Layout,
    ) -> impl Iterator<Item = Stored<'r>> {
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

    /// A column that is newer than the row has no value.
    fn stored_at<'r>(&self, data: &'r JsonObject, layout: &Layout, position: usize) -> Stored<'r> {
        let span = self.spans.get(position).copied().unwrap_or_default();
        match span.text(data.as_str()) {
            "" => Stored::Null,
            json => Stored::of(json, layout.columns()[position].kind),
        }
    }
}

impl Span {
    /// The place of `part`, which is a part of `whole`. A record has less than 4 GiB: a row has
    /// at most 1 GB.
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
