//! The contract's side of reading: the rows of one query, as records of one stream.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use connector_core::{
    Catalog, Error, ErrorKind, JsonObject, Message, ReadRequest, Record, Result, Source, Status,
    Stream, StreamName, SyncMode,
};
use connector_local::run_blocking;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::config::Config;
use crate::database;
use crate::error;

const CHUNKS_IN_CHANNEL: usize = 2;
const CHUNK_RECORDS: usize = 256;

/// Reads the rows of a query: each column is a field, in their order. Integers and reals are
/// numbers, texts are texts, NULL is null; a blob is an error. Nothing in the database is changed.
///
/// There is no state: each read gives all rows.
pub struct SqliteSource {
    query: Arc<Query>,
}

struct Query {
    path: PathBuf,
    sql: String,
    stream: StreamName,
}

/// Messages that travel together. None at all say that all have come.
type Chunk = Vec<Message>;

impl SqliteSource {
    /// Opens nothing yet.
    pub(crate) fn new(config: Config) -> Self {
        let query = Query {
            path: config.path,
            sql: config.query.unwrap_or_default(),
            stream: config.stream.unwrap_or_else(|| "query".to_owned()).into(),
        };
        Self {
            query: Arc::new(query),
        }
    }

    async fn columns(&self) -> Result<Vec<String>> {
        let query = Arc::clone(&self.query);
        run_blocking(move || query.columns()).await
    }
}

#[async_trait]
impl Source for SqliteSource {
    async fn check(&self) -> Result<()> {
        self.columns().await.map(drop)
    }

    async fn discover(&self) -> Result<Catalog> {
        let columns = self.columns().await?;
        let properties: Map<_, _> = columns.into_iter().map(|name| (name, json!({}))).collect();
        let schema = json!({"type": "object", "properties": properties});
        let stream = Stream::new(self.query.stream.clone(), "The rows of the query.", schema);
        Ok(Catalog::new([stream]))
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let query = Arc::clone(&self.query);
        stream::once(async move { query.start(&request) })
            .map_ok(chunks)
            .try_flatten()
            .map_ok(|chunk| stream::iter(chunk.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

impl Query {
    fn columns(&self) -> Result<Vec<String>> {
        let database = database::open_any(&self.path)?;
        let statement = self.prepare(&database)?;
        let names = statement.column_names().map(str::to_owned);
        Ok(names.collect())
    }

    /// # Errors
    /// [`ErrorKind::Config`] if it is no query that reads, or two columns have one name.
    fn prepare<'a>(&self, database: &'a Connection) -> Result<Statement<'a>> {
        let refuse =
            |message: String| Error::new(ErrorKind::Config, message).with_context("key", "query");
        let statement = database.prepare(&self.sql);
        let statement = statement.map_err(|error| refuse(format!("SQLite refuses it: {error}")))?;
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(refuse("must only read: a SELECT".to_owned()));
        }
        let mut names: Vec<_> = statement.column_names().collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!("two columns are named `{}`: name them with AS", pair[0]);
            return Err(refuse(message));
        }
        drop(names);
        Ok(statement)
    }

    /// A thread of its own: it works without a runtime, and no runtime waits for it.
    fn start(self: Arc<Self>, request: &ReadRequest) -> Result<Receiver<Result<Chunk>>> {
        request.expect_whole()?;
        for selection in &request.streams {
            if selection.stream != self.stream || selection.mode != SyncMode::FullRefresh {
                let message = "a query has one stream, which is read in full";
                return Err(Error::new(ErrorKind::Config, message)
                    .with_context("stream", &selection.stream));
            }
        }
        if let Some(state) = &request.state {
            state.expect("sqlite", 1)?;
        }
        let (sender, chunks) = mpsc::channel(CHUNKS_IN_CHANNEL);
        let path = self.path.clone();
        let thread = thread::Builder::new().name("sqlite-query".to_owned());
        let is_wanted = !request.streams.is_empty();
        let started = thread.spawn(move || {
            let read = if is_wanted {
                self.send_rows(&sender)
            } else {
                Ok(())
            };
            // Who has dropped the rows does not want to know how they end.
            sender.blocking_send(read.map(|()| Chunk::new())).ok();
        });
        match started {
            Ok(_detached) => Ok(chunks),
            Err(error) => Err(error::of_path(error, "no thread can be started", &path)),
        }
    }

    fn send_rows(&self, sender: &Sender<Result<Chunk>>) -> Result<()> {
        let in_stream = |error: Error| error.with_context("stream", &self.stream);
        let at = |error| in_stream(error::of_database(error, &self.path));
        let database = database::open_any(&self.path).map_err(in_stream)?;
        let mut statement = self.prepare(&database).map_err(in_stream)?;
        let names = statement.column_names().map(str::to_owned);
        let names: Vec<_> = names.collect();
        let mut rows = statement.query([]).map_err(at)?;
        let mut chunk = vec![Message::Status(self.stream.clone(), Status::Started)];
        while let Some(row) = rows.next().map_err(at)? {
            let data = record(row, &names).map_err(in_stream)?;
            chunk.push(Message::Record(Record::new(self.stream.clone(), data)));
            if chunk.len() >= CHUNK_RECORDS
                && sender
                    .blocking_send(Ok(std::mem::take(&mut chunk)))
                    .is_err()
            {
                return Ok(());
            }
        }
        chunk.push(Message::Status(self.stream.clone(), Status::Complete));
        sender.blocking_send(Ok(chunk)).ok();
        Ok(())
    }
}

fn record(row: &Row<'_>, names: &[String]) -> Result<JsonObject> {
    let mut fields = Map::new();
    for (position, name) in names.iter().enumerate() {
        let value = row.get_ref(position).map_err(|error| {
            Error::new(ErrorKind::Internal, "a column cannot be read").with_source(error)
        })?;
        fields.insert(name.clone(), json_of(value, name)?);
    }
    JsonObject::from_serialize(&fields)
}

fn json_of(value: ValueRef<'_>, column: &str) -> Result<Value> {
    let refuse = |message: &str| {
        Err(Error::new(ErrorKind::Data, message.to_owned()).with_context("column", column))
    };
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(real) if real.is_finite() => real.into(),
        ValueRef::Real(_) => return refuse("a number is infinite, which JSON cannot say"),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => text.into(),
            Err(_) => return refuse("a text is not UTF-8"),
        },
        ValueRef::Blob(_) => return refuse("a value is a blob: select hex() of it, or a cast"),
    })
}

/// The chunks up to the one that says that all have come.
fn chunks(chunks: Receiver<Result<Chunk>>) -> impl stream::Stream<Item = Result<Chunk>> {
    stream::unfold(Some(chunks), |chunks| async move {
        let mut chunks = chunks?;
        let cut_off = || Error::new(ErrorKind::Internal, "the reading of a query was cut off");
        match chunks.recv().await.unwrap_or_else(|| Err(cut_off())) {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => Some((Ok(chunk), Some(chunks))),
            Err(error) => Some((Err(error), None)),
        }
    })
}
