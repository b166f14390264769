//! A record laid out over the columns of a table.

use std::borrow::Cow;

use rusqlite::Statement;
use serde_json::value::RawValue;

use crate::layout::{Layout, TOO_MANY_COLUMNS};
use crate::value::Stored;

/// A top-level field of a record and its JSON text.
pub(crate) type Field<'r> = (Cow<'r, str>, &'r RawValue);

/// The values of a record by column.
pub(crate) struct Row<'r> {
    values: Vec<Option<&'r RawValue>>,
    /// The fields without a column, each once.
    pub(crate) new: Vec<&'r str>,
}

impl<'r> Row<'r> {
    /// Of a field that comes twice, the last counts.
    pub(crate) fn of(fields: &'r [Field<'r>], layout: &Layout) -> Self {
        let mut values = vec![None; layout.columns().len()];
        let mut new = Vec::new();
        let mut next = 0;
        for (field, value) in fields {
            match layout.position(field, next) {
                Some(position) => {
                    values[position] = Some(*value);
                    next = position + 1;
                }
                None if new.len() < TOO_MANY_COLUMNS && !new.contains(&field.as_ref()) => {
                    new.push(field.as_ref());
                }
                None => {}
            }
        }
        Self { values, new }
    }

    /// The first field of the primary key that it lacks.
    pub(crate) fn missing_key<'l>(&self, layout: &'l Layout) -> Option<&'l str> {
        let is_missing =
            |position: &usize| self.values[*position].is_none_or(|raw| raw.get() == "null");
        let missing = layout.key().iter().copied().find(is_missing)?;
        layout.columns()[missing].field.as_deref()
    }

    /// What is stored in each column.
    pub(crate) fn stored(&self, layout: &Layout) -> impl Iterator<Item = Stored<'r>> {
        (0..self.values.len()).map(|position| self.stored_at(layout, position))
    }

    /// Binds the primary key, from the parameter `first` on.
    pub(crate) fn bind_key(
        &self,
        layout: &Layout,
        statement: &mut Statement<'_>,
        first: usize,
    ) -> rusqlite::Result<()> {
        let mut key = layout.key().iter().enumerate();
        key.try_for_each(|(at, position)| {
            statement.raw_bind_parameter(first + at, self.stored_at(layout, *position))
        })
    }

    fn stored_at(&self, layout: &Layout, position: usize) -> Stored<'r> {
        let kind = layout.columns()[position].kind;
        self.values[position].map_or(Stored::Null, |raw| Stored::of(raw.get(), kind))
    }
}
