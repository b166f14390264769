//! The history of runs: the table `_runs`.

use connector_core::{ErrorKind, Result, RunRecord};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::columns;
use crate::error::Failure;

/// Checks that no table of another program has the name.
pub(crate) fn expect_free_name(database: &Connection) -> Result<(), Failure> {
    if columns::is_in_use(database, "_runs")? {
        let message = "the database has a table `_runs` that this program did not make; rename \
                       it, or choose another path";
        return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
    }
    Ok(())
}

/// Creates the table.
pub(crate) fn prepare(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS _runs (
  id TEXT NOT NULL PRIMARY KEY,
  sync TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  ending TEXT,
  error TEXT,
  streams TEXT NOT NULL
)",
    )
}

/// Stores a run. It replaces the one with its id.
pub(crate) fn record(database: &Connection, run: &RunRecord) -> Result<(), Failure> {
    let json = serde_json::to_value(run).map_err(|_| unreadable("has no JSON form"))?;
    let text = |key: &str| json[key].as_str();
    let streams = json["streams"].to_string();
    let upsert = "INSERT INTO _runs \
         (id, sync, version, started_at, ended_at, ending, error, streams) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET \
         sync = excluded.sync, version = excluded.version, started_at = excluded.started_at, \
         ended_at = excluded.ended_at, ending = excluded.ending, error = excluded.error, \
         streams = excluded.streams";
    let values = params![
        run.id,
        run.sync,
        run.version,
        run.started_at,
        run.ended_at,
        text("ending"),
        run.error,
        streams
    ];
    database.execute(upsert, values)?;
    Ok(())
}

/// The newest runs, newest first. Empty where there is no history.
pub(crate) fn runs(database: &Connection, at_most: usize) -> Result<Vec<RunRecord>, Failure> {
    if !columns::is_table(database, "_runs")? {
        return Ok(Vec::new());
    }
    let mut statement = database.prepare(
        "SELECT id, sync, version, started_at, ended_at, ending, error, streams FROM _runs \
         ORDER BY started_at DESC, rowid DESC LIMIT ?1",
    )?;
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let mut rows = statement.query([at_most])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(run(row)?);
    }
    Ok(runs)
}

fn run(row: &Row<'_>) -> Result<RunRecord, Failure> {
    let (ending, streams): (Option<String>, String) = (row.get(5)?, row.get(7)?);
    let ending = ending.map_or(Value::Null, Value::String);
    let mut run = RunRecord::new(
        row.get::<_, String>(0)?,
        row.get::<_, String>(1)?,
        row.get::<_, String>(2)?,
        row.get::<_, String>(3)?,
    );
    run.ended_at = row.get(4)?;
    run.error = row.get(6)?;
    let damaged = |_| unreadable("is damaged");
    run.ending = serde_json::from_value(ending).map_err(damaged)?;
    run.streams = serde_json::from_str(&streams).map_err(damaged)?;
    Ok(run)
}

fn unreadable(how: &str) -> Failure {
    Failure::Refused(
        ErrorKind::State,
        format!("a run in the table `_runs` {how}"),
    )
}
