//! Lines on their way into a file or pipe: gathered, then written with few calls.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Bytes that are gathered before they are written.
const CAPACITY: usize = 512 * 1024;

/// A writer with its buffer. Dropped, what is in the buffer is lost: it was not committed.
#[derive(Debug)]
pub(crate) struct Output<W> {
    writer: W,
    buffer: Vec<u8>,
    length: u64,
}

impl<W: Write> Output<W> {
    /// Writes behind `length` bytes that are there.
    pub(crate) fn new(writer: W, length: u64) -> Self {
        Self {
            writer,
            buffer: Vec::new(),
            length,
        }
    }

    /// Adds the parts of one line.
    pub(crate) fn line(&mut self, parts: [&str; 3]) -> io::Result<()> {
        for part in parts {
            self.buffer.extend_from_slice(part.as_bytes());
            self.length += part.len() as u64;
        }
        if self.buffer.len() >= CAPACITY {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands everything to the system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        // One huge record must not hold its memory for the rest of the sync.
        self.buffer.shrink_to(2 * CAPACITY);
        self.writer.flush()
    }

    /// Bytes written and still to be written, and those that were there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

impl Output<File> {
    /// Whether somebody else has written to the file, or cut it.
    pub(crate) fn is_changed(&self) -> io::Result<bool> {
        let written = self.length - self.buffer.len() as u64;
        Ok(self.writer.metadata()?.len() != written)
    }

    /// Hands everything to the disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.sync_data()
    }
}

/// Makes the name of a new file durable, where folders can be opened for that.
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

/// Proves that files can be made in a folder, with a file that has no name.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}
