//! A sync in progress: its tables, and what waits for the next commit.
//!
//! No transaction waits for the source: each is over when the call returns that began it. Until
//! then nobody else can write to the database.

use std::collections::BTreeMap;
use std::path::PathBuf;

use connector_core::{
    Error, ErrorKind, Outcome, Record, Result, State, StreamPlan, WriteMode, WritePlan,
};

use crate::error::Failure;
use crate::layout;
use crate::overwrite;
use crate::patience::Patience;
use crate::pending::Pending;
use crate::row::Row;
use crate::session::Session;
use crate::table::Table;
use crate::tables::Tables;

/// Records before a batch that are tried with it, see [`Writer::refused`].
const TRIED_AGAIN: usize = 10_000;

/// Writes records. Dropped, what was not committed is nowhere.
#[derive(Debug)]
pub(crate) struct Writer {
    session: Session,
    tables: Tables,
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
            tables: Tables::default(),
            pending: Pending::default(),
        };
        for stream in &plan.streams {
            writer.prepare(stream)?;
        }
        writer.session.commit()?;
        // Not before: a database that is refused above is left exactly as it was.
        writer.session.let_others_read()?;
        let state = writer.session.latest()?;
        Ok((writer, state))
    }

    /// Prepares the table of another stream, or one whose schema has grown.
    pub(crate) fn add(&mut self, stream: &StreamPlan) -> Result<()> {
        self.begin()?;
        self.prepare(stream)?;
        self.take_apart_again()?;
        self.session.commit()
    }

    /// Takes a batch, to be stored at the next commit.
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
            self.refuse(before, &mut outcomes)?;
        }
        let Session { database, .. } = &self.session;
        self.session.told(self.pending.spill_if_many(database))?;
        Ok(outcomes)
    }

    /// Stores what waits, and the state, in one transaction.
    pub(crate) fn commit(&mut self, state: Option<&str>) -> Result<()> {
        if state.is_none() && self.pending.is_empty() {
            return Ok(());
        }
        self.begin()?;
        self.store_pending()?;
        if let Some(state) = state {
            let saved = overwrite::save_state(&self.session.database, &self.session.sync, state);
            self.session.told(saved)?;
        }
        self.session.commit()?;
        self.tables.has_committed();
        Ok(())
    }

    /// Puts the tables that were overwritten in their places, and with them the state.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let free = |is_free| overwrite::free_to_replace(&self.session.database, is_free);
        self.session.told(free(true))?;
        self.begin()?;
        let (database, sync) = (&self.session.database, &self.session.sync);
        let finished = overwrite::finish(database, sync, |table| self.tables.contains(table));
        self.session.at(finished)?;
        self.session.commit()?;
        let free = |is_free| overwrite::free_to_replace(&self.session.database, is_free);
        self.session.told(free(false))
    }

    fn begin(&mut self) -> Result<()> {
        if self.session.begin()? {
            self.session
                .at(self.tables.relearn(&self.session.database))?;
            self.take_apart_again()?;
        }
        Ok(())
    }

    /// Tables have other columns than before, and so have the rows that wait.
    fn take_apart_again(&mut self) -> Result<()> {
        for (record, row) in self.pending.rows_mut() {
            *row = self
                .tables
                .row(record)
                .map_err(|reason| changed(record, &reason))?;
        }
        Ok(())
    }

    fn prepare(&mut self, plan: &StreamPlan) -> Result<()> {
        let table = self.session.at(self.table(plan));
        let table = table.map_err(|error| error.with_context("stream", &plan.stream.name))?;
        self.tables.insert(&plan.stream.name, table);
        Ok(())
    }

    /// The table that the records of a stream go into.
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
            overwrite::abandon(database, sync, name)?;
            return Ok(table);
        }
        let new = overwrite::resume_or_begin(database, sync, name)?;
        Table::prepare(database, &new, stream, key)
    }

    fn store_pending(&mut self) -> Result<()> {
        let Self {
            session,
            tables,
            pending,
        } = self;
        let database = &session.database;
        session.told(tables.make_columns(database))?;
        let spilled = pending.for_each_spilled(database, |record| {
            let row = tables.row(&record);
            let row = row.map_err(|reason| Failure::Told(changed(&record, &reason)))?;
            store(tables, session, &record, &row).map_err(Failure::Told)
        });
        session.at(spilled)?;
        for (record, row) in pending.rows() {
            store(tables, session, record, row)?;
        }
        session.told(pending.clear(database))
    }

    /// Of the records from the index `from` on that wait, those are rejected that something that
    /// somebody added to a table refuses.
    fn refuse(&mut self, from: usize, outcomes: &mut [Outcome]) -> Result<()> {
        let refused = self.refused(from)?;
        let accepted = outcomes.iter_mut().filter(|it| **it == Outcome::Accepted);
        for (index, outcome) in (from..).zip(accepted) {
            if let Some(reason) = refused.get(&index) {
                *outcome = Outcome::Rejected((*reason).to_owned());
            }
        }
        self.pending.remove_all(&refused);
        Ok(())
    }

    /// Index and reason of each record from `from` on that is refused.
    ///
    /// Only storing it tells, so all is stored and rolled back. Whether a record is refused may
    /// depend on those before it: of these, the newest are stored as well.
    fn refused(&mut self, from: usize) -> Result<BTreeMap<usize, &'static str>> {
        let mut refused = BTreeMap::new();
        while !self.try_to_store(from, &mut refused)? {}
        Ok(refused.split_off(&from))
    }

    /// False if it must be tried again, without those refused so far: a trigger has rolled back
    /// the whole transaction.
    fn try_to_store(
        &mut self,
        from: usize,
        refused: &mut BTreeMap<usize, &'static str>,
    ) -> Result<bool> {
        self.begin()?;
        let (session, tables) = (&self.session, &self.tables);
        session.told(tables.make_columns(&session.database))?;
        let rows = self.pending.rows().iter().enumerate();
        for (index, (record, row)) in rows.skip(from.saturating_sub(TRIED_AGAIN)) {
            if refused.contains_key(&index) {
                continue;
            }
            let stored = session.told(tables.store(&session.database, record, row));
            let stored = stored.map_err(|error| error.with_context("stream", &record.stream))?;
            if let Some(reason) = stored {
                refused.insert(index, reason);
                if session.is_over() {
                    return Ok(false);
                }
            }
        }
        session.roll_back()?;
        Ok(true)
    }
}

fn store(tables: &Tables, session: &Session, record: &Record, row: &Row) -> Result<()> {
    let stored = session.told(tables.store(&session.database, record, row));
    match stored.map_err(|error| error.with_context("stream", &record.stream))? {
        None => Ok(()),
        Some(reason) => Err(changed(record, reason)),
    }
}

/// A record that was accepted cannot be stored any more.
fn changed(record: &Record, reason: &str) -> Error {
    let message = format!(
        "the table was changed while the sync ran, and now a record is refused: {reason}; sync \
         again"
    );
    Error::new(ErrorKind::Conflict, message).with_context("stream", &record.stream)
}
