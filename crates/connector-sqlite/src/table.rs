//! One stream's table, and how records get into it.

use std::borrow::Cow;

use connector_core::{JsonObject, Outcome, Stream};
use rusqlite::Connection;
use serde_json::value::RawValue;

use crate::error;
use crate::layout::{Failure, Layout, TOO_MANY_COLUMNS};
use crate::schema::{Kind, comma_separated, quoted};
use crate::value::Stored;

/// A top-level field of a record and its JSON text.
type Field<'r> = (Cow<'r, str>, &'r RawValue);

/// A table that records are written to.
#[derive(Debug)]
pub(crate) struct Table {
    layout: Layout,
    /// Positions of the primary key among the columns.
    key: Vec<usize>,
    upsert: String,
}

impl Table {
    /// The table of `stream`, made or widened if need be.
    pub(crate) fn prepare(database: &Connection, stream: &Stream) -> Result<Self, Failure> {
        let layout = Layout::prepare(database, stream)?;
        let fields = stream.primary_key.iter();
        let mut table = Self {
            key: fields
                .filter_map(|field| layout.position(field, 0))
                .collect(),
            layout,
            upsert: String::new(),
        };
        table.upsert = table.upsert_statement();
        Ok(table)
    }

    /// Inserts one record, or replaces the row with its primary key.
    pub(crate) fn put(
        &mut self,
        database: &Connection,
        record: &JsonObject,
    ) -> rusqlite::Result<Outcome> {
        let refused = |reason: &str| Ok(Outcome::Rejected(reason.to_owned()));
        let Ok(fields) = record.fields() else {
            return refused("the name of one of its fields is not valid Unicode");
        };
        let (mut row, new) = self.row(&fields);
        if let Some(field) = self.missing_key(&row) {
            return refused(&format!(
                "its primary key field `{field}` is missing or null"
            ));
        }
        if self.layout.columns().len() + new.len() >= TOO_MANY_COLUMNS {
            return refused("with its new fields the table would have more than 2000 columns");
        }
        if !new.is_empty() {
            self.widen(database, &new)?;
            (row, _) = self.row(&fields);
        }
        match self.upsert(database, &row) {
            Ok(()) => Ok(Outcome::Accepted(None)),
            Err(error) => error::refusal(&error).map_or(Err(error), refused),
        }
    }

    /// The values by column, and the fields without a column, each once.
    fn row<'r>(&self, fields: &'r [Field<'r>]) -> (Vec<Option<&'r RawValue>>, Vec<&'r str>) {
        let mut row = vec![None; self.layout.columns().len()];
        let mut new = Vec::new();
        let mut next = 0;
        for (field, value) in fields {
            match self.layout.position(field, next) {
                Some(position) => {
                    row[position] = Some(*value);
                    next = position + 1;
                }
                None if new.len() < TOO_MANY_COLUMNS && !new.contains(&field.as_ref()) => {
                    new.push(field.as_ref());
                }
                None => {}
            }
        }
        (row, new)
    }

    fn missing_key(&self, row: &[Option<&RawValue>]) -> Option<&str> {
        let is_missing = |position: &usize| row[*position].is_none_or(|raw| raw.get() == "null");
        let missing = self.key.iter().copied().find(is_missing)?;
        self.layout.columns()[missing].field.as_deref()
    }

    fn upsert(&self, database: &Connection, row: &[Option<&RawValue>]) -> rusqlite::Result<()> {
        let mut statement = database.prepare_cached(&self.upsert)?;
        for (position, (value, column)) in row.iter().zip(self.layout.columns()).enumerate() {
            let stored = value.map_or(Stored::Null, |raw| Stored::of(raw.get(), column.kind));
            statement.raw_bind_parameter(position + 1, stored)?;
        }
        statement.raw_execute().map(drop)
    }

    fn widen(&mut self, database: &Connection, fields: &[&str]) -> rusqlite::Result<()> {
        for field in fields {
            self.layout.add(database, field, Kind::Any)?;
        }
        self.upsert = self.upsert_statement();
        Ok(())
    }

    fn upsert_statement(&self) -> String {
        let columns = self.layout.columns();
        let names = comma_separated(columns.iter().map(|column| quoted(&column.name)));
        let marks = comma_separated(columns.iter().map(|_| "?".to_owned()));
        let table = quoted(self.layout.table());
        let insert = format!("INSERT INTO {table} ({names}) VALUES ({marks})");
        if self.key.is_empty() {
            return insert;
        }
        let key = comma_separated(self.key.iter().map(|at| quoted(&columns[*at].name)));
        let is_key = |position: &usize| self.key.contains(position);
        let others = (0..columns.len()).filter(|position| !is_key(position));
        let changes: Vec<_> = others
            .map(|position| quoted(&columns[position].name))
            .map(|name| format!("{name} = excluded.{name}"))
            .collect();
        if changes.is_empty() {
            return format!("{insert} ON CONFLICT ({key}) DO NOTHING");
        }
        format!(
            "{insert} ON CONFLICT ({key}) DO UPDATE SET {}",
            changes.join(", ")
        )
    }
}
