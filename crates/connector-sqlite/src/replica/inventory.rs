//! What a database holds in all.

use async_trait::async_trait;
use connector_core::{CopyInventory, Result, StoredStream, StoredSync};
use connector_local::run_blocking;
use rusqlite::{Connection, Row};

use super::SqliteReplica;
use crate::bookkeeping::{columns, states};
use crate::database;
use crate::error::Failure;
use crate::layout::Layout;
use crate::sql::quoted;

#[async_trait]
impl CopyInventory for SqliteReplica {
    async fn syncs(&self) -> Result<Vec<StoredSync>> {
        self.read(|database| Ok(states::syncs(database)?)).await
    }

    async fn streams(&self) -> Result<Vec<StoredStream>> {
        self.read(|database| {
            let tables = columns::tables(database)?.into_iter();
            tables.map(|table| counted(database, table)).collect()
        })
        .await
    }
}

impl SqliteReplica {
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let path = self.path.clone();
        run_blocking(move || {
            let database = database::open_to_read(&path)?;
            read(&database).map_err(|failure| failure.at(&path))
        })
        .await
    }
}

/// The rows of a table that this program made.
fn counted(database: &Connection, table: String) -> Result<StoredStream, Failure> {
    let layout = Layout::find(database, &table)?;
    let mark = layout.as_ref().and_then(Layout::mark);
    let marked = mark.map_or_else(|| "NULL".to_owned(), |mark| quoted(&mark.name));
    let count = format!("SELECT count(*), count({marked}) FROM {}", quoted(&table));
    let counts = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let (rows, removed) = database.query_row(&count, [], counts)?;
    Ok(StoredStream::new(
        table,
        rows.unsigned_abs(),
        removed.unsigned_abs(),
    ))
}
