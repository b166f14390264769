//! The database file: opened, and proved writable.

use std::fs;
use std::path::Path;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::{self, Failure};
use crate::patience::{self, ATTEMPT};
use crate::upgrade;

/// How long a reader waits where nobody can read while somebody writes.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Proves that the database can be written, or created, and leaves everything as it is.
pub(crate) fn check(path: &Path) -> Result<()> {
    let folder = look_at(path)?;
    if !path.exists() {
        // A file without a name: it never shows up in the folder.
        return match tempfile::tempfile_in(folder) {
            Ok(_) => Ok(()),
            Err(error) => Err(error::of_path(
                error,
                "the folder cannot be written to",
                folder,
            )),
        };
    }
    let probe = || {
        let database = connect(path, OpenFlags::empty())?;
        upgrade::expect_known(&database)?;
        // An empty transaction takes the write lock and gives it back.
        Ok(database.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?)
    };
    match probe() {
        // A sync waits for others that write.
        Err(Failure::Database(error)) if patience::is_locked(&error) => Ok(()),
        probed => probed.map_err(|failure| failure.at(path)),
    }
}

/// Opens the database, or creates it.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    look_at(path)?;
    let open = || {
        let database = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        // Committed means committed, even if the machine loses power.
        database.pragma_update(None, "synchronous", "FULL")?;
        // For a new database. Rows are some KB: on pages of 4 KiB a third of the room and of the
        // time is lost to their ends.
        database.pragma_update(None, "page_size", 16_384)?;
        // Enough for the inner pages of the indexes of millions of rows: 16 MiB.
        database.pragma_update(None, "cache_size", -16_384)?;
        database.set_prepared_statement_cache_capacity(128);
        Ok(database)
    };
    open().map_err(|error| error::of_database(error, path))
}

/// Opens a database that a sync has written, for reading: each write to it is refused.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection> {
    if !path.is_file() {
        let message = "there is no database at this path; sync to it first";
        return Err(Error::new(ErrorKind::Io, message).with_context("path", path.display()));
    }
    let open = || -> rusqlite::Result<_> {
        // As if for writing: who may only read cannot tidy up, and would leave the files of
        // SQLite's log behind. A file that cannot be written to is opened all the same.
        let database = connect_any(path, OpenFlags::empty())?;
        database.pragma_update(None, "query_only", true)?;
        Ok((is_ours(&database)?, database))
    };
    match open() {
        Ok((true, database)) => {
            let known = upgrade::expect_known(&database);
            known.map_err(|failure| failure.at(path))?;
            Ok(database)
        }
        Ok((false, _)) => Err(error::of_strange_file(path)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(error::of_strange_file(path).with_source(error))
        }
        Err(error) => Err(error::of_database(error, path)),
    }
}

/// Opens any database for reading: each write to it is refused.
pub(crate) fn open_any(path: &Path) -> Result<Connection> {
    if !path.is_file() {
        let message = "there is no database at this path";
        return Err(Error::new(ErrorKind::Io, message).with_context("path", path.display()));
    }
    let open = || -> rusqlite::Result<_> {
        let database = connect_any(path, OpenFlags::empty())?;
        database.pragma_update(None, "query_only", true)?;
        Ok(database)
    };
    open().map_err(|error| error::of_database(error, path))
}

fn is_ours(database: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) = 2 FROM sqlite_schema \
         WHERE type = 'table' AND name IN ('_sync_columns', '_sync_state')";
    database.query_row(tables, [], |row| row.get(0))
}

fn connect(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let database = connect_any(path, more)?;
    database.busy_timeout(ATTEMPT)?;
    refuse_read_only(&database)?;
    Ok(database)
}

/// Without the flag for URIs: a path is a path, whatever it begins with.
fn connect_any(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(READ_TIMEOUT)?;
    Ok(database)
}

/// `SQLite` opens a file that it may not write to for reading, and tells only at the first write.
fn refuse_read_only(database: &Connection) -> rusqlite::Result<()> {
    if database.is_readonly(rusqlite::MAIN_DB)? {
        let read_only = ffi::Error::new(ffi::SQLITE_READONLY);
        return Err(rusqlite::Error::SqliteFailure(read_only, None));
    }
    Ok(())
}

/// Lets others read while a sync writes. Where the file system cannot do that, the database goes
/// on without.
pub(crate) fn let_others_read(database: &Connection) -> rusqlite::Result<()> {
    database.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))
}

/// Changes with each change of a table, index, view or trigger.
pub(crate) fn schema_version(database: &Connection) -> rusqlite::Result<i64> {
    let mut statement = database.prepare_cached("PRAGMA schema_version")?;
    statement.query_row([], |row| row.get(0))
}

/// Refuses what can be no database file; returns its folder.
fn look_at(path: &Path) -> Result<&Path> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("."),
    };
    let refused = |message: &str| {
        Err(Error::new(ErrorKind::Config, message).with_context("path", path.display()))
    };
    if path.is_dir() {
        return refused("is a folder; it must be the path of a database file");
    }
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(folder),
        _ => refused("the folder of the database does not exist; create it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Permissions of files would not do for this test: an administrator may write to any file.
    #[test]
    fn a_database_that_opens_only_for_reading_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let writable = Connection::open(&path).unwrap();
        writable.execute_batch("CREATE TABLE t (a)").unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let read_only = Connection::open_with_flags(&path, flags).unwrap();

        assert!(refuse_read_only(&writable).is_ok());
        let refused = refuse_read_only(&read_only).unwrap_err();
        let written = read_only.execute_batch("DELETE FROM t").unwrap_err();

        for error in [refused, written] {
            let error = error::of_database(error, &path);
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().contains("read-only"), "{error}");
            assert!(error.to_string().contains("w.db"), "{error}");
        }
    }
}
