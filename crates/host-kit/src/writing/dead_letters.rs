//! The file that keeps rejected records.

use std::path::Path;

use connector_core::{DeadLetter, Record, Result};

use crate::PrivateFile;

/// Keeps each record that a destination rejected, as a [line](DeadLetter::to_line) of a file that
/// nobody else may read.
#[derive(Debug)]
pub struct DeadLetters(PrivateFile);

impl DeadLetters {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](connector_core::ErrorKind::Io), naming the file.
    pub fn open(path: &Path) -> Result<Self> {
        PrivateFile::append(path, "rejected records").map(Self)
    }

    /// Keeps `record`. It is on disk when this returns: the state that covers it is committed
    /// next, and no later sync yields it again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](connector_core::ErrorKind::Io), naming the file.
    pub(crate) fn keep(&mut self, record: Record, reason: &str) -> Result<()> {
        let line = DeadLetter::new(record, reason).to_line()?;
        self.0.write_line(&line)?;
        self.0.sync()
    }
}

#[cfg(test)]
mod tests {
    use connector_core::JsonObject;

    use super::*;

    #[test]
    fn a_rejected_record_is_one_line_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejected.jsonl");
        let data = JsonObject::parse("{\n\"id\":1}").unwrap();
        let record = Record::new("builds".into(), data);
        for reason in ["no", "again"] {
            let mut letters = DeadLetters::open(&path).unwrap();
            letters.keep(record.clone(), reason).unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        let expected = r#"{"stream":"builds","reason":"no","record":{ "id":1}}"#;
        assert_eq!(text.lines().next(), Some(expected));
        assert_eq!(text.lines().count(), 2);
    }
}
