//! The file of rejected records.

use std::path::{Path, PathBuf};

use connector_core::{DeadLetter, Destination, Record, Result, WritePlan};

use super::retried::Retried;
use crate::PrivateFile;

/// Saves each record that a destination rejected, as a [line](DeadLetter::to_line) of a file that
/// only its owner may read.
#[derive(Debug)]
pub struct DeadLetters(Kind);

#[derive(Debug)]
enum Kind {
    Saved(PrivateFile),
    Retried(Retried),
}

impl DeadLetters {
    /// Opens the file, or creates it. What it already holds stays.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](connector_core::ErrorKind::Io), naming the file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = PrivateFile::append(path, "rejected records")?;
        Ok(Self(Kind::Saved(file)))
    }

    /// The file beside a copy. Each run begins by trying the records in the file again. It is
    /// created with the first rejected record, and removed once the copy has accepted all of them.
    #[must_use]
    pub fn retried(path: PathBuf) -> Self {
        Self(Kind::Retried(Retried::new(path)))
    }

    /// Tries the records in the file again, if the file is one beside a copy. `destination` has
    /// been started with `plan`.
    pub(super) async fn retry(
        &mut self,
        destination: &mut dyn Destination,
        plan: &WritePlan,
    ) -> Result<()> {
        match &mut self.0 {
            Kind::Saved(_) => Ok(()),
            Kind::Retried(retried) => retried.retry(destination, plan).await,
        }
    }

    /// Saves `record`. It is on disk when this returns: the state that covers it is committed
    /// next, and no later sync yields it again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](connector_core::ErrorKind::Io), naming the file.
    pub(super) fn keep(&mut self, record: Record, reason: &str) -> Result<()> {
        match &mut self.0 {
            Kind::Saved(file) => {
                let line = DeadLetter::new(record, reason).to_line()?;
                file.write_line(&line)?;
                file.sync()
            }
            Kind::Retried(retried) => retried.keep(record, reason),
        }
    }

    /// The destination has accepted `record`.
    pub(super) fn accept(&mut self, record: &Record) -> Result<()> {
        match &mut self.0 {
            Kind::Saved(_) => Ok(()),
            Kind::Retried(retried) => retried.accept(record),
        }
    }

    /// Must be called before each commit.
    pub(super) fn settle(&mut self) -> Result<()> {
        match &mut self.0 {
            Kind::Saved(_) => Ok(()),
            Kind::Retried(retried) => retried.settle(),
        }
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
