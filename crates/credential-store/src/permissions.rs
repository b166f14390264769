//! Only the user may read the files. On systems without Unix permissions this is not checked.

use std::fs::Metadata;
use std::path::Path;

use crate::Result;

/// The mode of the folder.
pub(crate) const FOLDER: u32 = 0o700;
/// The mode of the files in it.
pub(crate) const FILE: u32 = 0o600;

/// Refuses what other users may read or write, and what belongs to another user.
///
/// Files of root are accepted: root can read everything anyway.
#[cfg(unix)]
pub(crate) fn check(metadata: &Metadata, path: &Path, wanted: u32) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    use crate::Error;

    let owner = metadata.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return Err(Error::OtherOwner {
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
