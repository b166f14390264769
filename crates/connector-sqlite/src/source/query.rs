//! A query: its columns, and its rows as records.

use std::path::PathBuf;

use connector_core::{Error, ErrorKind, JsonObject, ObjectWriter, Record, Result, StreamName};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};
use serde_json::value::{RawValue, to_raw_value};

use super::kept::Kept;
use crate::thread::Outlet;
use crate::{database, error};

const CHUNK_RECORDS: usize = 256;

/// A query of one database.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) path: PathBuf,
    pub(crate) sql: String,
}

/// A column of the result.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type with which it was declared, if it is a column of a table.
    pub(crate) declared: Option<String>,
}

impl Query {
    /// The columns of the result.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it does more than read, or two columns have one name;
    /// [`ErrorKind::Io`] if there is no database.
    pub(crate) fn columns(&self) -> Result<Vec<Column>> {
        let database = database::open_any(&self.path)?;
        Ok(columns(&self.prepare(&database)?))
    }

    /// Reads all rows as records of `stream`.
    pub(crate) fn read(&self, stream: &StreamName, outlet: &Outlet<Record>) -> Result<()> {
        let mut chunks = Chunks::new(stream, outlet);
        let read = self.read_into(&mut chunks);
        // Rows before a failure count as well.
        chunks.finish();
        read.map_err(|error| error.with_context("stream", stream))
    }

    fn read_into(&self, chunks: &mut Chunks<'_>) -> Result<()> {
        let mut kept = Kept::new(&self.path);
        let read = self.read_or_keep(chunks, &mut kept);
        kept.each(|row| chunks.push(row))?;
        read
    }

    /// Where a reader keeps others from writing, reads all rows at once and keeps them, because
    /// the consumer may be slow.
    fn read_or_keep(&self, chunks: &mut Chunks<'_>, kept: &mut Kept) -> Result<()> {
        let database = database::open_any(&self.path)?;
        if self.can_others_write(&database)? {
            return self.each(&database, |row| Ok(chunks.push(row)));
        }
        self.each(&database, |row| kept.push(&row).map(|()| true))
    }

    fn can_others_write(&self, database: &Connection) -> Result<bool> {
        let mode = database.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
        let mode = mode.map_err(|error| error::of_database(error, &self.path))?;
        Ok(mode.eq_ignore_ascii_case("wal"))
    }

    /// Passes all rows to `take`, until it returns false.
    fn each(
        &self,
        database: &Connection,
        mut take: impl FnMut(JsonObject) -> Result<bool>,
    ) -> Result<()> {
        let at = |error| error::of_database(error, &self.path);
        let mut statement = self.prepare(database)?;
        let columns = columns(&statement);
        let mut rows = statement.query([]).map_err(at)?;
        while let Some(row) = rows.next().map_err(at)? {
            if !take(object(row, &columns)?)? {
                break;
            }
        }
        Ok(())
    }

    fn prepare<'a>(&self, database: &'a Connection) -> Result<Statement<'a>> {
        let refuse =
            |message: String| Error::new(ErrorKind::Config, message).with_context("key", "query");
        let statement = database.prepare(&self.sql);
        let statement = statement.map_err(|error| refuse(format!("SQLite refuses it: {error}")))?;
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(refuse("must only read: a SELECT".to_owned()));
        }
        match repeated(statement.column_names().collect()) {
            None => Ok(statement),
            Some(name) => Err(refuse(format!(
                "two columns are named `{name}`: name them with AS"
            ))),
        }
    }
}

fn repeated(mut names: Vec<&str>) -> Option<String> {
    names.sort_unstable();
    let pair = names.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(pair[0].to_owned())
}

fn columns(statement: &Statement<'_>) -> Vec<Column> {
    let columns = statement.columns();
    let column = |column: rusqlite::Column<'_>| Column {
        name: column.name().to_owned(),
        declared: column.decl_type().map(str::to_owned),
    };
    columns.map(column).collect()
}

/// Records that travel together.
struct Chunks<'q> {
    stream: &'q StreamName,
    outlet: &'q Outlet<Record>,
    chunk: Vec<Record>,
}

impl<'q> Chunks<'q> {
    fn new(stream: &'q StreamName, outlet: &'q Outlet<Record>) -> Self {
        Self {
            stream,
            outlet,
            chunk: Vec::new(),
        }
    }

    /// False if nobody wants more rows.
    fn push(&mut self, row: JsonObject) -> bool {
        self.chunk.push(Record::new(self.stream.clone(), row));
        self.chunk.len() < CHUNK_RECORDS || self.outlet.send(std::mem::take(&mut self.chunk))
    }

    fn finish(self) {
        self.outlet.send(self.chunk);
    }
}

fn object(row: &Row<'_>, columns: &[Column]) -> Result<JsonObject> {
    let mut object = ObjectWriter::with_capacity(256);
    for (position, column) in columns.iter().enumerate() {
        let value = row.get_ref(position).map_err(|error| {
            Error::new(ErrorKind::Internal, "a column cannot be read").with_source(error)
        })?;
        let added = column.add(value, &mut object);
        added.map_err(|error| error.with_context("column", &column.name))?;
    }
    Ok(object.finish())
}

impl Column {
    fn add(&self, value: ValueRef<'_>, object: &mut ObjectWriter) -> Result<()> {
        let refuse = |message: &str| Err(Error::new(ErrorKind::Data, message));
        match value {
            ValueRef::Null => object.null(&self.name),
            ValueRef::Integer(integer @ (0 | 1)) if self.is_declared("BOOLEAN") => {
                object.raw(&self.name, &raw(&(integer == 1))?);
            }
            ValueRef::Integer(integer) => object.raw(&self.name, &raw(&integer)?),
            ValueRef::Real(real) if real.is_finite() => object.raw(&self.name, &raw(&real)?),
            ValueRef::Real(_) => return refuse("a number is infinite, which JSON has no form for"),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => self.add_text(text, object),
                Err(_) => return refuse("text is not valid UTF-8"),
            },
            ValueRef::Blob(_) => {
                return refuse("a value is a blob: select hex() of it, or a cast");
            }
        }
        Ok(())
    }

    fn add_text(&self, text: &str, object: &mut ObjectWriter) {
        let json = if self.is_declared("JSON") {
            serde_json::from_str::<&RawValue>(text).ok()
        } else {
            None
        };
        match json {
            Some(json) => object.raw(&self.name, json),
            None => object.string(&self.name, text),
        }
    }

    fn is_declared(&self, kind: &str) -> bool {
        let declared = self.declared.as_deref();
        declared.is_some_and(|declared| declared.eq_ignore_ascii_case(kind))
    }
}

fn raw(value: &impl serde::Serialize) -> Result<Box<RawValue>> {
    to_raw_value(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value has no form in JSON").with_source(error)
    })
}
