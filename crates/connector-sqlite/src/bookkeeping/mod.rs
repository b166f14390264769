//! The tables in which this program keeps its own records, and the version of their layout.
//!
//! The version is the `user_version` of the database. It is 0 in a new database, and in one that
//! was made before layouts had a version.

pub(crate) mod columns;
pub(crate) mod overwrites;
pub(crate) mod runs;
pub(crate) mod states;

use connector_core::{ErrorKind, Event, Observer};
use rusqlite::Connection;

use crate::error::Failure;

/// The version that this program writes.
const VERSION: i64 = 1;

/// Creates the tables, and upgrades a database of an earlier version.
///
/// # Errors
/// [`ErrorKind::State`] if a newer program made it; [`ErrorKind::Config`] if another program's
/// table is in the way.
pub(crate) fn prepare(database: &Connection, observer: &dyn Observer) -> Result<(), Failure> {
    let version = expect_known(database)?;
    if version < VERSION {
        runs::expect_free_name(database)?;
    }
    let is_old = version < VERSION && columns::is_there(database)?;
    columns::prepare(database)?;
    states::prepare(database)?;
    overwrites::prepare(database)?;
    runs::prepare(database)?;
    if is_old {
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
