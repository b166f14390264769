//! The open database of a sync, and its transactions.

use std::path::PathBuf;

use connector_core::{Error, ErrorKind, Result, State};
use rusqlite::Connection;

use crate::error::{self, Failure};
use crate::patience::Patience;
use crate::state::Stored;
use crate::{database, upgrade};

/// A connection that belongs to one sync.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) database: Connection,
    pub(crate) sync: String,
    path: PathBuf,
    patience: Patience,
    /// The states as this run read or wrote them last.
    stored: Stored,
    /// The version of the schema when this run read or wrote it last.
    schema: i64,
}

impl Session {
    /// Opens the database, or makes it, and begins a transaction.
    pub(crate) fn begin_first(path: PathBuf, sync: &str, patience: Patience) -> Result<Self> {
        let mut session = Self {
            database: database::open(&path)?,
            sync: sync.to_owned(),
            path,
            patience,
            stored: Stored::default(),
            schema: 0,
        };
        session.lock()?;
        session.at(upgrade::prepare(
            &session.database,
            session.patience.observer(),
        ))?;
        session.look()?;
        Ok(session)
    }

    /// Begins a transaction. True if somebody has changed the schema since the last one.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another run has committed a state: what this one read from its
    /// source does not follow from it.
    pub(crate) fn begin(&self) -> Result<bool> {
        self.lock()?;
        let stored = self.told(Stored::read(&self.database, &self.sync))?;
        if stored != self.stored {
            let message = "another run of this sync has written to the database since this one \
                           began; nothing more was written: let one of them end, then sync again";
            let error = Error::new(ErrorKind::Conflict, message);
            return Err(error.with_context("path", self.path.display()));
        }
        let schema = self.told(database::schema_version(&self.database))?;
        Ok(schema != self.schema)
    }

    /// Ends the transaction: what was done in it is there.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.look()?;
        let commit = || self.database.execute_batch("COMMIT");
        self.told(self.patience.wait_for(commit))
    }

    /// Ends the transaction: nothing was done in it.
    pub(crate) fn roll_back(&self) -> Result<()> {
        self.told(self.database.execute_batch("ROLLBACK"))
    }

    /// Whether no transaction is under way.
    pub(crate) fn is_over(&self) -> bool {
        self.database.is_autocommit()
    }

    /// Lets others read while this sync writes. Not in a transaction.
    pub(crate) fn let_others_read(&self) -> Result<()> {
        let let_read = || database::let_others_read(&self.database);
        self.told(self.patience.wait_for(let_read))
    }

    /// The state to resume from.
    pub(crate) fn latest(&self) -> Result<Option<State>> {
        self.at(self.stored.latest(&self.sync))
    }

    /// The failure as those see it who use the database.
    pub(crate) fn at<T>(&self, result: Result<T, Failure>) -> Result<T> {
        result.map_err(|failure| failure.at(&self.path))
    }

    /// As [`at`](Self::at), of a failure of the database.
    pub(crate) fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|error| error::of_database(error, &self.path))
    }

    fn lock(&self) -> Result<()> {
        let begin = || self.database.execute_batch("BEGIN IMMEDIATE");
        self.told(self.patience.wait_for(begin))
    }

    /// In a transaction: nobody else can change what is seen.
    fn look(&mut self) -> Result<()> {
        self.stored = self.told(Stored::read(&self.database, &self.sync))?;
        self.schema = self.told(database::schema_version(&self.database))?;
        Ok(())
    }
}
