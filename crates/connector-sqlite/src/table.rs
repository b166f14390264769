//! One stream's table, and how records get into it.

use connector_core::{JsonObject, Outcome};
use rusqlite::Connection;

use crate::error;
use crate::layout::{Layout, TOO_MANY_COLUMNS};
use crate::row::Row;
use crate::schema::{Kind, comma_separated, quoted};

/// A table that records are written to.
#[derive(Debug)]
pub(crate) struct Table {
    layout: Layout,
    upsert: String,
    /// None without a primary key.
    mark: Option<String>,
}

impl Table {
    /// A table with this layout.
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            upsert: upsert_statement(&layout),
            mark: mark_statement(&layout),
            layout,
        }
    }

    /// Inserts one record, or replaces the row with its primary key.
    pub(crate) fn put(
        &mut self,
        database: &Connection,
        record: &JsonObject,
    ) -> rusqlite::Result<Outcome> {
        let Ok(fields) = record.fields() else {
            return refused(NO_UNICODE);
        };
        let mut row = Row::of(&fields, &self.layout);
        if let Some(field) = row.missing_key(&self.layout) {
            return refused(&missing(field));
        }
        if self.layout.columns().len() + row.new.len() >= TOO_MANY_COLUMNS {
            return refused("with its new fields the table would have more than 2000 columns");
        }
        if !row.new.is_empty() {
            self.widen(database, &row.new)?;
            row = Row::of(&fields, &self.layout);
        }
        outcome(self.upsert(database, &row))
    }

    /// Marks the row with this primary key as removed, if there is one.
    pub(crate) fn mark_removed(
        &self,
        database: &Connection,
        key: &JsonObject,
        reason: &str,
    ) -> rusqlite::Result<Outcome> {
        let Some(mark) = &self.mark else {
            return refused("its stream has no primary key: no row can be marked as removed");
        };
        let Ok(fields) = key.fields() else {
            return refused(NO_UNICODE);
        };
        let row = Row::of(&fields, &self.layout);
        if let Some(field) = row.missing_key(&self.layout) {
            return refused(&missing(field));
        }
        let mut statement = database.prepare_cached(mark)?;
        statement.raw_bind_parameter(1, reason)?;
        row.bind_key(&self.layout, &mut statement, 2)?;
        outcome(statement.raw_execute())
    }

    fn upsert(&self, database: &Connection, row: &Row<'_>) -> rusqlite::Result<usize> {
        let mut statement = database.prepare_cached(&self.upsert)?;
        for (position, stored) in row.stored(&self.layout).enumerate() {
            statement.raw_bind_parameter(position + 1, stored)?;
        }
        statement.raw_execute()
    }

    fn widen(&mut self, database: &Connection, fields: &[&str]) -> rusqlite::Result<()> {
        for field in fields {
            self.layout.add(database, field, Kind::Any)?;
        }
        self.upsert = upsert_statement(&self.layout);
        Ok(())
    }
}

const NO_UNICODE: &str = "the name of one of its fields is not valid Unicode";

fn missing(field: &str) -> String {
    format!("its primary key field `{field}` is missing or null")
}

fn refused(reason: &str) -> rusqlite::Result<Outcome> {
    Ok(Outcome::Rejected(reason.to_owned()))
}

fn outcome(executed: rusqlite::Result<usize>) -> rusqlite::Result<Outcome> {
    match executed {
        Ok(_) => Ok(Outcome::Accepted),
        Err(error) => error::refusal(&error).map_or(Err(error), refused),
    }
}

/// A record has no value for the mark: the row is no longer marked as removed.
fn upsert_statement(layout: &Layout) -> String {
    let columns = layout.columns();
    let names = comma_separated(columns.iter().map(|column| quoted(&column.name)));
    let marks = comma_separated(columns.iter().map(|_| "?".to_owned()));
    let table = quoted(layout.table());
    let insert = format!("INSERT INTO {table} ({names}) VALUES ({marks})");
    if layout.key().is_empty() {
        return insert;
    }
    let name = |position: usize| quoted(&columns[position].name);
    let key = comma_separated(layout.key().iter().map(|position| name(*position)));
    let others = (0..columns.len()).filter(|position| !layout.key().contains(position));
    // Never empty: there is the mark.
    let changes = others
        .map(name)
        .map(|name| format!("{name} = excluded.{name}"));
    let changes = comma_separated(changes);
    format!("{insert} ON CONFLICT ({key}) DO UPDATE SET {changes}")
}

fn mark_statement(layout: &Layout) -> Option<String> {
    let (table, mark) = (quoted(layout.table()), quoted(&layout.mark()?.name));
    let where_key = layout.where_key();
    Some(format!("UPDATE {table} SET {mark} = ? {where_key}"))
}
