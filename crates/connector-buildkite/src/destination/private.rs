//! Files that hold records: nobody else is to read them.

use std::fs::{File, OpenOptions};

/// As [`File::options`]; a new file is the user's alone, where the system knows of that.
pub(crate) fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
