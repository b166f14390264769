//! A sync in progress: the open database, its tables, and the transaction between commits.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use connector_core::{
    Outcome, Record, Result, State, StreamName, StreamPlan, WriteMode, WritePlan,
};
use rusqlite::Connection;

use crate::error::{self, Failure};
use crate::layout::Layout;
use crate::state::{Place, Stored};
use crate::table::Table;
use crate::{database, overwrite, state};

/// Writes records. Dropped, it rolls back what was not committed.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Connection,
    path: PathBuf,
    sync: String,
    tables: HashMap<StreamName, Table>,
    /// What is stored, as this run read or wrote it last.
    stored: Stored,
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
            stored: Stored::default(),
        };
        writer.begin()?;
        writer.told(database::prepare(&writer.database))?;
        writer.stored = writer.told(Stored::read(&writer.database, &writer.sync))?;
        for stream in &plan.streams {
            writer.prepare(stream)?;
        }
        writer.stored = writer.told(Stored::read(&writer.database, &writer.sync))?;
        writer.end()?;
        // Not before: a database that is refused above is left exactly as it was.
        writer.told(database::let_others_read(&writer.database))?;
        let state = writer.at(writer.stored.latest(&writer.sync))?;
        Ok((writer, state))
    }

    /// Prepares the table of another stream, or one whose schema has grown.
    pub(crate) fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        self.begin()?;
        self.prepare(stream)?;
        self.stored = self.told(Stored::read(&self.database, &self.sync))?;
        Ok(())
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
            self.told(self.save(state))?;
            self.stored = self.told(Stored::read(&self.database, &self.sync))?;
        }
        self.end()
    }

    /// Puts the tables that were overwritten in their places, and with them the state.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.told(overwrite::free_to_replace(&self.database, true))?;
        self.begin()?;
        self.at(self.replace_all())?;
        self.stored = self.told(Stored::read(&self.database, &self.sync))?;
        self.end()?;
        self.told(overwrite::free_to_replace(&self.database, false))
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        let Some(table) = self.tables.get_mut(&record.stream) else {
            let reason = "its stream is not among those that the sync was started with";
            return Ok(Outcome::Rejected(reason.to_owned()));
        };
        let put = match record.removal_reason() {
            None => table.put(&self.database, &record.data),
            Some(reason) => table.mark_removed(&self.database, &record.data, reason),
        };
        put.map_err(|error| error::of_database(error, &self.path))
            .map_err(|error| error.with_context("stream", &record.stream))
    }

    fn prepare(&mut self, stream: &StreamPlan) -> Result<()> {
        let name = &stream.stream.name;
        let layout = self.at(self.layout(stream));
        let layout = layout.map_err(|error| error.with_context("stream", name))?;
        self.tables.insert(name.clone(), Table::new(layout));
        Ok(())
    }

    /// The layout of the table that the records of a stream go into.
    fn layout(&self, plan: &StreamPlan) -> Result<Layout, Failure> {
        let (database, sync, stream) = (&self.database, &self.sync, &plan.stream);
        let key = match plan.mode {
            WriteMode::Append => &[],
            _ => stream.primary_key.as_slice(),
        };
        let layout = Layout::prepare(database, stream, key)?;
        if plan.mode != WriteMode::Overwrite {
            self.abandon(layout.table())?;
            return Ok(layout);
        }
        let new = match overwrite::find(database, sync, layout.table())? {
            Some(new) if state::covers(database, sync, layout.table())? => new,
            _ => self.begin_overwrite(&layout)?,
        };
        Layout::prepare_table(database, &new, stream, key)
    }

    /// An empty table is covered by no state, so all of the stream is read.
    fn begin_overwrite(&self, layout: &Layout) -> Result<String, Failure> {
        overwrite::drop_new(&self.database, &self.sync, layout.table())?;
        state::uncover(&self.database, &self.sync, layout.table())?;
        overwrite::begin(&self.database, &self.sync, layout)
    }

    /// Gives up what an earlier run has written of a stream that was to be overwritten.
    fn abandon(&self, table: &str) -> Result<(), Failure> {
        if overwrite::drop_new(&self.database, &self.sync, table)? {
            state::revert(&self.database, &self.sync, table)?;
        }
        if overwrite::all(&self.database, &self.sync)?.is_empty() {
            state::settle(&self.database, &self.sync)?;
        }
        Ok(())
    }

    fn save(&self, state: &str) -> rusqlite::Result<()> {
        let is_overwriting = !overwrite::all(&self.database, &self.sync)?.is_empty();
        let place = if is_overwriting {
            Place::Pending
        } else {
            Place::Committed
        };
        state::save(&self.database, &self.sync, state, place)
    }

    fn replace_all(&self) -> Result<(), Failure> {
        for table in overwrite::all(&self.database, &self.sync)? {
            if self.tables.contains_key(table.as_str()) {
                overwrite::replace(&self.database, &self.sync, &table)?;
            } else {
                self.abandon(&table)?;
            }
        }
        Ok(state::settle(&self.database, &self.sync)?)
    }

    /// Begins a transaction, unless another run has committed since this one read the state.
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

    fn at<T>(&self, result: Result<T, Failure>) -> Result<T> {
        result.map_err(|failure| failure.at(&self.path))
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
        let plan = WritePlan::new("test", []);
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
