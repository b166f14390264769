//! The folder: private files, read whole and replaced whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

use crate::{Error, Result, permissions};

/// The prefix of files that are still being written.
const UNFINISHED: &str = ".unfinished-";

/// A folder that only its user can open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder, if it exists.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path, error)),
        };
        if !metadata.is_dir() {
            return Err(Error::WrongFileType {
                path: path.to_owned(),
                wanted: "a folder",
            });
        }
        permissions::check(&metadata, path, permissions::FOLDER)?;
        Ok(Some(Self {
            path: path.to_owned(),
        }))
    }

    /// The folder; creates it and its parents if they do not exist.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, permissions::FOLDER);
        match builder.create(path) {
            // Something other than a folder has this name: `find` says so.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed("created", path, error));
            }
            _ => {}
        }
        Self::find(path)?.ok_or_else(|| failed("created", path, ErrorKind::NotFound.into()))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file as it was at one moment; `None` if it does not exist.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.file(name);
        if !is_plain_file(&path)? {
            return Ok(None);
        }
        let io = |error| failed("read", &path, error);
        let mut file = File::open(&path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        permissions::check(&metadata, &path, permissions::FILE)?;
        // Room for the whole file from the start: a buffer that grows leaves copies behind.
        let capacity = usize::try_from(metadata.len()).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        file.read_to_end(&mut bytes).map_err(io)?;
        Ok(Some(bytes))
    }

    /// A file that every store has.
    pub(crate) fn read_required(&self, name: &str) -> Result<Zeroizing<Vec<u8>>> {
        let missing = || Error::Missing {
            path: self.file(name),
        };
        self.read(name)?.ok_or_else(missing)
    }

    /// Waits until no other process or thread writes, and makes them wait in turn.
    pub(crate) fn lock(&self) -> Result<LockedFolder<'_>> {
        let path = self.file("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, permissions::FILE);
        let io = |error| failed("locked", &path, error);
        let file = options.open(&path).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(LockedFolder {
            folder: self,
            _file: file,
        })
    }
}

/// The right to write to a folder. Dropping it, or the end of the process, returns it.
#[derive(Debug)]
pub(crate) struct LockedFolder<'a> {
    folder: &'a Folder,
    _file: File,
}

impl LockedFolder<'_> {
    /// Replaces a file. A reader, even after a crash, finds the old or the new one complete.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.file(name);
        let io = |error| failed("written", &path, error);
        self.write_unfinished(bytes)
            .and_then(|file| file.persist(&path).map_err(|failed| failed.error))
            .map_err(io)?;
        self.sync().map_err(io)
    }

    /// Writes a file that must not exist yet.
    pub(crate) fn add(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.file(name);
        let io = |error| failed("created", &path, error);
        self.write_unfinished(bytes)
            .and_then(|file| file.persist_noclobber(&path).map_err(|failed| failed.error))
            .map_err(io)?;
        self.sync().map_err(io)
    }

    /// Writes a file of mode 0600 under a temporary name, and waits until the disk has it.
    fn write_unfinished(&self, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
        self.remove_unfinished()?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.folder.path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Removes the files of writers that were killed. Nobody else writes while the lock is held.
    fn remove_unfinished(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder.path)? {
            let entry = entry?;
            if entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(UNFINISHED.as_bytes())
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Makes a new file name as durable as the file's bytes.
    fn sync(&self) -> std::io::Result<()> {
        #[cfg(unix)]
        File::open(&self.folder.path)?.sync_all()?;
        Ok(())
    }
}

/// Whether the file exists. Symbolic links are refused: they may lead to a file of another user.
fn is_plain_file(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(_) => Err(Error::WrongFileType {
            path: path.to_owned(),
            wanted: "a plain file",
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("read", path, error)),
    }
}

fn failed(what: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        what,
        path: path.to_owned(),
        source,
    }
}
