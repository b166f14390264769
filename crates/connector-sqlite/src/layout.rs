//! The columns of one stream's table: made, adopted, widened.

use std::collections::{BTreeSet, HashMap};

use connector_core::{ErrorKind, Stream};
use rusqlite::{Connection, OptionalExtension};

use crate::registry;
use crate::schema::{self, ColumnNames, Kind, comma_separated, quoted};

/// More columns than `SQLite` takes in one table.
pub(crate) const TOO_MANY_COLUMNS: usize = 2001;
/// The column of a table that would have none: `SQLite` has no such tables.
const PLACEHOLDER: &str = "_empty";

/// A failure while a table is prepared.
pub(crate) enum Failure {
    /// Of the database.
    Database(rusqlite::Error),
    /// Of what was asked for: kind and sentence.
    Refused(ErrorKind, String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// A table's columns, and which field is in which.
#[derive(Debug)]
pub(crate) struct Layout {
    table: String,
    columns: Vec<Column>,
    by_field: HashMap<String, usize>,
    names: ColumnNames,
}

/// One column made here.
#[derive(Debug)]
pub(crate) struct Column {
    /// None for the placeholder.
    pub(crate) field: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Layout {
    /// The layout of the table of `stream`: the one that is there, if it was made here and has
    /// the same primary key, or a new one. Fields of the schema that it lacks are added.
    pub(crate) fn prepare(database: &Connection, stream: &Stream) -> Result<Self, Failure> {
        let wanted = schema::fields(stream);
        check_name(stream.name.as_str())?;
        check_number(wanted.len())?;
        let mut layout = Self {
            table: stream.name.as_str().to_owned(),
            columns: Vec::new(),
            by_field: HashMap::new(),
            names: ColumnNames::new(),
        };
        if object_exists(database, &layout.table)? {
            layout.adopt(database, &stream.primary_key)?;
        } else {
            layout.create(database, &wanted, &stream.primary_key)?;
        }
        for (field, kind) in wanted {
            layout.add(database, field, kind)?;
        }
        Ok(layout)
    }

    /// The table.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// The columns made here, in their order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Where a field is; records mostly have the order of the columns, so `guess` comes first.
    pub(crate) fn position(&self, field: &str, guess: usize) -> Option<usize> {
        match self.columns.get(guess) {
            Some(column) if column.field.as_deref() == Some(field) => Some(guess),
            _ => self.by_field.get(field).copied(),
        }
    }

    /// Adds a column for a field that has none.
    pub(crate) fn add(
        &mut self,
        database: &Connection,
        field: &str,
        kind: Kind,
    ) -> rusqlite::Result<()> {
        if self.by_field.contains_key(field) {
            return Ok(());
        }
        let position = self.note(Some(field), kind);
        database.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {}",
            quoted(&self.table),
            self.columns[position].declaration()
        ))?;
        self.register(database, position)
    }

    /// Makes the table with its primary key; all other columns are added.
    fn create(
        &mut self,
        database: &Connection,
        wanted: &[(&str, Kind)],
        key: &[String],
    ) -> rusqlite::Result<()> {
        // Somebody may have dropped a table that was made here before.
        registry::forget_table(database, &self.table)?;
        let mut columns: Vec<_> = wanted
            .iter()
            .map(|(field, kind)| self.note(Some(field), *kind))
            .collect();
        if columns.is_empty() {
            columns.push(self.note(None, Kind::Any));
        }
        let mut parts: Vec<_> = columns
            .iter()
            .map(|position| self.columns[*position].declaration())
            .collect();
        if !key.is_empty() {
            let names = key
                .iter()
                .map(|field| quoted(&self.columns[self.by_field[field]].name));
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

    /// Learns the columns of a table that is there, if it was made here for the same key.
    fn adopt(&mut self, database: &Connection, key: &[String]) -> Result<(), Failure> {
        let present = present_columns(database, &self.table)?;
        let mut fields = registry::fields(database, &self.table)?;
        if fields.is_empty() {
            let message = "the database has a table, view or index of this name that was not \
                           made by this program; rename it, or choose another path";
            return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
        }
        let mut key_fields = BTreeSet::new();
        for (column, declared, key_position) in present {
            self.names.take(&column);
            let Some(field) = fields.remove(&column) else {
                // A column that somebody added stays as it is.
                continue;
            };
            if key_position > 0 {
                key_fields.extend(field.clone());
            }
            self.push(field, column, Kind::of_declared(&declared));
        }
        for column in fields.keys() {
            // Somebody dropped this column: its field gets a new one.
            registry::forget_column(database, &self.table, column)?;
        }
        check_key(&key_fields, key)
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
        registry::add(database, &self.table, &column.name, column.field.as_deref())
    }
}

impl Column {
    fn declaration(&self) -> String {
        format!("{}{}", quoted(&self.name), self.kind.declaration())
    }
}

/// `SQLite` keeps names with `sqlite_` to itself, and we those with `_sync_`.
fn check_name(table: &str) -> Result<(), Failure> {
    let lower = table.to_ascii_lowercase();
    let is_reserved = lower.starts_with("sqlite_") || lower.starts_with("_sync_");
    if is_reserved || table.is_empty() || table.contains('\0') {
        let message = "a table cannot have the name of this stream; choose other streams";
        return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
    }
    Ok(())
}

fn check_number(columns: usize) -> Result<(), Failure> {
    if columns >= TOO_MANY_COLUMNS {
        let message = "the stream has more than 2000 fields; a table has no room for them";
        return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
    }
    Ok(())
}

fn object_exists(database: &Connection, name: &str) -> rusqlite::Result<bool> {
    database
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE",
            [name],
            |_| Ok(()),
        )
        .optional()
        .map(|found| found.is_some())
}

/// Name, declared type and position in the primary key (0 for none) of each column.
fn present_columns(
    database: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<(String, String, i64)>> {
    database
        .prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
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
            "the table has {}, the stream has {}; rename or drop the table, or choose another path",
            described(present.iter().map(String::as_str).collect()),
            described(wanted.iter().map(String::as_str).collect())
        ),
    ))
}
