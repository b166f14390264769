//! Opens the database file, for writing and for reading.

use std::fs;
use std::path::Path;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::bookkeeping;
use crate::error::{self, Failure};
use crate::patience::{self, ATTEMPT};

/// How long a reader waits for a writer, where the two exclude each other.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Proves that the database can be written or created. Changes nothing.
pub(crate) fn check(path: &Path) -> Result<()> {
    let folder = expect_file_path(path)?;
    if !path.exists() {
        // The file has no name and never appears in the folder.
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
        bookkeeping::expect_known(&database)?;
        // An empty transaction takes the write lock and releases it.
        Ok(database.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?)
    };
    match probe() {
        // A sync waits until others have written.
        Err(Failure::Database(error)) if patience::is_locked(&error) => Ok(()),
        probed => probed.map_err(|failure| failure.at(path)),
    }
}

/// Opens the database, or creates it.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    expect_file_path(path)?;
    let open = || {
        let database = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        // A commit survives a loss of power.
        database.pragma_update(None, "synchronous", "FULL")?;
        // For a new database. Rows have several KB. Pages of 4 KiB would waste a third of the
        // space and of the time.
        database.pragma_update(None, "page_size", 16_384)?;
        // 16 MiB hold the inner pages of the indexes of millions of rows.
        database.pragma_update(None, "cache_size", -16_384)?;
        database.set_prepared_statement_cache_capacity(128);
        Ok(database)
    };
    open().map_err(|error| error::of_database(error, path))
}

/// Opens a database that a sync has written, for reading only.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection> {
    if !path.is_file() {
        let message = "there is no database at this path; sync to it first";
        return Err(Error::new(ErrorKind::Io, message).with_context("path", path.display()));
    }
    let open = || -> rusqlite::Result<_> {
        // With the right to write, so that closing removes the files of SQLite's log. A file
        // without that right is opened as well.
        let database = connect_any(path, OpenFlags::empty())?;
        database.pragma_update(None, "query_only", true)?;
        Ok((is_ours(&database)?, database))
    };
    match open() {
        Ok((true, database)) => {
            let known = bookkeeping::expect_known(&database);
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

/// Opens any database, for reading only.
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

/// Does not set the flag for URIs, so every path is taken literally.
fn connect_any(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(READ_TIMEOUT)?;
    Ok(database)
}

/// `SQLite` opens a file that it may not write to for reading, and reports that only at the first
/// write.
fn refuse_read_only(database: &Connection) -> rusqlite::Result<()> {
    if database.is_readonly(rusqlite::MAIN_DB)? {
        let read_only = ffi::Error::new(ffi::SQLITE_READONLY);
        return Err(rusqlite::Error::SqliteFailure(read_only, None));
    }
    Ok(())
}

/// Lets others read while a sync writes, where the file system supports that.
pub(crate) fn let_others_read(database: &Connection) -> rusqlite::Result<()> {
    database.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))
}

/// A number that changes with each change of a table, index, view or trigger.
pub(crate) fn schema_version(database: &Connection) -> rusqlite::Result<i64> {
    let mut statement = database.prepare_cached("PRAGMA schema_version")?;
    statement.query_row([], |row| row.get(0))
}

/// Refuses a path that cannot be a database file. Returns its folder.
fn expect_file_path(path: &Path) -> Result<&Path> {
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
    if path.exists() && !path.is_file() {
        return refused("is a pipe or device; it must be the path of a database file");
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
