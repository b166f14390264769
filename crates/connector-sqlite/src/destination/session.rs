//! The open database of a sync, and its transactions.

use std::path::PathBuf;

use connector_core::{Error, ErrorKind, Result, State};
use rusqlite::Connection;

use crate::bookkeeping::states::StoredStates;
use crate::error::Failure;
use crate::patience::{self, Patience};
use crate::{bookkeeping, database};

/// A connection that belongs to one sync.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) database: Connection,
    pub(crate) sync: String,
    path: PathBuf,
    patience: Patience,
    /// The states that this run read or wrote last.
    stored: StoredStates,
    /// The version of the schema that this run read or wrote last.
    schema: i64,
}

impl Session {
    /// Opens or creates the database, and begins a transaction.
    pub(crate) fn begin_first(path: PathBuf, sync: &str, patience: Patience) -> Result<Self> {
        let mut session = Self {
            database: database::open(&path)?,
            sync: sync.to_owned(),
            path,
            patience,
            stored: StoredStates::default(),
            schema: 0,
        };
        session.lock()?;
        session.with_path(bookkeeping::prepare(
            &session.database,
            session.patience.observer(),
        ))?;
        session.remember()?;
        Ok(session)
    }

    /// Begins a transaction. True if the schema has changed since the last one.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another run has committed a state. This run started from an
    /// older state, and its records may be older too.
    pub(crate) fn begin(&self) -> Result<bool> {
        self.lock()?;
        let stored = self.with_path(StoredStates::read(&self.database, &self.sync))?;
        if stored != self.stored {
            let message = "another run of this sync has committed since this one began; nothing \
                           more was written. Let the other run end, then sync again";
            let error = Error::new(ErrorKind::Conflict, message);
            return Err(error.with_context("path", self.path.display()));
        }
        let schema = self.with_path(database::schema_version(&self.database))?;
        Ok(schema != self.schema)
    }

    /// Commits the transaction.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.remember()?;
        let commit = || self.database.execute_batch("COMMIT");
        self.with_path(self.patience.wait_for(commit))
    }

    /// Rolls the transaction back.
    pub(crate) fn roll_back(&self) -> Result<()> {
        self.with_path(self.database.execute_batch("ROLLBACK"))
    }

    /// Whether the transaction has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.database.is_autocommit()
    }

    /// Lets others read while this sync writes, unless somebody is using the database now. Must
    /// not be called in a transaction.
    pub(crate) fn let_others_read(&self) -> Result<()> {
        match database::let_others_read(&self.database) {
            Err(error) if patience::is_locked(&error) => Ok(()),
            result => self.with_path(result),
        }
    }

    /// The state to resume from.
    pub(crate) fn latest(&self) -> Result<Option<State>> {
        self.with_path(self.stored.latest(&self.sync))
    }

    /// Adds the path of the database to a failure.
    pub(crate) fn with_path<T>(&self, result: Result<T, impl Into<Failure>>) -> Result<T> {
        result.map_err(|failure| failure.into().at(&self.path))
    }

    fn lock(&self) -> Result<()> {
        let begin = || self.database.execute_batch("BEGIN IMMEDIATE");
        self.with_path(self.patience.wait_for(begin))
    }

    /// Called in a transaction, where nobody else can change what is read.
    fn remember(&mut self) -> Result<()> {
        self.stored = self.with_path(StoredStates::read(&self.database, &self.sync))?;
        self.schema = self.with_path(database::schema_version(&self.database))?;
        Ok(())
    }
}
