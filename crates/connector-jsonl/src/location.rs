//! What a path means.

use std::fs;
use std::path::PathBuf;

/// Where lines are read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// Standard input or output.
    Standard,
    /// A named pipe or a device.
    Pipe(PathBuf),
    /// One regular file, which may not exist yet.
    File(PathBuf),
    /// A folder with a file for each stream, which may not exist yet.
    Folder(PathBuf),
}

impl Location {
    /// What exists at the path decides, then how the path ends.
    pub(crate) fn of(path: &str) -> Self {
        if path == "-" {
            return Self::Standard;
        }
        let file = PathBuf::from(path);
        match fs::metadata(&file) {
            Ok(found) if found.is_dir() => Self::Folder(file),
            Ok(found) if !found.is_file() => Self::Pipe(file),
            _ if path.ends_with(['/', std::path::MAIN_SEPARATOR]) => Self::Folder(file),
            _ => Self::File(file),
        }
    }
}
