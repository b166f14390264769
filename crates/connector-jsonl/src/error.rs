//! The one place where a failure of a file or pipe becomes a failure of the contract.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use connector_core::{Error, ErrorKind, Result};

/// What the person who runs the sync is told.
pub(crate) fn of_io(error: io::Error, path: &Path) -> Error {
    let kind = match error.kind() {
        // The path is wrong, not the machine.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorKind::Config,
        _ => ErrorKind::Io,
    };
    let message = match error.kind() {
        io::ErrorKind::BrokenPipe => "the reader closed the pipe",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; make room and sync again"
        }
        io::ErrorKind::PermissionDenied => "permission denied; make it readable and writable",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only; choose another path",
        io::ErrorKind::NotFound => "it does not exist, or its folder does not; create it",
        io::ErrorKind::NotADirectory => "a part of its path is a file, not a folder",
        _ => "it cannot be read or written",
    };
    Error::new(kind, message)
        .with_source(error)
        .with_context("path", path.display())
}

/// A file that is there but is not what we write: it is left alone.
pub(crate) fn not_ours(path: &Path, why: &str) -> Error {
    let message = format!("{why}; nothing was changed: move the file away, or choose another path");
    Error::new(ErrorKind::Config, message).with_context("path", path.display())
}

/// Another run has written since this one began.
pub(crate) fn written_by_others(path: &Path) -> Error {
    let message = "another run has written to it since this one began; nothing more was \
                   committed: let one of them end, then sync again";
    Error::new(ErrorKind::Conflict, message).with_context("path", path.display())
}

/// A kept state that cannot be used.
pub(crate) fn damaged(path: &Path, why: &str) -> Error {
    let message = format!("{why}; restore it, or move it away to read everything again");
    Error::new(ErrorKind::State, message).with_context("path", path.display())
}

/// Locks against other processes; where the file system knows no locks, goes on without.
pub(crate) fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let message = "another run is writing to it; let it end, or stop it";
            Err(Error::new(ErrorKind::Conflict, message).with_context("path", path.display()))
        }
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}
