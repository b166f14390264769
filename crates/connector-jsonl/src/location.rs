//! What a path means.

use std::fs;
use std::path::PathBuf;

/// Where lines are read from or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// Standard input or output.
    Standard,
    /// A named pipe or a device: like standard input or output, with a name.
    Pipe(PathBuf),
    /// One regular file, there or not.
    File(PathBuf),
    /// A folder with a file for each stream, there or not.
    Folder(PathBuf),
}

impl Location {
    /// Looks at the path: what is there decides, then how it ends.
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
