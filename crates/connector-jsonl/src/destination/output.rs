//! A buffer of lines for a file or pipe.

use std::fs::File;
use std::io::{self, Write};

/// Bytes that are collected before they are written.
const CAPACITY: usize = 512 * 1024;

/// A writer with its buffer. When it is dropped, the buffer is lost: it was not committed.
#[derive(Debug)]
pub(crate) struct Output<W> {
    writer: W,
    buffer: Vec<u8>,
    length: u64,
}

impl<W: Write> Output<W> {
    /// Writes after `length` existing bytes.
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

    /// Passes everything to the operating system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        // The memory of one huge record is not kept for the rest of the sync.
        self.buffer.shrink_to(2 * CAPACITY);
        self.writer.flush()
    }

    /// The length once everything is written.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

impl Output<File> {
    /// Whether another program has changed the length of the file.
    pub(crate) fn is_changed(&self) -> io::Result<bool> {
        let written = self.length - self.buffer.len() as u64;
        Ok(self.writer.metadata()?.len() != written)
    }

    /// Passes everything to the disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.sync_data()
    }
}
