//! The states of syncs.
//!
//! `_sync_state` holds the state that matches the rows readers see. While a sync overwrites
//! streams, its rows are in new tables, and its state is in `_sync_pending_state`.

use connector_core::{State, StoredSync};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns;
use crate::error::Failure;

/// Where a state is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Readers see the rows that it covers.
    Committed,
    /// New tables hold rows that it covers.
    Pending,
}

/// The text of a sync's state in both places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredStates {
    committed: Option<String>,
    pending: Option<String>,
}

impl Place {
    fn table(self) -> &'static str {
        match self {
            Self::Committed => "_sync_state",
            Self::Pending => "_sync_pending_state",
        }
    }
}

/// Creates both tables.
pub(crate) fn prepare(database: &Connection) -> rusqlite::Result<()> {
    for place in [Place::Committed, Place::Pending] {
        database.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {} (
  sync TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  updated_at TEXT NOT NULL
)",
            place.table()
        ))?;
    }
    Ok(())
}

impl StoredStates {
    /// What is stored for a sync.
    pub(crate) fn read(database: &Connection, sync: &str) -> rusqlite::Result<Self> {
        Ok(Self {
            committed: text(database, sync, Place::Committed)?,
            pending: text(database, sync, Place::Pending)?,
        })
    }

    /// The state to resume from.
    pub(crate) fn latest(&self, sync: &str) -> Result<Option<State>, Failure> {
        match &self.pending {
            Some(_) => self.parse(sync, Place::Pending),
            None => self.parse(sync, Place::Committed),
        }
    }

    /// The state that matches the rows readers see.
    pub(crate) fn committed(&self, sync: &str) -> Result<Option<State>, Failure> {
        self.parse(sync, Place::Committed)
    }

    fn parse(&self, sync: &str, place: Place) -> Result<Option<State>, Failure> {
        let text = match place {
            Place::Committed => &self.committed,
            Place::Pending => &self.pending,
        };
        let state = text.as_deref().map(State::parse).transpose();
        state.map_err(|error| {
            let error = error.with_context("table", place.table());
            Failure::Reported(error.with_context("sync", sync))
        })
    }
}

/// The text of a state. Databases of earlier versions have no pending states.
fn text(database: &Connection, sync: &str, place: Place) -> rusqlite::Result<Option<String>> {
    if place == Place::Pending && !columns::is_table(database, place.table())? {
        return Ok(None);
    }
    let select = format!("SELECT state FROM {} WHERE sync = ?1", place.table());
    let mut statement = database.prepare_cached(&select)?;
    let text = statement.query_row([sync], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            // Anything else is damage; parsing the empty text reports it.
            _ => String::new(),
        })
    });
    text.optional()
}

/// The syncs with a committed state, by name.
pub(crate) fn syncs(database: &Connection) -> rusqlite::Result<Vec<StoredSync>> {
    let table = Place::Committed.table();
    if !columns::is_table(database, table)? {
        return Ok(Vec::new());
    }
    let select = format!("SELECT sync, updated_at FROM {table} ORDER BY sync");
    let mut statement = database.prepare(&select)?;
    let syncs = statement.query_map([], |row| {
        Ok(StoredSync::new(row.get::<_, String>(0)?, row.get(1)?))
    })?;
    syncs.collect()
}

/// Stores the state of a sync.
pub(crate) fn save(
    database: &Connection,
    sync: &str,
    state: &str,
    place: Place,
) -> rusqlite::Result<()> {
    let upsert = format!(
        "INSERT INTO {} (sync, state, updated_at) \
         VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) \
         ON CONFLICT (sync) DO UPDATE \
         SET state = excluded.state, updated_at = excluded.updated_at",
        place.table()
    );
    let mut statement = database.prepare_cached(&upsert)?;
    statement.execute(params![sync, state]).map(|_| ())
}

/// Makes the pending state the committed one: the new tables have replaced the old ones.
pub(crate) fn settle(database: &Connection, sync: &str) -> rusqlite::Result<()> {
    if let Some(state) = text(database, sync, Place::Pending)? {
        save(database, sync, &state, Place::Committed)?;
        database.execute("DELETE FROM _sync_pending_state WHERE sync = ?1", [sync])?;
    }
    Ok(())
}

/// Removes the value of `stream` from the state to resume from.
pub(crate) fn uncover(database: &Connection, sync: &str, stream: &str) -> Result<(), Failure> {
    let Some(mut state) = StoredStates::read(database, sync)?.latest(sync)? else {
        return Ok(());
    };
    state.remove_stream(stream);
    save_pending(database, sync, &state)
}

/// Gives `stream` the value in the pending state that it has in the committed one.
pub(crate) fn revert(database: &Connection, sync: &str, stream: &str) -> Result<(), Failure> {
    let stored = StoredStates::read(database, sync)?;
    let Some(mut pending) = stored.parse(sync, Place::Pending)? else {
        return Ok(());
    };
    let form = |state: &State| (state.connector().to_owned(), state.version());
    let committed = stored.parse(sync, Place::Committed)?;
    let committed = committed.filter(|state| form(state) == form(&pending));
    match committed.as_ref().and_then(|state| state.stream(stream)) {
        Some(value) => pending.set_stream(stream.into(), value.clone()),
        None => pending.remove_stream(stream),
    }
    save_pending(database, sync, &pending)
}

fn save_pending(database: &Connection, sync: &str, state: &State) -> Result<(), Failure> {
    let state = state.to_json().map_err(Failure::Reported)?;
    Ok(save(database, sync, &state, Place::Pending)?)
}
