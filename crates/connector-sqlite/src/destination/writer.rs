//! A sync in progress: its tables, and the records that wait for the next commit.
//!
//! No transaction waits for the source. Each ends before the call returns that began it, so other
//! programs can write to the database between calls.

use std::collections::BTreeMap;
use std::path::PathBuf;

use connector_core::{
    Error, ErrorKind, Outcome, Record, Result, State, StreamPlan, WriteMode, WritePlan,
};

use super::pending::Pending;
use super::session::Session;
use super::table::Table;
use super::table_set::TableSet;
use crate::bookkeeping::overwrites;
use crate::error::Failure;
use crate::layout;
use crate::layout::row::Row;
use crate::patience::Patience;

/// The most earlier records that are tried with a batch, see [`Writer::rejections`].
const TRIED_AGAIN: usize = 10_000;

/// Writes records. Those that were not committed are lost when it is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    session: Session,
    tables: TableSet,
    pending: Pending,
}

impl Writer {
    /// Opens the database and prepares the tables of the plan, all of them or none.
    pub(crate) fn start(
        path: PathBuf,
        plan: &WritePlan,
        patience: Patience,
    ) -> Result<(Self, Option<State>)> {
        let mut writer = Self {
            session: Session::begin_first(path, &plan.sync, patience)?,
            tables: TableSet::default(),
            pending: Pending::default(),
        };
        for stream in &plan.streams {
            writer.prepare(stream)?;
        }
        writer.session.commit()?;
        // Only now, because a database that is refused must stay exactly as it was.
        writer.session.let_others_read()?;
        let state = writer.session.latest()?;
        Ok((writer, state))
    }

    /// Prepares the table of another stream, or of a stream whose schema has grown.
    pub(crate) fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        self.begin()?;
        self.prepare(stream)?;
        self.parse_again()?;
        self.session.commit()
    }

    /// Accepts a batch, to be stored at the next commit.
    pub(crate) fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let before = self.pending.rows().len();
        let mut is_guarded = false;
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            outcomes.push(match self.tables.row(&record) {
                Ok(row) => {
                    is_guarded |= self.tables.is_guarded(&record.stream);
                    self.pending.push(record, row);
                    Outcome::Accepted
                }
                Err(reason) => Outcome::Rejected(reason),
            });
        }
        if is_guarded {
            self.reject(before, &mut outcomes)?;
        }
        let spilled = self.pending.spill_if_many(&self.session.database);
        self.session.with_path(spilled)?;
        Ok(outcomes)
    }

    /// Stores the pending records and the state in one transaction.
    pub(crate) fn commit(&mut self, state: Option<&str>) -> Result<()> {
        if state.is_none() && self.pending.is_empty() {
            return Ok(());
        }
        self.begin()?;
        self.store_pending()?;
        if let Some(state) = state {
            self.save_state(state)?;
        }
        self.session.commit()?;
        self.tables.has_committed();
        Ok(())
    }

    /// Replaces the tables of streams that were overwritten, and commits their state.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.free_to_replace(true)?;
        self.begin()?;
        let (database, sync) = (&self.session.database, &self.session.sync);
        let finished = overwrites::finish(database, sync, |table| self.tables.contains(table));
        self.session.with_path(finished)?;
        self.session.commit()?;
        self.free_to_replace(false)
    }

    fn free_to_replace(&self, is_free: bool) -> Result<()> {
        let freed = overwrites::free_to_replace(&self.session.database, is_free);
        self.session.with_path(freed)
    }

    fn save_state(&self, state: &str) -> Result<()> {
        let (database, sync) = (&self.session.database, &self.session.sync);
        let is_written = |table: &str| self.tables.contains(table);
        let saved = overwrites::save_state(database, sync, state, is_written);
        self.session.with_path(saved)
    }

    fn begin(&mut self) -> Result<()> {
        if !self.session.begin()? {
            return Ok(());
        }
        let reloaded = self.tables.reload(&self.session.database);
        self.session.with_path(reloaded)?;
        self.parse_again()
    }

    /// Parses pending records again, because tables have other columns than before.
    fn parse_again(&mut self) -> Result<()> {
        for (record, row) in self.pending.rows_mut() {
            let parsed = self.tables.row(record);
            *row = parsed.map_err(|reason| changed(record, &reason))?;
        }
        Ok(())
    }

    fn prepare(&mut self, plan: &StreamPlan) -> Result<()> {
        let table = self.session.with_path(self.table(plan));
        let table = table.map_err(|error| error.with_context("stream", &plan.stream.name))?;
        self.tables.insert(&plan.stream.name, table);
        Ok(())
    }

    /// The table that the records of a stream are stored in.
    fn table(&self, plan: &StreamPlan) -> Result<Table, Failure> {
        let (database, sync) = (&self.session.database, &self.session.sync);
        let (stream, name) = (&plan.stream, plan.stream.name.as_str());
        let key = match plan.mode {
            WriteMode::Append => &[],
            _ => stream.primary_key.as_slice(),
        };
        layout::check_name(name)?;
        let table = Table::prepare(database, name, stream, key)?;
        if plan.mode != WriteMode::Overwrite {
            overwrites::abandon(database, sync, name)?;
            return Ok(table);
        }
        let new = overwrites::resume_or_begin(database, sync, name)?;
        Table::prepare(database, &new, stream, key)
    }

    fn store_pending(&mut self) -> Result<()> {
        let Self {
            session,
            tables,
            pending,
        } = self;
        let database = &session.database;
        session.with_path(tables.create_columns(database))?;
        let spilled = pending.for_each_spilled(database, |record| {
            let row = tables.row(&record);
            let row = row.map_err(|reason| Failure::Reported(changed(&record, &reason)))?;
            store(tables, session, &record, &row).map_err(Failure::Reported)
        });
        session.with_path(spilled)?;
        for (record, row) in pending.rows() {
            store(tables, session, record, row)?;
        }
        session.with_path(pending.clear(database))
    }

    /// Rejects the pending records from the index `from` on that something a user added to a
    /// table rejects.
    fn reject(&mut self, from: usize, outcomes: &mut [Outcome]) -> Result<()> {
        let rejected = self.rejections(from)?;
        let accepted = outcomes.iter_mut().filter(|it| **it == Outcome::Accepted);
        for (index, outcome) in (from..).zip(accepted) {
            if let Some(reason) = rejected.get(&index) {
                *outcome = Outcome::Rejected((*reason).to_owned());
            }
        }
        self.pending.remove_all(&rejected);
        Ok(())
    }

    /// Index and reason of each pending record from `from` on that is rejected.
    ///
    /// Only storing a record shows that, so records are stored and rolled back. Whether a record
    /// is rejected may depend on earlier ones, so the newest of these are stored too.
    fn rejections(&mut self, from: usize) -> Result<BTreeMap<usize, &'static str>> {
        let mut rejected = BTreeMap::new();
        while !self.try_to_store(from, &mut rejected)? {}
        Ok(rejected.split_off(&from))
    }

    /// False if a trigger has rolled back the whole transaction. Then it must be tried again
    /// without the records rejected so far.
    fn try_to_store(
        &mut self,
        from: usize,
        rejected: &mut BTreeMap<usize, &'static str>,
    ) -> Result<bool> {
        self.begin()?;
        let (session, tables) = (&self.session, &self.tables);
        session.with_path(tables.create_columns(&session.database))?;
        let rows = self.pending.rows().iter().enumerate();
        for (index, (record, row)) in rows.skip(from.saturating_sub(TRIED_AGAIN)) {
            if rejected.contains_key(&index) {
                continue;
            }
            let stored = session.with_path(tables.store(&session.database, record, row));
            let stored = stored.map_err(|error| error.with_context("stream", &record.stream))?;
            if let Some(reason) = stored {
                rejected.insert(index, reason);
                if session.has_ended() {
                    return Ok(false);
                }
            }
        }
        session.roll_back()?;
        Ok(true)
    }
}

fn store(tables: &TableSet, session: &Session, record: &Record, row: &Row) -> Result<()> {
    let stored = session.with_path(tables.store(&session.database, record, row));
    match stored.map_err(|error| error.with_context("stream", &record.stream))? {
        None => Ok(()),
        Some(reason) => Err(changed(record, reason)),
    }
}

/// The error of a record that was accepted and can no longer be stored.
fn changed(record: &Record, reason: &str) -> Error {
    let message = format!(
        "the table was changed while the sync ran, and now a record is rejected: {reason}. Sync \
         again"
    );
    Error::new(ErrorKind::Conflict, message).with_context("stream", &record.stream)
}
