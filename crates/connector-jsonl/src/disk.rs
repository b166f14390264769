//! Files and folders on disk.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;

/// Makes the name of a new file durable, where folders can be opened.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match File::open(folder_of(path)) {
        Ok(folder) => folder.sync_all(),
        Err(_) => Ok(()),
    }
}

/// The folder that a path is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Proves that files can be created in a folder. Uses a file without a name.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(|_| ())
}

/// Cuts a file to a length, and moves to its end.
pub(crate) fn cut(file: &mut File, end: u64) -> io::Result<()> {
    if file.metadata()?.len() > end {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end)).map(|_| ())
}
