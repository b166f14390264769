//! Files that only their owner may read, because they hold records.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result};

/// A file to which lines are appended. It is created with mode 0600.
#[derive(Debug)]
pub struct PrivateFile {
    file: File,
    path: PathBuf,
    purpose: &'static str,
}

impl PrivateFile {
    /// Opens a file for appending, or creates it. `purpose` names it in errors: `rejected records`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file, if it cannot be opened or is not a regular file.
    pub fn append(path: &Path, purpose: &'static str) -> Result<Self> {
        // Opening a pipe without a reader would never return.
        let is_irregular = path.metadata().is_ok_and(|found| !found.is_file());
        let file = if is_irregular {
            Err(std::io::Error::other("it is not a regular file"))
        } else {
            options().append(true).create(true).open(path)
        };
        let path = path.to_owned();
        match file {
            Ok(file) => Ok(Self {
                file,
                path,
                purpose,
            }),
            Err(error) => Err(failed(purpose, &path, "opened", &error)),
        }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file.
    pub fn write_line(&mut self, line: &str) -> Result<()> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| failed(self.purpose, &self.path, "written to", &error))
    }

    /// Returns once everything written is on disk.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file.
    pub fn sync(&mut self) -> Result<()> {
        let synced = self.file.sync_data();
        synced.map_err(|error| failed(self.purpose, &self.path, "written to", &error))
    }
}

fn options() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn failed(purpose: &str, path: &Path, what: &str, error: &std::io::Error) -> Error {
    let message = format!("the file for {purpose} cannot be {what}: {error}");
    Error::new(ErrorKind::Io, message).with_context("file", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut file = PrivateFile::append(&path, "tests").unwrap();
        file.write_line("one").unwrap();
        file.sync().unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\n");
    }

    #[test]
    fn a_folder_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = PrivateFile::append(folder.path(), "tests").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let text = error.to_string();
        assert!(
            text.contains("the file for tests cannot be opened"),
            "{text}"
        );
    }
}
