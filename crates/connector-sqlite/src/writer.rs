//! A sync in progress: the open database, its tables, and the transaction between commits.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use connector_core::{Outcome, Record, Result, State, Stream, StreamName, WritePlan};
use rusqlite::Connection;

use crate::table::Table;
use crate::{database, error};

/// Writes records. Dropped, it rolls back what was not committed.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Connection,
    path: PathBuf,
    sync: String,
    tables: HashMap<StreamName, Table>,
}

impl Writer {
    /// Opens the database and prepares the tables of the plan, all of them or none.
    pub(crate) fn start(
        path: PathBuf,
        plan: &WritePlan,
        patience: Duration,
    ) -> Result<(Self, Option<State>)> {
        let mut writer = Self {
            database: database::open(&path, patience)?,
            path,
            sync: plan.sync.clone(),
            tables: HashMap::new(),
        };
        writer.begin()?;
        writer.told(database::prepare(&writer.database))?;
        let state = database::state(&writer.database, &plan.sync, &writer.path)?;
        for stream in &plan.streams {
            let table = writer.table(stream)?;
            writer.tables.insert(stream.name.clone(), table);
        }
        writer.end()?;
        // Not before: a database that is refused above is left exactly as it was.
        writer.told(database::let_others_read(&writer.database))?;
        Ok((writer, state))
    }

    /// Writes a batch into the open transaction.
    pub(crate) fn write(&mut self, records: &[Record]) -> Result<Vec<Outcome>> {
        self.begin()?;
        records.iter().map(|record| self.put(record)).collect()
    }

    /// Ends the transaction, with the state in it.
    pub(crate) fn commit(&mut self, state: Option<&str>) -> Result<()> {
        if let Some(state) = state {
            self.begin()?;
            self.told(database::save_state(&self.database, &self.sync, state))?;
        }
        self.end()
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        let Some(table) = self.tables.get_mut(&record.stream) else {
            let reason = "its stream is not among those that the sync was started with";
            return Ok(Outcome::Rejected(reason.to_owned()));
        };
        let put = match &record.gone {
            None => table.put(&self.database, &record.data),
            Some(why) => table.mark_gone(&self.database, &record.data, why),
        };
        put.map_err(|error| error::of_database(error, &self.path))
            .map_err(|error| error.with_context("stream", &record.stream))
    }

    fn table(&self, stream: &Stream) -> Result<Table> {
        let prepared = Table::prepare(&self.database, stream);
        let prepared = prepared.map_err(|failure| failure.at(&self.path));
        prepared.map_err(|error| error.with_context("stream", &stream.name))
    }

    fn begin(&self) -> Result<()> {
        if !self.database.is_autocommit() {
            return Ok(());
        }
        self.told(self.database.execute_batch("BEGIN IMMEDIATE"))
    }

    fn end(&self) -> Result<()> {
        if self.database.is_autocommit() {
            return Ok(());
        }
        self.told(self.database.execute_batch("COMMIT"))
    }

    fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|error| error::of_database(error, &self.path))
    }
}

#[cfg(test)]
mod tests {
    use connector_core::{ErrorKind, Retry};

    use super::*;

    #[test]
    fn a_database_that_another_process_writes_to_can_be_tried_again_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let plan = WritePlan {
            sync: "test".to_owned(),
            streams: Vec::new(),
        };
        let start = || Writer::start(path.clone(), &plan, Duration::ZERO);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();

        let started = start().unwrap_err();
        let checked = database::check(&path, Duration::ZERO).unwrap_err();

        for error in [started, checked] {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(error.retry(), Retry::Backoff);
            assert!(error.to_string().contains("another process"), "{error}");
        }
        other.execute_batch("ROLLBACK").unwrap();
        assert!(start().is_ok());
    }
}
