//! Deletes rows by their keys.

use connector_core::{ErrorKind, JsonObject};
use rusqlite::Connection;

use crate::error::Failure;
use crate::layout::Layout;
use crate::layout::row::Row;
use crate::sql::quoted;

/// Deletes the rows with these primary keys, and returns how many there were.
pub(crate) fn delete(
    database: &Connection,
    table: &str,
    keys: &[JsonObject],
) -> Result<u64, Failure> {
    let Some(layout) = Layout::find(database, table)? else {
        return Ok(0);
    };
    if layout.key().is_empty() {
        let message = "the stream has no primary key, so no row can be deleted by it";
        return Err(Failure::Refused(ErrorKind::Config, message.to_owned()));
    }
    let (table, where_key) = (quoted(layout.table()), layout.where_key());
    let mut statement = database.prepare(&format!("DELETE FROM {table} {where_key}"))?;
    let mut deleted = 0;
    for key in keys {
        let fields = key.fields().map_err(Failure::Reported)?;
        let (row, _) = Row::of(key, &fields, &layout);
        if let Some(field) = row.missing_key(key, &layout) {
            let message = format!("a key lacks the field `{field}`; nothing was deleted");
            return Err(Failure::Refused(ErrorKind::Data, message));
        }
        row.bind_key(key, &layout, &mut statement, 1)?;
        deleted += statement.raw_execute()? as u64;
    }
    Ok(deleted)
}
