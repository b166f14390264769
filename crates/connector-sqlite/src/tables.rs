//! The tables of a sync, by stream.

use std::collections::HashMap;

use connector_core::{Record, StreamName};
use rusqlite::Connection;

use crate::error::Failure;
use crate::row::Row;
use crate::table::Table;

const UNKNOWN_STREAM: &str = "its stream is not among those that the sync was started with";

/// The tables that records are written to.
#[derive(Debug, Default)]
pub(crate) struct Tables(HashMap<StreamName, Table>);

impl Tables {
    /// Adds the table of a stream. New fields of records that wait keep their planned columns.
    pub(crate) fn insert(&mut self, stream: &StreamName, mut table: Table) {
        if let Some(before) = self.0.remove(stream) {
            table.widen(before.into_unmade());
        }
        self.0.insert(stream.clone(), table);
    }

    /// Whether the stream has a table.
    pub(crate) fn contains(&self, stream: &str) -> bool {
        self.0.contains_key(stream)
    }

    /// Takes a record apart, or says why it is refused.
    pub(crate) fn row(&mut self, record: &Record) -> Result<Row, String> {
        match self.0.get_mut(&record.stream) {
            Some(table) => table.row(record),
            None => Err(UNKNOWN_STREAM.to_owned()),
        }
    }

    /// Whether something that somebody added to a table may refuse a record of the stream.
    pub(crate) fn is_guarded(&self, stream: &StreamName) -> bool {
        self.0.get(stream).is_some_and(Table::is_guarded)
    }

    /// Makes the columns of new fields. In a transaction, before rows are stored.
    pub(crate) fn make_columns(&self, database: &Connection) -> rusqlite::Result<()> {
        let mut tables = self.0.values();
        tables.try_for_each(|table| table.make_columns(database))
    }

    /// Stores a record, or returns why it is refused.
    pub(crate) fn store(
        &self,
        database: &Connection,
        record: &Record,
        row: &Row,
    ) -> rusqlite::Result<Option<&'static str>> {
        match self.0.get(&record.stream) {
            Some(table) => table.store(database, record, row),
            None => Ok(Some(UNKNOWN_STREAM)),
        }
    }

    /// Learns all tables anew, because somebody has changed the schema of the database.
    pub(crate) fn relearn(&mut self, database: &Connection) -> Result<(), Failure> {
        let mut tables = self.0.values_mut();
        tables.try_for_each(|table| table.relearn(database))
    }

    /// The transaction in which columns were made has been committed.
    pub(crate) fn has_committed(&mut self) {
        self.0.values_mut().for_each(Table::has_committed);
    }
}
