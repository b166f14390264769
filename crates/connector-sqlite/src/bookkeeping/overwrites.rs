//! Tables that replace others at the end of a sync.
//!
//! The records of a stream that is overwritten go into a new table. Readers see the old one until
//! the sync ends. Then the new table takes its place, and gets the indexes and triggers that a
//! user added. `_sync_overwrites` lists the new tables, so that an interrupted sync can resume.

use connector_core::ErrorKind;
use rusqlite::{Connection, OptionalExtension};

use super::states::Place;
use super::{columns, states};
use crate::error::Failure;
use crate::sql::quoted;

/// Creates the list.
pub(crate) fn prepare(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS _sync_overwrites (
  sync TEXT NOT NULL,
  table_name TEXT NOT NULL,
  new_table TEXT NOT NULL,
  has_state INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sync, table_name)
)",
    )
}

/// The new table that will replace `table`. That of an interrupted run is used again if the run
/// committed a state, from which the sync resumes. Otherwise it starts empty.
pub(crate) fn resume_or_begin(
    database: &Connection,
    sync: &str,
    table: &str,
) -> Result<String, Failure> {
    match find(database, sync, table)? {
        Some(new) if new.has_state => Ok(new.name),
        _ => {
            drop_new(database, sync, table)?;
            // No state covers an empty table, so the whole stream must be read.
            states::uncover(database, sync, table)?;
            begin(database, sync, table)
        }
    }
}

/// Drops the new table of an interrupted run, if there is one. The state is again what it was
/// before the stream was overwritten.
pub(crate) fn abandon(database: &Connection, sync: &str, table: &str) -> Result<(), Failure> {
    if drop_new(database, sync, table)? {
        states::revert(database, sync, table)?;
    }
    if all(database, sync)?.is_empty() {
        states::settle(database, sync)?;
    }
    Ok(())
}

/// Saves the state of a sync. The state is pending while the sync has new tables.
pub(crate) fn save_state(
    database: &Connection,
    sync: &str,
    state: &str,
    is_written: impl Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let tables = all(database, sync)?;
    let place = if tables.is_empty() {
        Place::Committed
    } else {
        Place::Pending
    };
    for table in tables.iter().filter(|table| is_written(table)) {
        let update =
            "UPDATE _sync_overwrites SET has_state = 1 WHERE sync = ?1 AND table_name = ?2";
        database.prepare_cached(update)?.execute([sync, table])?;
    }
    states::save(database, sync, state, place)
}

/// Replaces the tables of the streams that this run wrote, and drops other new tables.
///
/// Needs the settings of [`free_to_replace`].
pub(crate) fn finish(
    database: &Connection,
    sync: &str,
    is_written: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    for table in all(database, sync)? {
        if is_written(&table) {
            replace(database, sync, &table)?;
        } else {
            abandon(database, sync, &table)?;
        }
    }
    Ok(states::settle(database, sync)?)
}

/// Allows or forbids replacing a table that views and foreign keys refer to. Has no effect inside
/// a transaction.
pub(crate) fn free_to_replace(database: &Connection, is_free: bool) -> rusqlite::Result<()> {
    database.pragma_update(None, "legacy_alter_table", is_free)?;
    database.pragma_update(None, "foreign_keys", !is_free)
}

/// A table that is being filled.
struct NewTable {
    name: String,
    /// Whether a state was committed with its rows.
    has_state: bool,
}

/// The new table that will replace `table`, if there is one.
fn find(database: &Connection, sync: &str, table: &str) -> rusqlite::Result<Option<NewTable>> {
    let select = "SELECT new_table, has_state FROM _sync_overwrites \
                  WHERE sync = ?1 AND table_name = ?2";
    let found = database.query_row(select, [sync, table], |row| {
        let (name, has_state) = (row.get(0)?, row.get(1)?);
        Ok(NewTable { name, has_state })
    });
    found.optional()
}

/// The tables that a sync is overwriting.
fn all(database: &Connection, sync: &str) -> rusqlite::Result<Vec<String>> {
    let select = "SELECT table_name FROM _sync_overwrites WHERE sync = ?1 ORDER BY 1";
    let mut statement = database.prepare_cached(select)?;
    statement.query_map([sync], |row| row.get(0))?.collect()
}

/// Creates an empty table that is declared like `table`.
fn begin(database: &Connection, sync: &str, table: &str) -> Result<String, Failure> {
    let new = unused_name(database, table)?;
    let select = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let declaration: String = database.query_row(select, [table], |row| row.get(0))?;
    let body = after_name(&declaration).ok_or_else(|| {
        let message = "the declaration of the table cannot be copied; drop it, or choose another \
                       path";
        Failure::Refused(ErrorKind::Config, message.to_owned())
    })?;
    database.execute_batch(&format!("CREATE TABLE {} {body}", quoted(&new)))?;
    columns::copy_table(database, table, &new)?;
    let insert = "INSERT INTO _sync_overwrites (sync, table_name, new_table) VALUES (?1, ?2, ?3)";
    database.execute(insert, [sync, table, &new])?;
    Ok(new)
}

/// Drops the new table. False if there was none.
fn drop_new(database: &Connection, sync: &str, table: &str) -> rusqlite::Result<bool> {
    let Some(new) = find(database, sync, table)? else {
        return Ok(false);
    };
    database.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&new.name)))?;
    columns::forget_table(database, &new.name)?;
    forget(database, sync, table)?;
    Ok(true)
}

/// Puts the new table in the place of `table`, with its indexes and triggers.
fn replace(database: &Connection, sync: &str, table: &str) -> Result<(), Failure> {
    let Some(new) = find(database, sync, table)? else {
        return Ok(());
    };
    let additions = additions(database, table)?;
    database.execute_batch(&format!(
        "DROP TABLE IF EXISTS {table}; ALTER TABLE {} RENAME TO {table}",
        quoted(&new.name),
        table = quoted(table)
    ))?;
    columns::rename_table(database, &new.name, table)?;
    forget(database, sync, table)?;
    for (name, sql) in additions {
        database.execute_batch(&sql).map_err(|error| {
            let message = format!(
                "`{name}`, which was added to the table `{table}`, rejects the new rows: {error}; \
                 drop or change it, then sync again"
            );
            Failure::Refused(ErrorKind::Config, message)
        })?;
    }
    Ok(())
}

fn forget(database: &Connection, sync: &str, table: &str) -> rusqlite::Result<()> {
    let delete = "DELETE FROM _sync_overwrites WHERE sync = ?1 AND table_name = ?2";
    database.execute(delete, [sync, table]).map(|_| ())
}

/// Name and SQL of each index and trigger that a user added to a table.
fn additions(database: &Connection, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let select = "SELECT name, sql FROM sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE \
                  AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";
    let mut statement = database.prepare(select)?;
    let additions = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    additions.collect()
}

fn unused_name(database: &Connection, table: &str) -> rusqlite::Result<String> {
    let mut name = format!("_sync_new_{table}");
    let mut number = 2_u32;
    while columns::is_in_use(database, &name)? {
        name = format!("_sync_new_{table}_{number}");
        number += 1;
    }
    Ok(name)
}

/// What follows the name in a declaration as `SQLite` stores it: `CREATE TABLE name (…)`.
fn after_name(declaration: &str) -> Option<&str> {
    let rest = declaration.strip_prefix("CREATE TABLE ")?.trim_start();
    let mut characters = rest.char_indices();
    let close = match characters.next()?.1 {
        '[' => ']',
        quote @ ('"' | '\'' | '`') => quote,
        _ => {
            let is_name = |c: char| c.is_alphanumeric() || "_$".contains(c) || !c.is_ascii();
            return rest.find(|c| !is_name(c)).map(|end| &rest[end..]);
        }
    };
    // A quote within the name is doubled.
    while let Some((at, character)) = characters.next() {
        if character == close {
            let after = &rest[at + character.len_utf8()..];
            if close == ']' || !after.starts_with(close) {
                return Some(after);
            }
            characters.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_a_declaration_ends_where_it_ends_for_sqlite() {
        for (name, is_known) in [
            ("builds", true),
            ("\"builds\"", true),
            ("\"we\"\"ird (a\"", true),
            ("[b (c]", true),
            ("'it''s'", true),
            ("`a``b`", true),
            ("日本", true),
            ("\"open", false),
        ] {
            for space in ["", " ", "\n"] {
                let declaration = format!("CREATE TABLE {name}{space}(a, b)");
                let expected = is_known.then(|| format!("{space}(a, b)"));
                assert_eq!(
                    after_name(&declaration),
                    expected.as_deref(),
                    "{declaration}"
                );
            }
        }
        assert_eq!(after_name("CREATE VIRTUAL TABLE t USING x"), None);
    }
}
