//! The embedded warehouse: an `SQLite` database file as a destination, and any as a source.
//!
//! Nothing needs to be installed; the database engine is compiled in. Each stream becomes a table
//! of its name, each top-level field a column, and plain SQL reads it at any time, also while a
//! sync writes:
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
//!   declared `TEXT`; every other column is declared without a type, because `SQLite` would turn
//!   the text `007` into the number 7 in an `INTEGER`, `REAL` or `BOOLEAN` column. Texts are
//!   texts. Whole numbers within 64 bits are integers, fractions that a double holds to the last
//!   digit are reals, all other numbers are the text of the number. Booleans are 0 and 1. Objects
//!   and arrays are their JSON text as received. In a `TEXT` column a number or boolean is the
//!   text that JSON writes for it.
//! - **A record is the row.** A record replaces the row with the same primary key; a field that
//!   it lacks becomes `NULL`. Of a field that it holds twice, the last counts. Streams without a
//!   primary key only grow.
//! - **What the source no longer has stays.** A table with a primary key has a column `_gone`: it
//!   is `NULL` while the source has the row, else it says why it no longer has, in a word of the
//!   source's (`aged_out`). All other columns stay as they came last. A record that comes again
//!   makes it `NULL` again. Databases from before get the column at the next sync. A field that
//!   is called `_gone` itself is in the column `_gone_2`; in a table that had that field before,
//!   it is the other way round. In `_sync_columns` the column stands without a field.
//! - **Tables follow the data.** A field that is new, in the schema or in a record, becomes a new
//!   column. Fields that differ only by case, which `SQLite` cannot tell apart, get columns of
//!   their own: `id` and `ID_2`, and so does a field `rowid`. Which field is in which column
//!   stands in `_sync_columns`.
//! - **Records and state are one transaction.** It is open from the first write after a commit to
//!   the next commit; the state is in `_sync_state`. A process that is killed, or a machine that
//!   loses power, loses what came after the last commit and nothing else (`synchronous=FULL`).
//! - **Only its own tables are touched.** A table that something else made is an error.
//! - **As a source it is one query**, whose rows are records: see [`SqliteSource`].
//! - **It can be read back**, to compare it with the source: see [`SqliteReplica`].
//!
//! Database calls block, so they run on tokio's threads for blocking work; outside of a tokio
//! runtime they run where they are called.

mod capabilities;
mod comparison;
mod config;
mod database;
mod deletion;
mod destination;
mod error;
mod history;
mod kept;
mod layout;
mod overwrite;
mod patience;
mod pending;
mod query;
mod registry;
mod replica;
mod row;
mod rows;
mod schema;
mod selection;
mod session;
mod source;
mod state;
mod table;
mod tables;
mod thread;
mod upgrade;
mod value;
mod writer;

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
