//! The columns that this program made, with their fields: the table `_sync_columns`.
//!
//! It separates our tables from those of others, and the field `ID` in the column `ID_2` from a
//! field `ID_2`. This module also reads the schema of the database.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

/// Creates the table.
pub(crate) fn prepare(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS _sync_columns (
  table_name TEXT NOT NULL,
  field TEXT,
  column_name TEXT NOT NULL,
  PRIMARY KEY (table_name, column_name)
)",
    )
}

/// Whether the table exists: a sync has written to the database before.
pub(crate) fn is_there(database: &Connection) -> rusqlite::Result<bool> {
    is_table(database, "_sync_columns")
}

/// Adds a column. The mark and the placeholder have no field.
pub(crate) fn add(
    database: &Connection,
    table: &str,
    column: &str,
    field: Option<&str>,
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO _sync_columns (table_name, field, column_name) VALUES (?1, ?2, ?3)";
    database
        .execute(insert, params![table, field, column])
        .map(|_| ())
}

/// The field of each column of a table. Empty if this program did not make the table.
pub(crate) fn fields(
    database: &Connection,
    table: &str,
) -> rusqlite::Result<HashMap<String, Option<String>>> {
    database
        .prepare("SELECT column_name, field FROM _sync_columns WHERE table_name = ?1")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The tables of streams, by name. Those that will replace another are left out.
pub(crate) fn tables(database: &Connection) -> rusqlite::Result<Vec<String>> {
    if !is_there(database)? {
        return Ok(Vec::new());
    }
    let mut select = "SELECT DISTINCT table_name FROM _sync_columns".to_owned();
    if is_table(database, "_sync_overwrites")? {
        select += " WHERE table_name NOT IN (SELECT new_table FROM _sync_overwrites)";
    }
    select += " ORDER BY table_name";
    let mut statement = database.prepare(&select)?;
    let tables = statement.query_map([], |row| row.get(0))?;
    tables.collect()
}

/// Forgets a table that no longer exists.
pub(crate) fn forget_table(database: &Connection, table: &str) -> rusqlite::Result<()> {
    let delete = "DELETE FROM _sync_columns WHERE table_name = ?1";
    database.execute(delete, [table]).map(|_| ())
}

/// Forgets a column that no longer exists.
pub(crate) fn forget_column(
    database: &Connection,
    table: &str,
    column: &str,
) -> rusqlite::Result<()> {
    let delete = "DELETE FROM _sync_columns WHERE table_name = ?1 AND column_name = ?2";
    database.execute(delete, [table, column]).map(|_| ())
}

/// Whether a table, view or index has this name, in any case.
pub(crate) fn is_in_use(database: &Connection, name: &str) -> rusqlite::Result<bool> {
    database
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE",
            [name],
            |_| Ok(()),
        )
        .optional()
        .map(|found| found.is_some())
}

/// Whether a table has exactly this name.
pub(crate) fn is_table(database: &Connection, name: &str) -> rusqlite::Result<bool> {
    let select = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let found = database.query_row(select, [name], |_| Ok(()));
    found.optional().map(|found| found.is_some())
}

/// Whether a user added something to the table that may refuse a row: a trigger, an index or a
/// constraint.
pub(crate) fn is_guarded(database: &Connection, table: &str) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM sqlite_schema \
            WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE) \
         OR EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE \"unique\" AND origin <> 'pk') \
         OR EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE \"notnull\") \
         OR EXISTS (SELECT 1 FROM pragma_foreign_key_list(?1)) \
         OR EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 \
            AND (sql LIKE '%CHECK (%' OR sql LIKE '%CHECK(%' OR sql LIKE '%) STRICT%'))";
    database.query_row(select, [table], |row| row.get(0))
}

/// Adds the columns of `table` for `copy` as well.
pub(crate) fn copy_table(database: &Connection, table: &str, copy: &str) -> rusqlite::Result<()> {
    let insert = "INSERT INTO _sync_columns (table_name, field, column_name) \
                  SELECT ?2, field, column_name FROM _sync_columns WHERE table_name = ?1";
    database.execute(insert, [table, copy]).map(|_| ())
}

/// Gives the columns of `table` to the table `name`.
pub(crate) fn rename_table(database: &Connection, table: &str, name: &str) -> rusqlite::Result<()> {
    forget_table(database, name)?;
    let update = "UPDATE _sync_columns SET table_name = ?2 WHERE table_name = ?1";
    database.execute(update, [table, name]).map(|_| ())
}

/// Name, declared type and position in the primary key (0 for none) of each column.
pub(crate) fn present_columns(
    database: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<(String, String, i64)>> {
    database
        .prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}
