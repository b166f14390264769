//! A stream's table, and how records are stored in it.

use connector_core::{Error, ErrorKind, Record, Stream};
use rusqlite::Connection;

use crate::bookkeeping::columns;
use crate::error::{self, Failure};
use crate::layout::row::Row;
use crate::layout::{Layout, TOO_MANY_COLUMNS};
use crate::sql::{comma_separated, quoted};

/// The most bytes that a row of `SQLite` can have.
const LARGEST_ROW: usize = 1_000_000_000;
const NOT_UNICODE: &str = "the name of one of its fields is not valid Unicode";
const TOO_LARGE: &str = "it is larger than a row of the database can be (1 GB)";
const TOO_WIDE: &str = "with its new fields the table would have more than 2000 columns";
const CANNOT_MARK: &str = "its stream has no primary key: no row can be marked as removed";

/// A table that records are written to.
#[derive(Debug)]
pub(crate) struct Table {
    stream: Stream,
    key: Vec<String>,
    layout: Layout,
    /// Fields whose columns are created at the next commit.
    planned: Vec<String>,
    upsert: String,
    /// `None` without a primary key.
    mark: Option<String>,
    is_guarded: bool,
}

impl Table {
    /// The table called `table` for the records of `stream`. Created or widened if necessary.
    pub(crate) fn prepare(
        database: &Connection,
        table: &str,
        stream: &Stream,
        key: &[String],
    ) -> Result<Self, Failure> {
        let layout = Layout::prepare(database, table, stream, key)?;
        Ok(Self {
            stream: stream.clone(),
            key: key.to_vec(),
            planned: Vec::new(),
            upsert: upsert_statement(&layout),
            mark: mark_statement(&layout),
            is_guarded: columns::is_guarded(database, table)?,
            layout,
        })
    }

    /// Reads the table again, because the schema of the database has changed.
    pub(crate) fn reload(&mut self, database: &Connection) -> Result<(), Failure> {
        let table = self.layout.table().to_owned();
        if !columns::is_in_use(database, &table)? {
            let message = "the table was dropped while the sync ran; sync again";
            let error = Error::new(ErrorKind::Conflict, message);
            return Err(Failure::Reported(error.with_context("table", table)));
        }
        let planned = std::mem::take(&mut self.planned);
        *self = Self::prepare(database, &table, &self.stream, &self.key)?;
        self.widen(planned);
        Ok(())
    }

    /// Whether something that a user added may reject a record: a trigger, index or constraint.
    pub(crate) fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    /// Parses a record, or returns why it is rejected. Plans columns for new fields.
    pub(crate) fn row(&mut self, record: &Record) -> Result<Row, String> {
        if record.is_removed() && self.mark.is_none() {
            return Err(CANNOT_MARK.to_owned());
        }
        if record.data.as_str().len() > LARGEST_ROW {
            return Err(TOO_LARGE.to_owned());
        }
        let fields = record.data.fields().map_err(|_| NOT_UNICODE.to_owned())?;
        let (row, new) = Row::of(&record.data, &fields, &self.layout);
        if let Some(field) = row.missing_key(&record.data, &self.layout) {
            return Err(format!(
                "its primary key field `{field}` is missing or null"
            ));
        }
        if record.is_removed() || new.is_empty() {
            return Ok(row);
        }
        if self.layout.columns().len() + new.len() >= TOO_MANY_COLUMNS {
            return Err(TOO_WIDE.to_owned());
        }
        self.widen(new.into_iter().map(str::to_owned).collect());
        Ok(Row::of(&record.data, &fields, &self.layout).0)
    }

    /// Creates the planned columns. Called in a transaction, before rows are stored.
    pub(crate) fn create_columns(&self, database: &Connection) -> rusqlite::Result<()> {
        let mut planned = self.planned.iter();
        planned.try_for_each(|field| self.layout.create_planned(database, field))
    }

    /// Called after a commit: planned columns exist now.
    pub(crate) fn has_committed(&mut self) {
        self.planned.clear();
    }

    /// Stores a record, or marks the row with its key as removed. Returns why something that a
    /// user added to the table rejects it.
    pub(crate) fn store(
        &self,
        database: &Connection,
        record: &Record,
        row: &Row,
    ) -> rusqlite::Result<Option<&'static str>> {
        let stored = match (record.removal_reason(), &self.mark) {
            (Some(reason), Some(mark)) => self.mark(database, mark, record, row, reason),
            _ => self.upsert(database, record, row),
        };
        match stored {
            Ok(_) => Ok(None),
            Err(error) => error::refusal(&error).map_or(Err(error), |why| Ok(Some(why))),
        }
    }

    fn upsert(&self, database: &Connection, record: &Record, row: &Row) -> rusqlite::Result<usize> {
        let mut statement = database.prepare_cached(&self.upsert)?;
        for (position, stored) in row.stored(&record.data, &self.layout).enumerate() {
            statement.raw_bind_parameter(position + 1, stored)?;
        }
        statement.raw_execute()
    }

    fn mark(
        &self,
        database: &Connection,
        mark: &str,
        record: &Record,
        row: &Row,
        reason: &str,
    ) -> rusqlite::Result<usize> {
        let mut statement = database.prepare_cached(mark)?;
        statement.raw_bind_parameter(1, reason)?;
        row.bind_key(&record.data, &self.layout, &mut statement, 2)?;
        statement.raw_execute()
    }

    /// The fields whose columns do not exist yet.
    pub(crate) fn into_planned(self) -> Vec<String> {
        self.planned
    }

    /// Plans columns for fields that have none.
    pub(crate) fn widen(&mut self, fields: Vec<String>) {
        let layout = &mut self.layout;
        let new = fields.into_iter().filter(|field| layout.plan(field));
        self.planned.extend(new);
        self.upsert = upsert_statement(&self.layout);
    }
}

/// A record has no value for the mark, so the row is no longer marked as removed.
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
