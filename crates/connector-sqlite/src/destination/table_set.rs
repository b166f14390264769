//! The tables of a sync, by stream.

use std::collections::HashMap;

use connector_core::{Record, StreamName};
use rusqlite::Connection;

use super::table::Table;
use crate::error::Failure;
use crate::layout::row::Row;

const UNKNOWN_STREAM: &str = "its stream is not among those that the sync was started with";

/// The tables that records are written to.
#[derive(Debug, Default)]
pub(crate) struct TableSet(HashMap<StreamName, Table>);

impl TableSet {
    /// Adds the table of a stream. Columns that were planned for pending records stay planned.
    pub(crate) fn insert(&mut self, stream: &StreamName, mut table: Table) {
        if let Some(before) = self.0.remove(stream) {
            table.widen(before.into_planned());
        }
        self.0.insert(stream.clone(), table);
    }

    /// Whether the stream has a table.
    pub(crate) fn contains(&self, stream: &str) -> bool {
        self.0.contains_key(stream)
    }

    /// Parses a record, or returns why it is rejected.
    pub(crate) fn row(&mut self, record: &Record) -> Result<Row, String> {
        match self.0.get_mut(&record.stream) {
            Some(table) => table.row(record),
            None => Err(UNKNOWN_STREAM.to_owned()),
        }
    }

    /// Whether something that a user added to the table may reject a record of the stream.
    pub(crate) fn is_guarded(&self, stream: &StreamName) -> bool {
        self.0.get(stream).is_some_and(Table::is_guarded)
    }

    /// Creates the planned columns. Called in a transaction, before rows are stored.
    pub(crate) fn create_columns(&self, database: &Connection) -> rusqlite::Result<()> {
        let mut tables = self.0.values();
        tables.try_for_each(|table| table.create_columns(database))
    }

    /// Stores a record, or returns why it is rejected.
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

    /// Reads all tables again, because the schema of the database has changed.
    pub(crate) fn reload(&mut self, database: &Connection) -> Result<(), Failure> {
        let mut tables = self.0.values_mut();
        tables.try_for_each(|table| table.reload(database))
    }

    /// Called after a commit: planned columns exist now.
    pub(crate) fn has_committed(&mut self) {
        self.0.values_mut().for_each(Table::has_committed);
    }
}
