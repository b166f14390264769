//! All rows of a table, read by a thread that is never far ahead of who takes them.

use std::mem;
use std::path::PathBuf;
use std::thread;

use connector_core::{Error, ErrorKind, OpenRows, Result, StreamName};
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::database;
use crate::layout::Layout;
use crate::{error, selection};

const CHUNKS_IN_CHANNEL: usize = 2;
/// What a chunk holds at most: rows, and bytes of texts unless one row alone has more.
const CHUNK_ROWS: usize = 512;
const CHUNK_BYTES: usize = 256 * 1024;

/// The rows that are wanted.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) path: PathBuf,
    pub(crate) stream: StreamName,
    pub(crate) fields: Vec<String>,
}

/// Rows that travel together. One without rows says that all have come.
#[derive(Debug, Default)]
struct Chunk {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Query {
    /// The rows. The reading begins when the first is asked for, and ends when this is dropped.
    pub(crate) fn into_stream(self) -> BoxStream<'static, Result<Vec<Value>>> {
        stream::once(async move { self.start() })
            .map_ok(chunks)
            .try_flatten()
            .map_ok(|chunk| stream::iter(chunk.rows.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// A thread of its own: it works without a runtime, and no runtime waits for it.
    fn start(self) -> Result<Receiver<Result<Chunk>>> {
        let (sender, chunks) = mpsc::channel(CHUNKS_IN_CHANNEL);
        let path = self.path.clone();
        let thread = thread::Builder::new().name("sqlite-rows".to_owned());
        match thread.spawn(move || self.send_all(&sender)) {
            Ok(_detached) => Ok(chunks),
            Err(error) => Err(error::of_path(error, "no thread can be started", &path)),
        }
    }

    fn send_all(&self, sender: &Sender<Result<Chunk>>) {
        let end = self.read(sender).map(|()| Chunk::default());
        // Who has dropped the rows does not want to know how they end.
        sender.blocking_send(end).ok();
    }

    fn read(&self, sender: &Sender<Result<Chunk>>) -> Result<()> {
        let database = database::open_to_read(&self.path)?;
        self.send_rows(&database, sender)
            .map_err(|error| error::of_database(error, &self.path))
            .map_err(|error| error.with_context("stream", &self.stream))
    }

    fn send_rows(
        &self,
        database: &Connection,
        sender: &Sender<Result<Chunk>>,
    ) -> rusqlite::Result<()> {
        // The columns and the rows are to be those of one moment.
        database.execute_batch("BEGIN")?;
        let Some(layout) = Layout::find(database, self.stream.as_str())? else {
            return Ok(());
        };
        let mut statement = database.prepare(&selection::select(&layout, &self.fields))?;
        let mut rows = statement.query([])?;
        let mut chunk = Chunk::default();
        while let Some(row) = rows.next()? {
            chunk.push(row, self.fields.len())?;
            if chunk.is_full() && sender.blocking_send(Ok(mem::take(&mut chunk))).is_err() {
                return Ok(());
            }
        }
        if !chunk.rows.is_empty() {
            sender.blocking_send(Ok(chunk)).ok();
        }
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
    let select = selection::select_open(&layout, open);
    let mut statement = database.prepare(&select.sql)?;
    let mut rows = statement.query(params_from_iter(select.values))?;
    let mut open_rows = Vec::new();
    while let Some(row) = rows.next()? {
        open_rows.push(values(row, open.wanted.len())?);
    }
    Ok(open_rows)
}

/// The chunks up to the one that says that all have come.
fn chunks(chunks: Receiver<Result<Chunk>>) -> impl Stream<Item = Result<Chunk>> {
    stream::unfold(Some(chunks), |chunks| async move {
        let mut chunks = chunks?;
        let chunk = chunks.recv().await.unwrap_or_else(|| Err(cut_off()));
        match chunk {
            Ok(chunk) if chunk.rows.is_empty() => None,
            Ok(chunk) => Some((Ok(chunk), Some(chunks))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

fn cut_off() -> Error {
    let message = "the reading of a table was cut off by a panic";
    Error::new(ErrorKind::Internal, message)
}

/// The first `columns` values of a row.
pub(crate) fn values(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    let columns = 0..columns;
    columns
        .map(|column| row.get_ref(column).map(json))
        .collect()
}

/// A stored value. Nothing here stores a blob; a user who did means its text.
fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into(),
    }
}
