//! Records that were written since the last commit.
//!
//! They wait outside the database file, so that other programs can write to it. Some wait in
//! memory. Once there are many, they move into a temporary table.

use std::collections::BTreeMap;

use connector_core::{JsonObject, Record};
use rusqlite::{Connection, Row as Found, params};

use crate::error::Failure;
use crate::layout::row::Row;

/// The most bytes of records in memory. The runner commits after 32 MiB, so only hosts that commit
/// later need the temporary table.
const MOST_IN_MEMORY: usize = 40 << 20;

/// Records in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// The newest, in memory.
    rows: Vec<(Record, Row)>,
    bytes: usize,
    /// Whether the temporary table holds older ones.
    has_spilled: bool,
}

impl Pending {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.has_spilled
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: Record, row: Row) {
        self.bytes += record.data.as_str().len();
        self.rows.push((record, row));
    }

    /// Those in memory.
    pub(crate) fn rows(&self) -> &[(Record, Row)] {
        &self.rows
    }

    /// Those in memory, for changes.
    pub(crate) fn rows_mut(&mut self) -> &mut [(Record, Row)] {
        &mut self.rows
    }

    /// Removes those in memory whose indexes are in `refused`.
    pub(crate) fn remove_all<T>(&mut self, refused: &BTreeMap<usize, T>) {
        let mut index = 0..;
        self.rows.retain(|(record, _)| {
            let is_refused = index.next().is_some_and(|at| refused.contains_key(&at));
            if is_refused {
                self.bytes -= record.data.as_str().len();
            }
            !is_refused
        });
    }

    /// Moves those in memory into the temporary table if there are many.
    pub(crate) fn spill_if_many(&mut self, database: &Connection) -> rusqlite::Result<()> {
        if self.bytes < MOST_IN_MEMORY {
            return Ok(());
        }
        // This transaction locks nothing but the temporary table.
        database.execute_batch(
            "BEGIN; CREATE TEMP TABLE IF NOT EXISTS _sync_pending \
             (number INTEGER PRIMARY KEY, stream TEXT, removed TEXT, data TEXT)",
        )?;
        let insert = "INSERT INTO temp._sync_pending (stream, removed, data) VALUES (?1, ?2, ?3)";
        let mut statement = database.prepare_cached(insert)?;
        for (record, _) in &self.rows {
            let stream = record.stream.as_str();
            statement.execute(params![
                stream,
                record.removal_reason(),
                record.data.as_str()
            ])?;
        }
        database.execute_batch("COMMIT")?;
        self.rows.clear();
        self.bytes = 0;
        self.has_spilled = true;
        Ok(())
    }

    /// Passes those in the temporary table to `take`.
    pub(crate) fn for_each_spilled(
        &self,
        database: &Connection,
        mut take: impl FnMut(Record) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !self.has_spilled {
            return Ok(());
        }
        let select = "SELECT stream, removed, data FROM temp._sync_pending ORDER BY number";
        let mut statement = database.prepare_cached(select)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            take(record(row)?)?;
        }
        Ok(())
    }

    /// Removes all of them. Called in the transaction that stored them.
    pub(crate) fn clear(&mut self, database: &Connection) -> rusqlite::Result<()> {
        if self.has_spilled {
            database.execute_batch("DELETE FROM temp._sync_pending")?;
        }
        *self = Self::default();
        Ok(())
    }
}

fn record(row: &Found<'_>) -> Result<Record, Failure> {
    let (stream, removed): (String, Option<String>) = (row.get(0)?, row.get(1)?);
    let data = JsonObject::parse(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?);
    let (stream, data) = (stream.into(), data.map_err(Failure::Reported)?);
    Ok(match removed {
        Some(reason) => Record::removed(stream, data, reason),
        None => Record::new(stream, data),
    })
}
