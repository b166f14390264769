//! The columns of a stream's table, and the fields they hold.

pub(crate) mod row;
pub(crate) mod schema;
pub(crate) mod value;

use std::collections::{BTreeSet, HashMap};

use connector_core::{ErrorKind, Stream};
use rusqlite::Connection;

use crate::bookkeeping::columns;
use crate::error::Failure;
use crate::sql::{comma_separated, quoted};

use schema::{ColumnNames, Kind};

/// More columns than `SQLite` takes in one table.
pub(crate) const TOO_MANY_COLUMNS: usize = 2001;
/// The column of a table that would have no column, which `SQLite` does not allow.
const PLACEHOLDER: &str = "_empty";
/// The column that says why a row was removed at the source, unless that name is in use.
pub(crate) const MARK: &str = "_gone";

/// The columns of a table, and which field each one holds.
#[derive(Debug)]
pub(crate) struct Layout {
    table: String,
    columns: Vec<Column>,
    by_field: HashMap<String, usize>,
    /// Positions of the primary key.
    key: Vec<usize>,
    names: ColumnNames,
}

/// A column that this program made.
#[derive(Debug)]
pub(crate) struct Column {
    /// None for the mark and the placeholder. A table with a primary key has a mark; one without
    /// may have a placeholder.
    pub(crate) field: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Layout {
    /// The layout of the table for `stream`. Creates the table, or checks that this program made
    /// it with this primary key. Adds columns for fields of the schema that have none.
    pub(crate) fn prepare(
        database: &Connection,
        table: &str,
        stream: &Stream,
        key: &[String],
    ) -> Result<Self, Failure> {
        let wanted = schema::fields(stream, key);
        check_number(wanted.len() + usize::from(!key.is_empty()))?;
        let mut layout = Self::new(table);
        if columns::is_in_use(database, &layout.table)? {
            layout.adopt(database, key)?;
        } else {
            layout.create(database, &wanted, key)?;
        }
        for (field, kind) in wanted {
            layout.add(database, field, kind)?;
        }
        Ok(layout)
    }

    /// The layout of an existing table, or `None` if this program did not make one. Changes
    /// nothing.
    pub(crate) fn find(database: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let mut layout = Self::new(table);
        layout.learn(database, columns::fields(database, table)?)?;
        Ok((!layout.columns.is_empty()).then_some(layout))
    }

    fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            columns: Vec::new(),
            by_field: HashMap::new(),
            key: Vec::new(),
            names: ColumnNames::new(),
        }
    }

    /// The table.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// The columns that this program made, in order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Positions of the primary key.
    pub(crate) fn key(&self) -> &[usize] {
        &self.key
    }

    /// The column that says why a row was removed at the source. Tables without a primary key
    /// have none, nor do tables that earlier versions wrote last.
    pub(crate) fn mark(&self) -> Option<&Column> {
        let has_mark = !self.key.is_empty();
        let mut marks = self.columns.iter().filter(|column| column.field.is_none());
        marks.next().filter(|_| has_mark)
    }

    /// SQL that selects the row with a key, with a `?` for each value of the key.
    pub(crate) fn where_key(&self) -> String {
        let is = |position: &usize| format!("{} = ?", quoted(&self.columns[*position].name));
        let parts: Vec<_> = self.key.iter().map(is).collect();
        format!("WHERE {}", parts.join(" AND "))
    }

    /// The position of a field's column. Records mostly follow the order of the columns, so
    /// `guess` is tried first.
    pub(crate) fn position(&self, field: &str, guess: usize) -> Option<usize> {
        match self.columns.get(guess) {
            Some(column) if column.field.as_deref() == Some(field) => Some(guess),
            _ => self.by_field.get(field).copied(),
        }
    }

    /// Plans a column for a field, to be created later. False if the field has one.
    pub(crate) fn plan(&mut self, field: &str) -> bool {
        let is_new = !self.by_field.contains_key(field);
        if is_new {
            self.note(Some(field), Kind::Any);
        }
        is_new
    }

    /// Creates the column that was planned for a field.
    pub(crate) fn create_planned(
        &self,
        database: &Connection,
        field: &str,
    ) -> rusqlite::Result<()> {
        match self.by_field.get(field) {
            Some(position) => self.add_column(database, *position),
            None => Ok(()),
        }
    }

    fn add(&mut self, database: &Connection, field: &str, kind: Kind) -> rusqlite::Result<()> {
        if self.by_field.contains_key(field) {
            return Ok(());
        }
        let position = self.note(Some(field), kind);
        self.add_column(database, position)
    }

    fn add_column(&self, database: &Connection, position: usize) -> rusqlite::Result<()> {
        database.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {}",
            quoted(&self.table),
            self.columns[position].declaration()
        ))?;
        self.register(database, position)
    }

    /// Creates the table.
    fn create(
        &mut self,
        database: &Connection,
        wanted: &[(&str, Kind)],
        key: &[String],
    ) -> rusqlite::Result<()> {
        // A user may have dropped the table.
        columns::forget_table(database, &self.table)?;
        // Chosen before those of the fields, one of which may have the same name.
        let mark = (!key.is_empty()).then(|| self.names.choose(MARK));
        let mut columns: Vec<_> = wanted
            .iter()
            .map(|(field, kind)| self.note(Some(field), *kind))
            .collect();
        if columns.is_empty() {
            columns.push(self.note(None, Kind::Any));
        }
        columns.extend(mark.map(|name| self.push(None, name, Kind::Text)));
        self.key = key.iter().map(|field| self.by_field[field]).collect();
        let mut parts: Vec<_> = columns
            .iter()
            .map(|position| self.columns[*position].declaration())
            .collect();
        if !key.is_empty() {
            let names = self.key.iter().map(|at| quoted(&self.columns[*at].name));
            parts.push(format!("PRIMARY KEY ({})", comma_separated(names)));
        }
        database.execute_batch(&format!(
            "CREATE TABLE {} (\n  {}\n)",
            quoted(&self.table),
            parts.join(",\n  ")
        ))?;
        columns
            .iter()
            .try_for_each(|position| self.register(database, *position))
    }

    /// Reads the columns of an existing table, and checks that this program made it for this key.
    fn adopt(&mut self, database: &Connection, key: &[String]) -> Result<(), Failure> {
        let fields = columns::fields(database, &self.table)?;
        if fields.is_empty() {
            let message = "the database has a table, view or index of this name that was not \
                           made by this program; rename it, or choose another path";
            return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
        }
        for column in self.learn(database, fields)? {
            // A user dropped this column; its field gets a new one.
            columns::forget_column(database, &self.table, &column)?;
        }
        let present = self.key.iter().map(|at| self.columns[*at].field.clone());
        check_key(&present.flatten().collect(), key)?;
        Ok(self.expect_mark(database)?)
    }

    fn expect_mark(&mut self, database: &Connection) -> rusqlite::Result<()> {
        if self.key.is_empty() || self.mark().is_some() {
            return Ok(());
        }
        let name = self.names.choose(MARK);
        let position = self.push(None, name, Kind::Text);
        self.add_column(database, position)
    }

    /// Reads the existing columns. Returns the columns of `fields` that do not exist.
    fn learn(
        &mut self,
        database: &Connection,
        mut fields: HashMap<String, Option<String>>,
    ) -> rusqlite::Result<Vec<String>> {
        let mut key = Vec::new();
        for (column, declared, key_position) in columns::present_columns(database, &self.table)? {
            self.names.take(&column);
            let Some(field) = fields.remove(&column) else {
                // A column that a user added is left alone.
                continue;
            };
            let position = self.push(field, column, Kind::of_declared(&declared));
            if key_position > 0 {
                key.push((key_position, position));
            }
        }
        key.sort_unstable();
        self.key = key.into_iter().map(|(_, position)| position).collect();
        Ok(fields.into_keys().collect())
    }

    fn note(&mut self, field: Option<&str>, kind: Kind) -> usize {
        let name = self.names.choose(field.unwrap_or(PLACEHOLDER));
        self.push(field.map(str::to_owned), name, kind)
    }

    fn push(&mut self, field: Option<String>, name: String, kind: Kind) -> usize {
        let position = self.columns.len();
        if let Some(field) = &field {
            self.by_field.insert(field.clone(), position);
        }
        self.columns.push(Column { field, name, kind });
        position
    }

    fn register(&self, database: &Connection, position: usize) -> rusqlite::Result<()> {
        let column = &self.columns[position];
        columns::add(database, &self.table, &column.name, column.field.as_deref())
    }
}

impl Column {
    fn declaration(&self) -> String {
        format!("{}{}", quoted(&self.name), self.kind.declaration())
    }
}

/// `SQLite` reserves names that begin with `sqlite_`. This program reserves `_runs` and names that
/// begin with `_sync_`.
pub(crate) fn check_name(table: &str) -> Result<(), Failure> {
    let lower = table.to_ascii_lowercase();
    let is_reserved =
        lower.starts_with("sqlite_") || lower.starts_with("_sync_") || lower == "_runs";
    if is_reserved || table.is_empty() || table.contains('\0') {
        let message = "a table cannot have the name of this stream; choose other streams";
        return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
    }
    Ok(())
}

fn check_number(columns: usize) -> Result<(), Failure> {
    if columns >= TOO_MANY_COLUMNS {
        let message = "the stream has more than 2000 fields, the most that a table can have";
        return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
    }
    Ok(())
}

fn check_key(present: &BTreeSet<String>, wanted: &[String]) -> Result<(), Failure> {
    if *present == wanted.iter().cloned().collect() {
        return Ok(());
    }
    let described = |fields: Vec<&str>| match fields.as_slice() {
        [] => "no primary key".to_owned(),
        fields => format!("the primary key `{}`", fields.join(", ")),
    };
    Err(Failure::Refused(
        ErrorKind::Config,
        format!(
            "the table has {}, but the stream is written with {}; rename or drop the table, or \
             choose another path",
            described(present.iter().map(String::as_str).collect()),
            described(wanted.iter().map(String::as_str).collect())
        ),
    ))
}
