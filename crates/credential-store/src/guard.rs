//! Who may read the files: the user alone. Systems without Unix permissions are trusted.

use std::fs::Metadata;
use std::path::Path;

use crate::Result;

/// The mode of the folder.
pub(crate) const FOLDER: u32 = 0o700;
/// The mode of the files in it.
pub(crate) const FILE: u32 = 0o600;

/// Refuses what other users may read or write, and what belongs to one of them.
///
/// What belongs to root is fine: root can read everything as it is.
#[cfg(unix)]
pub(crate) fn check(metadata: &Metadata, path: &Path, wanted: u32) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    use crate::Error;

    let owner = metadata.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return Err(Error::Foreign {
            path: path.to_owned(),
        });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::Exposed {
            path: path.to_owned(),
            mode: metadata.mode() & 0o777,
            wanted,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn check(_metadata: &Metadata, _path: &Path, _wanted: u32) -> Result<()> {
    Ok(())
}
