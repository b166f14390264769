//! Opening a journal for one process alone, without trusting what is found at its path.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::path::Path;

use connector_core::{Error, ErrorKind, Result};

use super::failure::{failed, refusal};

/// How often a file is opened that others replace meanwhile.
const ATTEMPTS: usize = 10;

/// Opens the file at a path, or makes it, and locks it.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be opened, is no regular file, belongs to another user, may be
/// written to by others, or is held by another process.
pub(super) fn open_locked(path: &Path) -> Result<File> {
    for _ in 0..ATTEMPTS {
        // Opening a pipe that nobody writes to would never return.
        if let Ok(found) = path.metadata() {
            expect_own_file(path, &found)?;
        }
        let file = options().read(true).append(true).create(true).open(path);
        let file = file.map_err(|error| {
            failed(
                path,
                "cannot be opened; set `journal` to a file that can",
                &error,
            )
        })?;
        lock(&file, path)?;
        let opened = file.metadata();
        let opened = opened.map_err(|error| failed(path, "cannot be read", &error))?;
        expect_own_file(path, &opened)?;
        // Its former holder may have put another file in its place.
        if path.metadata().is_ok_and(|found| is_same(&found, &opened)) {
            return Ok(file);
        }
    }
    Err(held(path))
}

/// A new, empty file that is locked already. What is at its path is deleted.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be made.
pub(super) fn create_locked(path: &Path) -> Result<File> {
    // A killed run may have left it.
    std::fs::remove_file(path).ok();
    let file = options()
        .read(true)
        .append(true)
        .create_new(true)
        .open(path);
    let file = file.map_err(|error| failed(path, "cannot be made", &error))?;
    lock(&file, path)?;
    Ok(file)
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(held(path)),
        // Some file systems know no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn held(path: &Path) -> Error {
    let message = "another process sends with this journal: two at once could start a build twice";
    Error::new(ErrorKind::Io, message).with_context("journal", path.display())
}

/// A new file is the user's alone where the system knows of that: it holds records.
fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What somebody else can write would be believed.
pub(super) fn expect_own_file(path: &Path, found: &Metadata) -> Result<()> {
    if !found.is_file() {
        return Err(refusal(
            path,
            "the path of `journal` is not a regular file; choose another",
        ));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if found.uid() != nix::unistd::geteuid().as_raw() {
            let message = "the journal belongs to another user, who could say what was sent; \
                           choose another file";
            return Err(refusal(path, message));
        }
        if found.mode() & 0o022 != 0 {
            let message = "other users may write to the journal, and could say what was sent: \
                           look at what it says, then run chmod go-w on it";
            return Err(refusal(path, message));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Where files have no number: an open file cannot be replaced there.
#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}
