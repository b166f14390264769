//! The folder: private files, read whole and replaced whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

use crate::{Error, Result, guard};

/// What the names of files begin with that are not whole yet.
const UNFINISHED: &str = ".unfinished-";

/// A folder that only its user can look into.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder, if it is there.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path, error)),
        };
        if !metadata.is_dir() {
            return Err(Error::Strange {
                path: path.to_owned(),
                wanted: "a folder",
            });
        }
        guard::check(&metadata, path, guard::FOLDER)?;
        Ok(Some(Self {
            path: path.to_owned(),
        }))
    }

    /// The folder, made with those above it if it is not there.
    pub(crate) fn make(path: &Path) -> Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, guard::FOLDER);
        match builder.create(path) {
            // Something else than a folder is there: `find` says so.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed("created", path, error));
            }
            _ => {}
        }
        Self::find(path)?.ok_or_else(|| failed("created", path, ErrorKind::NotFound.into()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file as it was at one moment; `None` if it is not there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.file(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => {
                return Err(Error::Strange {
                    path,
                    wanted: "a plain file",
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, error)),
        }
        let io = |error| failed("read", &path, error);
        let mut file = File::open(&path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        guard::check(&metadata, &path, guard::FILE)?;
        // Room for all of it from the start: a buffer that grows leaves copies behind.
        let room = usize::try_from(metadata.len()).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.read_to_end(&mut bytes).map_err(io)?;
        Ok(Some(bytes))
    }

    /// A file that the store cannot be without.
    pub(crate) fn read_present(&self, name: &str) -> Result<Zeroizing<Vec<u8>>> {
        let missing = || Error::Missing {
            path: self.file(name),
        };
        self.read(name)?.ok_or_else(missing)
    }

    /// Waits until no other process or thread writes, and keeps them waiting meanwhile.
    pub(crate) fn lock(&self) -> Result<Locked<'_>> {
        let path = self.file("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, guard::FILE);
        let io = |error| failed("locked", &path, error);
        let file = options.open(&path).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(Locked {
            folder: self,
            _file: file,
        })
    }
}

/// The right to write to a folder. Dropping it, or the end of the process, gives it back.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    folder: &'a Folder,
    _file: File,
}

impl Locked<'_> {
    /// Replaces a file: whoever reads it, even after a crash, finds the old or the new one whole.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.file(name);
        let io = |error| failed("written", &path, error);
        self.unfinished(bytes)
            .and_then(|file| file.persist(&path).map_err(|failed| failed.error))
            .map_err(io)?;
        self.sync().map_err(io)
    }

    /// The same for a file that must not be there yet.
    pub(crate) fn add(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.file(name);
        let io = |error| failed("created", &path, error);
        self.unfinished(bytes)
            .and_then(|file| file.persist_noclobber(&path).map_err(|failed| failed.error))
            .map_err(io)?;
        self.sync().map_err(io)
    }

    /// A file of mode 0600 under another name, on the disk for good.
    fn unfinished(&self, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
        self.sweep()?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.folder.path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Removes what writers left that were killed: nobody else writes now.
    fn sweep(&self) -> std::io::Result<()> {
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

    /// Makes a new name as durable as the bytes behind it.
    fn sync(&self) -> std::io::Result<()> {
        #[cfg(unix)]
        File::open(&self.folder.path)?.sync_all()?;
        Ok(())
    }
}

fn failed(what: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        what,
        path: path.to_owned(),
        source,
    }
}
