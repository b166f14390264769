//! Reads the rows of a table.

use std::path::PathBuf;

use connector_core::{OpenRows, Result, StreamName};
use futures::stream::{BoxStream, StreamExt};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use super::selection::{self, OpenRowsSql};
use crate::layout::Layout;
use crate::thread::{Outlet, read_in_thread};
use crate::{database, error};

/// The most that a chunk holds: rows, and bytes of text unless one row has more.
const CHUNK_ROWS: usize = 512;
const CHUNK_BYTES: usize = 256 * 1024;

/// Which rows to read, and which of their fields.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) path: PathBuf,
    pub(crate) stream: StreamName,
    pub(crate) fields: Vec<String>,
}

/// Rows that travel together.
#[derive(Debug, Default)]
struct Chunk {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Query {
    /// The rows. Reading begins with the first one, and ends when the stream is dropped.
    pub(crate) fn into_stream(self) -> BoxStream<'static, Result<Vec<Value>>> {
        let path = self.path.clone();
        read_in_thread("sqlite-rows", path, move |outlet| self.read(outlet)).boxed()
    }

    fn read(&self, outlet: &Outlet<Vec<Value>>) -> Result<()> {
        let database = database::open_to_read(&self.path)?;
        self.send_rows(&database, outlet)
            .map_err(|error| error::of_database(error, &self.path))
            .map_err(|error| error.with_context("stream", &self.stream))
    }

    fn send_rows(
        &self,
        database: &Connection,
        outlet: &Outlet<Vec<Value>>,
    ) -> rusqlite::Result<()> {
        // Columns and rows must be those of one moment.
        database.execute_batch("BEGIN")?;
        let Some(layout) = Layout::find(database, self.stream.as_str())? else {
            return Ok(());
        };
        let mut statement = database.prepare(&selection::select(&layout, &self.fields))?;
        let mut rows = statement.query([])?;
        let mut chunk = Chunk::default();
        while let Some(row) = rows.next()? {
            chunk.push(row, self.fields.len())?;
            if chunk.is_full() && !outlet.send(std::mem::take(&mut chunk).rows) {
                return Ok(());
            }
        }
        outlet.send(chunk.rows);
        Ok(())
    }
}

impl Chunk {
    fn push(&mut self, row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<()> {
        for column in 0..columns {
            self.bytes += row.get_ref(column)?.as_bytes().map_or(0, <[u8]>::len);
        }
        self.rows.push(values(row, columns)?);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= CHUNK_ROWS || self.bytes >= CHUNK_BYTES
    }
}

/// The rows of a table that can still change.
pub(crate) fn open_rows(
    database: &Connection,
    table: &str,
    open: &OpenRows,
) -> rusqlite::Result<Vec<Vec<Value>>> {
    let Some(layout) = Layout::find(database, table)? else {
        return Ok(Vec::new());
    };
    let mut statement = database.prepare(&OpenRowsSql::new(&layout, open).select)?;
    let mut rows = statement.query([])?;
    let mut open_rows = Vec::new();
    while let Some(row) = rows.next()? {
        open_rows.push(values(row, open.wanted.len())?);
    }
    Ok(open_rows)
}

/// SQL that creates the index of the open rows of a table, if the table has none: without it each
/// search for them reads the whole table.
pub(crate) fn missing_index(
    database: &Connection,
    table: &str,
    open: &OpenRows,
) -> rusqlite::Result<Option<String>> {
    let Some(layout) = Layout::find(database, table)? else {
        return Ok(None);
    };
    let Some(create) = OpenRowsSql::new(&layout, open).create_index else {
        return Ok(None);
    };
    let find = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
    let is_there = database.prepare(find)?.exists([format!("_open_{table}")])?;
    Ok((!is_there).then_some(create))
}

/// The first `columns` values of a row.
pub(crate) fn values(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    let columns = 0..columns;
    columns
        .map(|column| row.get_ref(column).map(json))
        .collect()
}

/// A stored value. This program stores no blobs; one that a user stored is read as text.
fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into(),
    }
}
