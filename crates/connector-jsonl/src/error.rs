//! Turns failures of files and pipes into errors of the contract.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use connector_core::{Error, ErrorKind, Result};

/// The error that a person reads.
pub(crate) fn of_io(error: io::Error, path: &Path) -> Error {
    let kind = match error.kind() {
        // The path is wrong.
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

/// The error of a file that this program did not write, and leaves alone.
pub(crate) fn not_ours(path: &Path, why: &str) -> Error {
    let message = format!("{why}; nothing was changed. Move the file away, or choose another path");
    Error::new(ErrorKind::Config, message).with_context("path", path.display())
}

/// The error of a commit after another run has written.
pub(crate) fn written_by_others(path: &Path) -> Error {
    let message = "another run has written to it since this one began; nothing more was \
                   committed. Let the other run end, then sync again";
    Error::new(ErrorKind::Conflict, message).with_context("path", path.display())
}

/// The error of a saved state that cannot be used.
pub(crate) fn damaged(path: &Path, why: &str) -> Error {
    let message = format!("{why}; restore it, or move it away to read everything again");
    Error::new(ErrorKind::State, message).with_context("path", path.display())
}

/// Locks a file against other processes, where the file system supports locks.
pub(crate) fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let message = "another run is writing to it; let it end, or stop it";
            Err(Error::new(ErrorKind::Conflict, message).with_context("path", path.display()))
        }
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}
