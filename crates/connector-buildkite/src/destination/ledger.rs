//! Where results and refused records are kept.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use connector_core::{
    Destination, Error, ErrorKind, JsonObject, Outcome, Record, Result, WritePlan,
};

use super::private;
use super::row::{RESULTS, ResultRow};
use crate::mask::Mask;

/// Both.
pub(crate) struct Ledger {
    results: Results,
    dead_letters: Option<Lines>,
    mask: Mask,
}

/// Where results go.
enum Results {
    Nowhere,
    File(Lines),
    Destination(Box<dyn Destination>),
}

impl Ledger {
    /// Opens both. A destination that a host gave goes before a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] for a file that cannot be opened, and those of the destination.
    pub(crate) async fn open(
        sync: &str,
        file: Option<&Path>,
        destination: Option<Box<dyn Destination>>,
        dead_letters: Option<&Path>,
    ) -> Result<Self> {
        let results = match (destination, file) {
            (Some(mut destination), _) => {
                let plan = WritePlan {
                    sync: format!("{RESULTS} of {sync}"),
                    streams: vec![ResultRow::stream()],
                };
                destination.start(&plan).await?;
                Results::Destination(destination)
            }
            (None, Some(path)) => Results::File(Lines::open("results", path)?),
            (None, None) => Results::Nowhere,
        };
        Ok(Self {
            results,
            dead_letters: dead_letters
                .map(|path| Lines::open("dead_letter", path))
                .transpose()?,
            mask: Mask::new(&[])?,
        })
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], and those of the destination.
    pub(crate) async fn write(&mut self, row: &ResultRow) -> Result<()> {
        if let Results::Nowhere = self.results {
            return Ok(());
        }
        let data = JsonObject::from_serialize(row)?;
        let record = Record::new(RESULTS.into(), data);
        // A dry run shows what would be sent, as it would be sent.
        let record = match row.requests.is_empty() {
            true => self.mask.apply(record),
            false => record,
        };
        match &mut self.results {
            Results::Nowhere => Ok(()),
            Results::File(lines) => lines.write(&record.data.single_line()),
            Results::Destination(destination) => {
                let outcomes = destination.write(vec![record]).await?;
                match outcomes.into_iter().next() {
                    Some(Outcome::Rejected(reason)) => Err(Error::new(
                        ErrorKind::Data,
                        format!("the destination of results refuses a result: {reason}"),
                    )),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Keeps a refused record, if there is a place for it: on disk when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub(crate) fn set_aside(&mut self, record: &Record, reason: &str) -> Result<bool> {
        let Some(lines) = &mut self.dead_letters else {
            return Ok(false);
        };
        let line = record.dead_letter(reason)?;
        lines.write(&line)?;
        lines.sync()?;
        Ok(true)
    }

    /// Makes the results durable.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], and those of the destination.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        match &mut self.results {
            Results::Nowhere => Ok(()),
            Results::File(lines) => lines.sync(),
            Results::Destination(destination) => destination.commit(None).await,
        }
    }

    /// The last call.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub(crate) async fn finish(&mut self) -> Result<()> {
        self.commit().await?;
        match &mut self.results {
            Results::Destination(destination) => destination.finish().await,
            _ => Ok(()),
        }
    }
}

/// A file that grows by lines. They are short and few a second: they are written where they
/// arise.
struct Lines {
    file: File,
    path: PathBuf,
    key: &'static str,
}

impl Lines {
    fn open(key: &'static str, path: &Path) -> Result<Self> {
        let file = private::options().append(true).create(true).open(path);
        let path = path.to_owned();
        match file {
            Ok(file) => Ok(Self { file, path, key }),
            Err(error) => Err(failed(key, &path, "opened", &error)),
        }
    }

    fn write(&mut self, line: &str) -> Result<()> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| failed(self.key, &self.path, "written to", &error))
    }

    fn sync(&mut self) -> Result<()> {
        let synced = self.file.sync_data();
        synced.map_err(|error| failed(self.key, &self.path, "written to", &error))
    }
}

fn failed(key: &str, path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("the file of `{key}` cannot be {what}: {error}"),
    )
    .with_context("file", path.display())
}
