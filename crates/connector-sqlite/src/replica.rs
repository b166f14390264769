//! The contract's side of reading back: each call has a connection and a view of its own.

use std::path::PathBuf;

use async_trait::async_trait;
use connector_core::{Comparison, Record, Replica, Result, State, StreamName};
use connector_local::run_blocking;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::config::Config;
use crate::database;
use crate::error::Failure;
use crate::rows::Query;
use crate::{comparison, state};

/// Reads the database back. Nothing in it is changed, and a sync may write to it meanwhile: each
/// call sees what was committed when it began.
///
/// Where the file system lets nobody read while somebody writes, a commit waits five seconds for
/// the calls that run; then it fails, and can be tried again.
#[derive(Debug)]
pub struct SqliteReplica {
    path: PathBuf,
}

impl SqliteReplica {
    /// Of a database that may not be there yet.
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { path }
    }

    /// Looks whether there is a database that a sync has written.
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
            let stored = state::Stored::read(&database, &sync).map_err(Failure::from);
            let state = stored.and_then(|stored| stored.committed(&sync));
            state.map_err(|failure| failure.at(&path))
        })
        .await
    }

    /// Values are given as they are stored: booleans as 0 and 1, objects and arrays as texts.
    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let query = Query {
            path: self.path.clone(),
            stream: stream.clone(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        query.into_stream()
    }

    /// Whether a row is the one that writing the record would make. A row that is marked as gone
    /// differs in `_gone` from a record that is there, and the other way round. A record without
    /// its key is absent.
    ///
    /// # Errors
    /// Besides those of the contract [`ErrorKind::Config`](connector_core::ErrorKind::Config) for
    /// a stream without a primary key.
    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let path = self.path.clone();
        run_blocking(move || {
            let database = database::open_to_read(&path)?;
            let compared = comparison::compare(&database, &records);
            compared.map_err(|failure| failure.at(&path))
        })
        .await
    }
}
