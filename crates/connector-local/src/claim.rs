//! A claim on a file or folder, so that a sync has one run at a time.
//!
//! The claim is a lock on a file beside what is claimed. The lock file names its holder. The
//! kernel releases the lock when the process ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Holder, Result};

/// The most attempts to lock a file that other runs remove.
const ATTEMPTS: usize = 100;
/// More bytes than the JSON form of a holder has.
const LONGEST_HOLDER: u64 = 16 * 1024;

/// A claim, held until it is dropped.
#[derive(Debug)]
pub struct FileClaim {
    /// Locked.
    file: File,
    path: PathBuf,
}

impl FileClaim {
    /// Claims the file or folder `claimed` for the runs of a sync: locks a
    /// file beside it, and creates that file if there is none.
    ///
    /// `None` if no claim can be held: the file system has no locks, or the file cannot be created.
    /// The caller must then detect in another way that another run has written.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another run holds it, naming its holder; [`ErrorKind::Io`] if
    /// the file cannot be opened or written.
    pub fn take(claimed: &Path, sync: &str, holder: &Holder) -> Result<Option<Self>> {
        Self::lock(&lock_file(claimed, sync), holder)
    }

    fn lock(path: &Path, holder: &Holder) -> Result<Option<Self>> {
        let failed = |error: io::Error| {
            Error::new(ErrorKind::Io, "the lock file of the sync cannot be used")
                .with_source(error)
                .with_context("path", path.display())
        };
        for _ in 0..ATTEMPTS {
            refuse_other_than_file(path)?;
            let mut file = match open(path) {
                Ok(file) => file,
                Err(error) if is_impossible(error.kind()) => return Ok(None),
                Err(error) => return Err(failed(error)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held(&mut file, path)),
                Err(TryLockError::Error(_)) => return Ok(None),
            }
            // Its last holder may have removed it before it was locked here.
            if is_at(&file, path) {
                write_holder(&mut file, holder).map_err(failed)?;
                let path = path.to_owned();
                return Ok(Some(Self { file, path }));
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "other runs keep removing the lock file of the sync; let them end",
        )
        .with_context("path", path.display()))
    }

    /// Whether it is the claim for the runs of this sync.
    #[must_use]
    pub fn is_for(&self, claimed: &Path, sync: &str) -> bool {
        self.path == lock_file(claimed, sync)
    }
}

impl Drop for FileClaim {
    /// Removes the file while it is locked, so that nobody locks a file that no longer exists. A
    /// file that is left behind is harmless, because nobody holds its lock.
    fn drop(&mut self) {
        if cfg!(unix) && is_at(&self.file, &self.path) {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Refuses a link, which could lead to a file that must not be overwritten.
fn refuse_other_than_file(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            let message = "the lock file of the sync is a link or no regular file; remove it";
            Err(Error::new(ErrorKind::Io, message).with_context("path", path.display()))
        }
        _ => Ok(()),
    }
}

/// The lock file of a sync, beside what it claims: `out.jsonl.NAME.lock`. It is the same for all
/// paths that lead there.
fn lock_file(claimed: &Path, sync: &str) -> PathBuf {
    let claimed = claimed
        .canonicalize()
        .unwrap_or_else(|_| claimed.to_owned());
    let mut name = claimed.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.lock", file_name(sync)));
    claimed.with_file_name(name)
}

/// A file name for any sync name. Different names stay different.
fn file_name(sync: &str) -> String {
    let mut name = String::new();
    for byte in sync.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

/// Whether no lock file can be created. A missing folder is reported elsewhere.
fn is_impossible(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::Unsupported
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
    )
}

/// Whether the open file is the one at `path`, and not one that a link leads to.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Lock files are never removed there.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)?;
    file.write_all(b"\n")
}

fn held(file: &mut File, path: &Path) -> Error {
    let message = match holder_in(file) {
        Some(holder) => format!("another run holds this sync: {holder}"),
        // It has not written its name yet, or the system does not let others read the file.
        None => "another run holds this sync".to_owned(),
    };
    let message = format!("{message}; let it end, or stop it");
    Error::new(ErrorKind::Conflict, message).with_context("path", path.display())
}

fn holder_in(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.take(LONGEST_HOLDER).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder::new("a-program", 17, "a-host", "2026-01-02T03:04:05Z")
    }

    fn take(path: &Path) -> Result<Option<FileClaim>> {
        FileClaim::lock(path, &holder())
    }

    #[test]
    fn a_second_claim_is_refused_with_the_holder_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.lock");
        let first = take(&path).unwrap().unwrap();

        let error = take(&path).unwrap_err();

        assert_eq!(error.kind(), ErrorKind::Conflict);
        let shown = error.to_string();
        let expected = "a-program, process 17 on a-host, since 2026-01-02T03:04:05Z";
        assert!(shown.contains(expected), "{shown}");
        assert!(shown.contains("w.lock"), "{shown}");
        drop(first);
        assert!(take(&path).unwrap().is_some());
    }

    #[test]
    fn a_claim_leaves_no_file_and_takes_over_one_that_a_kill_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.lock");
        fs::write(
            &path,
            "left by a process that was killed, and longer".repeat(9),
        )
        .unwrap();

        let claim = take(&path).unwrap().unwrap();
        let written: Holder = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(written, holder());
        drop(claim);

        assert_eq!(path.exists(), !cfg!(unix));
    }

    #[cfg(unix)]
    #[test]
    fn many_runs_that_claim_at_once_never_hold_the_claim_together() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.lock");
        let (holding, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let Ok(Some(claim)) = take(&path) else {
                            continue;
                        };
                        assert_eq!(holding.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        holding.fetch_sub(1, Ordering::SeqCst);
                        drop(claim);
                    }
                });
            }
        });
        assert!(taken.into_inner() > 8);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_the_lock_file_is_refused_and_what_it_leads_to_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("w.lock"), folder.path().join("precious"));
        fs::write(&precious, "kept").unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();

        let error = take(&path).unwrap_err();

        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
    }

    #[test]
    fn syncs_of_different_names_have_different_lock_files() {
        let path = Path::new("missing/w.db");
        let name = |sync: &str| lock_file(path, sync).display().to_string();
        assert_eq!(name("ci"), "missing/w.db.ci.lock");
        assert_eq!(name("a/b.%"), "missing/w.db.a%2fb%2e%25.lock");
        assert_eq!(name(""), "missing/w.db..lock");
    }

    #[test]
    fn without_a_lock_file_there_is_no_claim() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            take(&folder.path().join("missing/w.lock"))
                .unwrap()
                .is_none()
        );
    }
}
