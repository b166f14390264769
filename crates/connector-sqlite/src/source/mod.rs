//! The source: the rows of a query, as records of one stream.

mod kept;
mod query;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Error, ErrorKind, Message, ReadRequest, Result, Source, State, Status, Stream,
    StreamName, SyncMode,
};
use connector_local::run_blocking;
use futures::future::ready;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::thread::read_in_thread;

use query::{Column, Query};

const CONNECTOR: &str = "sqlite";
const VERSION: u32 = 1;

/// Reads the rows of a query. Each column is a field, in order. Changes nothing in the database,
/// and does not keep others from writing to it.
///
/// - Integers and reals become numbers, text becomes text, NULL becomes null. A blob is an error.
/// - `SQLite` has no booleans and no objects. In a column that is declared `BOOLEAN`, 0 and 1
///   become `false` and `true`. In a column that is declared `JSON`, text becomes the JSON value
///   that it holds. A declaration is known where the query selects the column itself, not an
///   expression.
/// - All rows are of one moment.
/// - Each read returns all rows. The state holds nothing.
pub struct SqliteSource {
    query: Arc<Query>,
    stream: StreamName,
}

impl SqliteSource {
    /// Opens nothing yet.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            stream: config.stream.unwrap_or_else(|| "query".to_owned()).into(),
            query: Arc::new(Query {
                path: config.path,
                sql: config.query.unwrap_or_default(),
            }),
        }
    }

    async fn columns(&self) -> Result<Vec<Column>> {
        let query = Arc::clone(&self.query);
        run_blocking(move || query.columns()).await
    }

    fn expect(&self, request: &ReadRequest) -> Result<()> {
        request.expect_whole()?;
        for selection in &request.streams {
            if selection.stream != self.stream || selection.mode != SyncMode::FullRefresh {
                let message = "a query has one stream, which is read in full";
                return Err(Error::new(ErrorKind::Config, message)
                    .with_context("stream", &selection.stream));
            }
        }
        request
            .state
            .as_ref()
            .map_or(Ok(()), |state| self.expect_state(state))
    }

    fn expect_state(&self, state: &State) -> Result<()> {
        state.expect(CONNECTOR, VERSION)?;
        let value = state.stream(self.stream.as_str());
        if value.is_none_or(|value| *value == nothing()) {
            return Ok(());
        }
        let message = "the saved state of the query is damaged; remove it to read all rows";
        Err(Error::new(ErrorKind::State, message).with_context("stream", &self.stream))
    }

    fn rows(&self) -> BoxStream<'static, Result<Message>> {
        let (query, stream) = (Arc::clone(&self.query), self.stream.clone());
        let path = query.path.clone();
        let read = {
            let stream = stream.clone();
            move |outlet: &_| query.read(&stream, outlet)
        };
        let rows = read_in_thread("sqlite-query", path, read).map_ok(Message::Record);
        let status = |status| stream::iter([Ok(Message::Status(stream.clone(), status))]);
        let mut state = State::new(CONNECTOR, VERSION);
        state.set_stream(stream.clone(), nothing());
        let checkpoint = stream::iter([Ok(Message::Checkpoint(state))]);
        let messages = status(Status::Started)
            .chain(rows)
            .chain(checkpoint)
            .chain(status(Status::Complete));
        until_error(messages).boxed()
    }
}

#[async_trait]
impl Source for SqliteSource {
    async fn check(&self) -> Result<()> {
        self.columns().await.map(|_| ())
    }

    async fn discover(&self) -> Result<Catalog> {
        let columns = self.columns().await?;
        let properties: Map<_, _> = columns.into_iter().map(property).collect();
        let schema = json!({"type": "object", "properties": properties});
        let stream = Stream::new(self.stream.clone(), "The rows of the query.", schema);
        Ok(Catalog::new([stream]))
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        match self.expect(&request) {
            Err(error) => stream::iter([Err(error)]).boxed(),
            Ok(()) if request.streams.is_empty() => stream::empty().boxed(),
            Ok(()) => self.rows(),
        }
    }
}

/// The value of the stream in a state.
fn nothing() -> Value {
    json!({})
}

/// A column may hold any value, whatever its declaration says.
fn property(column: Column) -> (String, Value) {
    let schema = match column.declared {
        Some(declared) => json!({"description": format!("Declared as {declared}.")}),
        None => json!({}),
    };
    (column.name, schema)
}

/// The messages up to the first error, which is the last one.
fn until_error(
    messages: impl futures::Stream<Item = Result<Message>>,
) -> impl futures::Stream<Item = Result<Message>> {
    messages.scan(false, |has_failed, message| {
        let is_over = std::mem::replace(has_failed, message.is_err());
        ready((!is_over).then_some(message))
    })
}
