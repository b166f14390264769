//! The layout of the tables that are kept here for ourselves, and its version.
//!
//! The version is the `user_version` of the database. 0 is that of a new database, and of those
//! that were made before layouts had a version.

use connector_core::{ErrorKind, Event, Observer};
use rusqlite::Connection;

use crate::error::Failure;
use crate::{history, layout, overwrite, registry, state};

/// The version that is written here.
const VERSION: i64 = 1;

/// Makes the tables that we keep for ourselves. A database of an earlier version is upgraded.
pub(crate) fn prepare(database: &Connection, observer: &dyn Observer) -> Result<(), Failure> {
    let version = expect_known(database)?;
    let is_old = version < VERSION && registry::is_there(database)?;
    registry::prepare(database)?;
    state::prepare(database)?;
    overwrite::prepare(database)?;
    history::prepare(database)?;
    if is_old {
        for table in registry::tables(database)? {
            layout::add_mark(database, &table)?;
        }
        observer.observe(Event::notice(format!(
            "the database was made by an earlier version of this program; its layout was upgraded \
             from version {version} to {VERSION}"
        )));
    }
    if version < VERSION {
        database.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

/// The version of the layout.
///
/// # Errors
/// [`ErrorKind::State`] if a newer program made it.
pub(crate) fn expect_known(database: &Connection) -> Result<i64, Failure> {
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if (0..=VERSION).contains(&version) {
        return Ok(version);
    }
    let message = format!(
        "the layout of the database has version {version} (`PRAGMA user_version`), this program \
         knows versions up to {VERSION}; use the newer program, or choose another path"
    );
    Err(Failure::Refused(ErrorKind::State, message))
}
