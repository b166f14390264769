//! The embedded warehouse: an `SQLite` database file as a destination, and any database as a source.
//!
//! Nothing needs to be installed, because the database engine is compiled in. Each stream becomes a
//! table, each top-level field a column. Plain SQL reads it at any time, also while a sync writes:
//!
//! ```sql
//! select state, count(*) from builds group by 1;
//! select count(*) from builds where _gone is null;
//! select json_extract(agent, '$.hostname'), count(*) from jobs group by 1;
//! ```
//!
//! What is decided here:
//!
//! - **Values are kept, not converted.** A column whose schema says `string` and nothing else is
//!   declared `TEXT`. Every other column is declared without a type, because `SQLite` would turn
//!   the text `007` into the number 7 in an `INTEGER`, `REAL` or `BOOLEAN` column. Whole numbers
//!   within 64 bits are integers. Fractions that a double holds to the last digit are reals. All
//!   other numbers are stored as the text of the number. Booleans are 0 and 1. Objects and arrays
//!   are their JSON text as received. In a `TEXT` column a number or boolean is the text that JSON
//!   writes for it.
//! - **A record is a row.** In the mode `upsert` a record replaces the row with its primary key,
//!   and fields that it lacks become `NULL`. In the mode `append` rows are only added. The last
//!   value of a repeated field counts.
//! - **Overwriting is atomic.** In the mode `overwrite`, records go into a new table. Readers see
//!   the old rows and their state until the sync ends. Then the new table replaces the old one, with
//!   the indexes and triggers that a user added. A sync that was interrupted resumes. A host that
//!   commits without a state starts over instead.
//! - **Removed rows stay.** A table with a primary key has a column `_gone`. It is `NULL` while the
//!   source has the row. Otherwise it holds the reason, in a word of the source's (`aged_out`). All
//!   other columns keep their last values. A record that returns sets it to `NULL`. A field called
//!   `_gone` is stored in the column `_gone_2`.
//! - **Tables follow the data.** A new field, in the schema or in a record, becomes a new column.
//!   Fields that differ only by case, which `SQLite` ignores, get separate columns: `id` and `ID_2`.
//!   `_sync_columns` lists which field is in which column.
//! - **Records and state are committed together.** Between commits, records wait outside the
//!   database, and other programs can write to it. A commit stores them and the state (in
//!   `_sync_state`) in one short transaction. It survives a loss of power (`synchronous=FULL`).
//!   Another program's lock is waited for up to 15 minutes.
//! - **One run at a time.** A run locks a file beside the database, which names its holder. Each
//!   commit also checks that no other run has committed a state since.
//! - **Only its own tables are changed.** A table that another program made is an error. What a
//!   user adds to a table stays: columns, indexes, triggers. A record that they reject is rejected.
//! - **The layout has a version** (`PRAGMA user_version`). Databases of earlier versions are
//!   upgraded, newer ones are refused.
//! - **The history of runs** is in the table `_runs`.
//! - **A new database file gets the permissions of the umask**, like any other file. It may hold
//!   confidential data.
//! - **A source is one query**, see [`SqliteSource`].
//! - **The destination can be read back** to compare it with the source, see [`SqliteReplica`].
//!
//! Database calls block. They run on tokio's threads for blocking calls or, without a tokio runtime,
//! on the calling thread.

mod bookkeeping;
mod config;
mod database;
mod destination;
mod error;
mod layout;
mod patience;
mod replica;
mod source;
mod sql;
mod thread;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Capabilities, Connector, Destination, DestinationRole, FlagSetting, Identity, Replica,
    ReplicaRole, Result, SettingsSchema, Setup, Source, SourceRole,
};

pub use config::Config;
pub use destination::SqliteDestination;
pub use replica::SqliteReplica;
pub use source::SqliteSource;

/// The connector `sqlite`: a destination that can be read back, and a source of one query.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sqlite;

impl Connector for Sqlite {
    fn identity(&self) -> Identity {
        Identity::new("sqlite", "SQLite", env!("CARGO_PKG_VERSION"))
            .with_documentation("https://www.sqlite.org/docs.html")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }

    fn replica(&self) -> Option<&dyn ReplicaRole> {
        Some(self)
    }
}

#[async_trait]
impl SourceRole for Sqlite {
    fn settings(&self) -> SettingsSchema {
        let query = FlagSetting::new(
            "query",
            "query",
            "SELECT",
            "Query whose rows are read, each column a field",
        );
        Config::source_settings().with_flag(query)
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        Config::parse_source(setup.configuration.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let config = Config::parse_source(setup.configuration)?;
        Ok(Arc::new(SqliteSource::new(config)))
    }
}

#[async_trait]
impl DestinationRole for Sqlite {
    fn settings(&self) -> SettingsSchema {
        Config::destination_settings()
    }

    fn capabilities(&self) -> Capabilities {
        destination::capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        Config::parse_destination(setup.configuration.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let config = Config::parse_destination(setup.configuration)?;
        let destination = SqliteDestination::new(config, setup.observer, setup.stop);
        Ok(Box::new(destination))
    }
}

#[async_trait]
impl ReplicaRole for Sqlite {
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        let config = Config::parse(setup.configuration)?;
        Ok(Arc::new(SqliteReplica::open(config).await?))
    }
}
