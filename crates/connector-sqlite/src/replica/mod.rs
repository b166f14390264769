//! Reads a database back. Each call has its own connection, and sees one moment.

mod comparison;
mod inventory;
pub(crate) mod row_reader;
mod selection;

use std::path::PathBuf;

use async_trait::async_trait;
use connector_core::{Comparison, CopyInventory, Record, Replica, Result, State, StreamName};
use connector_local::run_blocking;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::bookkeeping::states;
use crate::config::Config;
use crate::database;
use crate::error::Failure;

use row_reader::Query;

/// Reads back what the destination wrote. Changes nothing. A sync may write meanwhile: each call
/// sees what was committed when the call began.
///
/// On file systems where readers and writers exclude each other, a commit waits for running calls.
#[derive(Debug)]
pub struct SqliteReplica {
    path: PathBuf,
}

impl SqliteReplica {
    /// A replica of a database that may not exist yet.
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { path }
    }

    /// Checks that a sync has written the database.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](connector_core::ErrorKind::Io) if there is none.
    pub async fn open(config: Config) -> Result<Self> {
        let path = config.path;
        run_blocking(move || {
            database::open_to_read(&path)?;
            Ok(Self { path })
        })
        .await
    }
}

#[async_trait]
impl Replica for SqliteReplica {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        let (path, sync) = (self.path.clone(), sync.to_owned());
        run_blocking(move || {
            let database = database::open_to_read(&path)?;
            let stored = states::StoredStates::read(&database, &sync).map_err(Failure::from);
            let state = stored.and_then(|stored| stored.committed(&sync));
            state.map_err(|failure| failure.at(&path))
        })
        .await
    }

    /// Returns values as they are stored: booleans as 0 and 1, objects and arrays as text.
    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let query = Query {
            path: self.path.clone(),
            stream: stream.clone(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        query.into_stream()
    }

    /// Compares each row with the one that writing the record would store. A row that is marked
    /// as removed differs in `_gone` from a record, and an unmarked row from a tombstone. A record
    /// without its key is absent.
    ///
    /// # Errors
    /// Those of the contract; [`ErrorKind::Config`](connector_core::ErrorKind::Config) for a stream
    /// without a primary key.
    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let path = self.path.clone();
        run_blocking(move || {
            let database = database::open_to_read(&path)?;
            let compared = comparison::compare(&database, &records);
            compared.map_err(|failure| failure.at(&path))
        })
        .await
    }

    fn inventory(&self) -> Option<&dyn CopyInventory> {
        Some(self)
    }
}
