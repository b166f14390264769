//! Turns failures of the database into errors of the contract.

use std::path::Path;

use connector_core::{Error, ErrorKind, Retry};
use rusqlite::ErrorCode;

/// A failure that does not know the path of the database.
pub(crate) enum Failure {
    /// The database failed.
    Database(rusqlite::Error),
    /// The request was refused: kind and sentence.
    Refused(ErrorKind, String),
    /// An error of the contract that lacks the path.
    Reported(Error),
}

impl Failure {
    /// The error of the database at `path`.
    pub(crate) fn at(self, path: &Path) -> Error {
        match self {
            Self::Database(error) => of_database(error, path),
            Self::Refused(kind, message) => {
                Error::new(kind, message).with_context("path", path.display())
            }
            Self::Reported(error) => error.with_context("path", path.display()),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// The error that a person reads. Messages of `SQLite` name tables and columns, never values.
pub(crate) fn of_database(error: rusqlite::Error, path: &Path) -> Error {
    let error = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::new(
            ErrorKind::Unavailable,
            "another process is using the database; let it finish, or close its transaction",
        )
        .with_retry(Retry::Backoff),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            io("the database is read-only; make the file and its folder writable")
        }
        Some(ErrorCode::DiskFull) => io("the disk is full; make room and sync again"),
        Some(ErrorCode::CannotOpen) => io(
            "the database cannot be opened; its file and its folder must be readable and writable",
        ),
        Some(ErrorCode::SystemIoFailure) => io("the database file cannot be read or written"),
        Some(ErrorCode::NotADatabase) => Error::new(
            ErrorKind::Config,
            "the file is not an SQLite database; choose another path",
        ),
        Some(ErrorCode::DatabaseCorrupt) => Error::new(
            ErrorKind::Data,
            "the database is damaged; restore it, or choose another path",
        ),
        _ => Error::new(
            ErrorKind::Internal,
            format!("the database refused: {error}"),
        ),
    }
    .with_source(error);
    error.with_context("path", path.display())
}

/// The error of a file to be read back that no sync has written.
pub(crate) fn of_strange_file(path: &Path) -> Error {
    io("the file is not a database that a sync has written; choose another path")
        .with_context("path", path.display())
}

/// Why one record is rejected. `None` if the failure is not about that record alone.
pub(crate) fn refusal(error: &rusqlite::Error) -> Option<&'static str> {
    match error.sqlite_error_code()? {
        ErrorCode::ConstraintViolation => {
            Some("a constraint, index or trigger that was added to the table rejects it")
        }
        ErrorCode::TooBig => Some("it is larger than a row of the database can be (1 GB)"),
        _ => None,
    }
}

/// The error of the path itself, before there is a database.
pub(crate) fn of_path(error: std::io::Error, what: &str, path: &Path) -> Error {
    io(what)
        .with_source(error)
        .with_context("path", path.display())
}

fn io(message: &str) -> Error {
    Error::new(ErrorKind::Io, message)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn described(error: rusqlite::Error) -> (ErrorKind, String) {
        let error = of_database(error, Path::new("w.db"));
        (error.kind(), error.to_string())
    }

    #[test]
    fn the_error_of_a_full_disk_names_the_path() {
        let database = Connection::open_in_memory().unwrap();
        database
            .execute_batch("PRAGMA max_page_count=2; CREATE TABLE t (a)")
            .unwrap();

        let error = database
            .execute("INSERT INTO t VALUES (randomblob(100000))", [])
            .unwrap_err();

        let (kind, text) = described(error);
        assert_eq!(kind, ErrorKind::Io);
        assert_eq!(
            text,
            "the disk is full; make room and sync again [path: w.db]"
        );
    }
}
