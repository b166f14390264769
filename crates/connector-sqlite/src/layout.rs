//! The columns of one stream's table: made, adopted, widened.

use std::collections::{BTreeSet, HashMap};

use connector_core::{ErrorKind, Stream};
use rusqlite::Connection;

use crate::error::Failure;
use crate::registry;
use crate::schema::{self, ColumnNames, Kind, comma_separated, quoted};

/// More columns than `SQLite` takes in one table.
pub(crate) const TOO_MANY_COLUMNS: usize = 2001;
/// The column of a table that would have none: `SQLite` has no such tables.
const PLACEHOLDER: &str = "_empty";
/// The column that says why a row is gone, unless that name is in use.
pub(crate) const MARK: &str = "_gone";

/// A table's columns, and which field is in which.
#[derive(Debug)]
pub(crate) struct Layout {
    table: String,
    columns: Vec<Column>,
    by_field: HashMap<String, usize>,
    /// Positions of the primary key.
    key: Vec<usize>,
    names: ColumnNames,
}

/// Adds the column for the mark to a table that has a primary key and was made before there was
/// such a column.
pub(crate) fn add_mark(database: &Connection, table: &str) -> rusqlite::Result<()> {
    let layout = Layout::find(database, table)?;
    layout.map_or(Ok(()), |mut layout| layout.expect_mark(database))
}

/// One column made here.
#[derive(Debug)]
pub(crate) struct Column {
    /// None for the mark and the placeholder. They are told apart by the table: with a primary
    /// key it has a mark, without one it may have a placeholder.
    pub(crate) field: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Layout {
    /// The layout of the table for `stream`: the one that is there, if it was made here and has
    /// this primary key, or a new one. Fields of the schema that it lacks are added.
    pub(crate) fn prepare(
        database: &Connection,
        table: &str,
        stream: &Stream,
        key: &[String],
    ) -> Result<Self, Failure> {
        let wanted = schema::fields(stream, key);
        check_number(wanted.len() + usize::from(!key.is_empty()))?;
        let mut layout = Self::new(table);
        if registry::is_in_use(database, &layout.table)? {
            layout.adopt(database, key)?;
        } else {
            layout.create(database, &wanted, key)?;
        }
        for (field, kind) in wanted {
            layout.add(database, field, kind)?;
        }
        Ok(layout)
    }

    /// The layout of a table that is there; none if it is not, or was not made here. Nothing is
    /// changed.
    pub(crate) fn find(database: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let mut layout = Self::new(table);
        layout.learn(database, registry::fields(database, table)?)?;
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

    /// The columns made here, in their order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Positions of the primary key.
    pub(crate) fn key(&self) -> &[usize] {
        &self.key
    }

    /// The column that says why a row is gone. Tables without a key have none, nor has one
    /// that was not written to since there are such columns.
    pub(crate) fn mark(&self) -> Option<&Column> {
        let has_mark = !self.key.is_empty();
        let mut marks = self.columns.iter().filter(|column| column.field.is_none());
        marks.next().filter(|_| has_mark)
    }

    /// Picks out the row with a key, as SQL with a `?` for each of its values.
    pub(crate) fn where_key(&self) -> String {
        let is = |position: &usize| format!("{} = ?", quoted(&self.columns[*position].name));
        let parts: Vec<_> = self.key.iter().map(is).collect();
        format!("WHERE {}", parts.join(" AND "))
    }

    /// Where a field is; records mostly have the order of the columns, so `guess` comes first.
    pub(crate) fn position(&self, field: &str, guess: usize) -> Option<usize> {
        match self.columns.get(guess) {
            Some(column) if column.field.as_deref() == Some(field) => Some(guess),
            _ => self.by_field.get(field).copied(),
        }
    }

    /// Plans a column for a field. False if the field has one.
    pub(crate) fn plan(&mut self, field: &str) -> bool {
        let is_new = !self.by_field.contains_key(field);
        if is_new {
            self.note(Some(field), Kind::Any);
        }
        is_new
    }

    /// Makes the column that was planned for a field.
    pub(crate) fn make(&self, database: &Connection, field: &str) -> rusqlite::Result<()> {
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

    /// Makes the table.
    fn create(
        &mut self,
        database: &Connection,
        wanted: &[(&str, Kind)],
        key: &[String],
    ) -> rusqlite::Result<()> {
        // Somebody may have dropped a table that was made here before.
        registry::forget_table(database, &self.table)?;
        // Before the fields: one of them may have the same name.
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

    /// Learns the columns of a table that is there, if it was made here for the same key.
    fn adopt(&mut self, database: &Connection, key: &[String]) -> Result<(), Failure> {
        let fields = registry::fields(database, &self.table)?;
        if fields.is_empty() {
            let message = "the database has a table, view or index of this name that was not \
                           made by this program; rename it, or choose another path";
            return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
        }
        for column in self.learn(database, fields)? {
            // Somebody dropped this column: its field gets a new one.
            registry::forget_column(database, &self.table, &column)?;
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

    /// Learns the columns that are there; returns those of `fields` that are not.
    fn learn(
        &mut self,
        database: &Connection,
        mut fields: HashMap<String, Option<String>>,
    ) -> rusqlite::Result<Vec<String>> {
        let mut key = Vec::new();
        for (column, declared, key_position) in registry::present_columns(database, &self.table)? {
            self.names.take(&column);
            let Some(field) = fields.remove(&column) else {
                // A column that somebody added stays as it is.
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
        registry::add(database, &self.table, &column.name, column.field.as_deref())
    }
}

impl Column {
    fn declaration(&self) -> String {
        format!("{}{}", quoted(&self.name), self.kind.declaration())
    }
}

/// `SQLite` keeps names with `sqlite_` to itself; we keep `_runs` and names with `_sync_`.
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
        let message = "the stream has more than 2000 fields; a table has no room for them";
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
            "the table has {}, the stream has {}; rename or drop the table, or choose another path",
            described(present.iter().map(String::as_str).collect()),
            described(wanted.iter().map(String::as_str).collect())
        ),
    ))
}
