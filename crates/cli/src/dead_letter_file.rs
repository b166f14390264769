//! Refused records, as JSON lines in a file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use connector_core::{Error, ErrorKind, Record, Result};
use sync_runner::DeadLetters;

/// Appends; a line is on disk before the sync goes on.
pub(crate) struct DeadLetterFile(File);

impl DeadLetterFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::options().append(true).create(true).open(path);
        file.map(Self).map_err(|error| {
            let message = format!("the file for refused records cannot be opened: {error}");
            Error::new(ErrorKind::Io, message).with_context("file", path.display())
        })
    }
}

impl DeadLetters for DeadLetterFile {
    fn take(&mut self, record: &Record, reason: &str) -> Result<()> {
        let line = record.dead_letter(reason)? + "\n";
        let written = self.0.write_all(line.as_bytes());
        written.and_then(|()| self.0.sync_data()).map_err(|error| {
            let message = format!("the file for refused records cannot be written to: {error}");
            Error::new(ErrorKind::Io, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use connector_core::JsonObject;

    use super::*;

    #[test]
    fn a_refused_record_is_one_line_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refused.jsonl");
        let record = Record::new("builds".into(), JsonObject::parse("{\n\"id\":1}").unwrap());

        for reason in ["no", "again"] {
            let mut file = DeadLetterFile::open(&path).unwrap();
            file.take(&record, reason).unwrap();
        }

        let text = std::fs::read_to_string(path).unwrap();
        let expected = r#"{"stream":"builds","reason":"no","record":{ "id":1}}"#;
        assert_eq!(text.lines().next(), Some(expected));
        assert_eq!(text.lines().count(), 2);
    }
}
