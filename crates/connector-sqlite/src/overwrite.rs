//! Tables that replace others at the end of a sync.
//!
//! The records of a stream that is overwritten go into a table beside the one that readers see.
//! At the end of the sync it takes the other's place, with the indexes and triggers that somebody
//! added. `_sync_overwrites` lists these tables, so that an interrupted sync resumes.

use connector_core::ErrorKind;
use rusqlite::{Connection, OptionalExtension};

use crate::error::Failure;
use crate::schema::quoted;
use crate::state::Place;
use crate::{registry, state};

/// Makes the list.
pub(crate) fn prepare(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS _sync_overwrites (
  sync TEXT NOT NULL,
  table_name TEXT NOT NULL,
  new_table TEXT NOT NULL,
  PRIMARY KEY (sync, table_name)
)",
    )
}

/// The table that is being filled to replace `table`. One that was begun by an interrupted run
/// is filled further if a state covers what it holds; else it begins anew.
pub(crate) fn resume_or_begin(
    database: &Connection,
    sync: &str,
    table: &str,
) -> Result<String, Failure> {
    match find(database, sync, table)? {
        Some(new) if state::covers(database, sync, table)? => Ok(new),
        _ => {
            drop_new(database, sync, table)?;
            // No state covers an empty table, so all of the stream is read.
            state::uncover(database, sync, table)?;
            begin(database, sync, table)
        }
    }
}

/// Gives up what an interrupted run has written to replace `table`. What the state says of it is
/// what it said before.
pub(crate) fn abandon(database: &Connection, sync: &str, table: &str) -> Result<(), Failure> {
    if drop_new(database, sync, table)? {
        state::revert(database, sync, table)?;
    }
    if all(database, sync)?.is_empty() {
        state::settle(database, sync)?;
    }
    Ok(())
}

/// Saves the state of a sync. It is pending while tables are being filled.
pub(crate) fn save_state(database: &Connection, sync: &str, state: &str) -> rusqlite::Result<()> {
    let place = if all(database, sync)?.is_empty() {
        Place::Committed
    } else {
        Place::Pending
    };
    state::save(database, sync, state, place)
}

/// Replaces the tables of the streams that were written, and gives up the others.
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
    Ok(state::settle(database, sync)?)
}

/// Switches off what forbids to replace a table that views and foreign keys refer to. Works only
/// outside of a transaction.
pub(crate) fn free_to_replace(database: &Connection, is_free: bool) -> rusqlite::Result<()> {
    database.pragma_update(None, "legacy_alter_table", is_free)?;
    database.pragma_update(None, "foreign_keys", !is_free)
}

/// The table that is being filled to replace `table`, if there is one.
fn find(database: &Connection, sync: &str, table: &str) -> rusqlite::Result<Option<String>> {
    let select = "SELECT new_table FROM _sync_overwrites WHERE sync = ?1 AND table_name = ?2";
    let found = database.query_row(select, [sync, table], |row| row.get(0));
    found.optional()
}

/// The tables that a sync overwrites.
fn all(database: &Connection, sync: &str) -> rusqlite::Result<Vec<String>> {
    let select = "SELECT table_name FROM _sync_overwrites WHERE sync = ?1 ORDER BY 1";
    let mut statement = database.prepare_cached(select)?;
    statement.query_map([sync], |row| row.get(0))?.collect()
}

/// Makes an empty table that is declared like `table`.
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
    registry::copy_table(database, table, &new)?;
    let insert = "INSERT INTO _sync_overwrites (sync, table_name, new_table) VALUES (?1, ?2, ?3)";
    database.execute(insert, [sync, table, &new])?;
    Ok(new)
}

/// Drops the table that was to replace `table`. False if there was none.
fn drop_new(database: &Connection, sync: &str, table: &str) -> rusqlite::Result<bool> {
    let Some(new) = find(database, sync, table)? else {
        return Ok(false);
    };
    database.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&new)))?;
    registry::forget_table(database, &new)?;
    forget(database, sync, table)?;
    Ok(true)
}

/// Puts the new table in the place of `table`, with the indexes and triggers of that.
fn replace(database: &Connection, sync: &str, table: &str) -> Result<(), Failure> {
    let Some(new) = find(database, sync, table)? else {
        return Ok(());
    };
    let additions = additions(database, table)?;
    database.execute_batch(&format!(
        "DROP TABLE IF EXISTS {table}; ALTER TABLE {} RENAME TO {table}",
        quoted(&new),
        table = quoted(table)
    ))?;
    registry::rename_table(database, &new, table)?;
    forget(database, sync, table)?;
    for (name, sql) in additions {
        database.execute_batch(&sql).map_err(|error| {
            let message = format!(
                "`{name}`, which was added to the table `{table}`, does not fit the new rows: \
                 {error}; drop it, or change it"
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

/// Name and SQL of each index and trigger that somebody added to a table.
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
    while registry::is_in_use(database, &name)? {
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
    // A quote within the name is written twice.
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
