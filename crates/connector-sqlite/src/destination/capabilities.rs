//! What the destination can do besides writing. Each call opens its own connection.

use std::path::Path;

use async_trait::async_trait;
use connector_core::{
    Claim, DeleteByKey, Holder, JsonObject, OpenRowReader, OpenRows, Result, RunHistory, RunRecord,
    StreamName,
};
use connector_local::{FileClaim, run_blocking};
use rusqlite::Connection;
use serde_json::Value;

use super::{SqliteDestination, deletion};
use crate::bookkeeping::{self, runs};
use crate::database;
use crate::error::Failure;
use crate::patience::Patience;
use crate::replica::row_reader;

#[async_trait]
impl Claim for SqliteDestination {
    async fn claim(&mut self, sync: &str, holder: &Holder) -> Result<()> {
        let (path, name, holder) = (self.path.clone(), sync.to_owned(), holder.clone());
        let is_held = self.claim.as_ref().is_some_and(|it| it.is_for(&path, sync));
        if !is_held {
            let take = move || FileClaim::take(&path, &name, &holder);
            self.claim = run_blocking(take).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl RunHistory for SqliteDestination {
    async fn record(&mut self, run: &RunRecord) -> Result<()> {
        let (path, patience, run) = (self.path.clone(), self.patience.clone(), run.clone());
        let record = move || change(&path, &patience, |database| runs::record(database, &run));
        run_blocking(record).await
    }

    async fn runs(&mut self, at_most: usize) -> Result<Vec<RunRecord>> {
        let path = self.path.clone();
        run_blocking(move || read(&path, |database| runs::runs(database, at_most))).await
    }
}

#[async_trait]
impl DeleteByKey for SqliteDestination {
    async fn delete(&mut self, stream: &StreamName, keys: Vec<JsonObject>) -> Result<u64> {
        let (path, patience) = (self.path.clone(), self.patience.clone());
        let stream = stream.clone();
        let delete = move || {
            change(&path, &patience, |database| {
                deletion::delete(database, stream.as_str(), &keys)
            })
            .map_err(|error| error.with_context("stream", &stream))
        };
        run_blocking(delete).await
    }
}

#[async_trait]
impl OpenRowReader for SqliteDestination {
    async fn open_rows(&mut self, stream: &StreamName, open: &OpenRows) -> Result<Vec<Vec<Value>>> {
        let (path, patience) = (self.path.clone(), self.patience.clone());
        let (stream, open) = (stream.clone(), open.clone());
        let find = move || {
            let missing = read(&path, |database| {
                Ok(row_reader::missing_index(database, stream.as_str(), &open)?)
            })?;
            if let Some(create) = missing {
                change(&path, &patience, |database| {
                    Ok(database.execute_batch(&create)?)
                })?;
            }
            read(&path, |database| {
                Ok(row_reader::open_rows(database, stream.as_str(), &open)?)
            })
            .map_err(|error| error.with_context("stream", &stream))
        };
        run_blocking(find).await
    }
}

/// Changes the database in one transaction. Creates it if it does not exist.
fn change<T>(
    path: &Path,
    patience: &Patience,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T> {
    let database = database::open(path)?;
    let change = || {
        patience.wait_for(|| database.execute_batch("BEGIN IMMEDIATE"))?;
        bookkeeping::prepare(&database, patience.observer())?;
        let result = work(&database)?;
        patience.wait_for(|| database.execute_batch("COMMIT"))?;
        Ok(result)
    };
    change().map_err(|failure: Failure| failure.at(path))
}

/// Reads the database. The result is empty if no sync has written yet.
fn read<T: Default>(
    path: &Path,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T> {
    if !path.exists() {
        return Ok(T::default());
    }
    let database = database::open_to_read(path)?;
    work(&database).map_err(|failure| failure.at(path))
}
