//! Records that came over a wire, on their way into a destination.
//!
//! It decides when they are written and whether a state that follows them may be passed on: only
//! once they are durable, and never behind a record that was refused and kept nowhere.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use connector_core::{Destination, Error, ErrorKind, Outcome, Record, Result, Stream, WritePlan};

/// Written together at most.
const BATCH_RECORDS: usize = 1_000;
/// Bytes after which a batch is written.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Takes records for a destination that has been started.
pub struct Intake {
    destination: Box<dyn Destination>,
    dead_letters: Option<File>,
    batch: Vec<Record>,
    bytes: usize,
    refusals: Vec<Refusal>,
}

/// A record that the destination refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its stream.
    pub stream: String,
    /// A sentence without its values.
    pub reason: String,
    /// Whether it was kept with the reason: nothing is lost.
    pub is_kept: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = if self.is_kept { " and set aside" } else { "" };
        write!(
            f,
            "{}: a record was refused{kept}: {}",
            self.stream, self.reason
        )
    }
}

impl Intake {
    /// Starts the destination for `streams`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a stream that it does not take; those of its start;
    /// [`ErrorKind::Io`] if the file for refused records cannot be opened.
    pub async fn start(
        mut destination: Box<dyn Destination>,
        sync: &str,
        streams: Vec<Stream>,
        dead_letters: Option<&Path>,
    ) -> Result<Self> {
        let accepts = destination.accepts().await?;
        for stream in &streams {
            accepts.expect(&stream.name)?;
        }
        let dead_letters = dead_letters.map(open).transpose()?;
        let sync = sync.to_owned();
        // A state that it kept is of another host's making: here the host keeps the states.
        destination.start(&WritePlan { sync, streams }).await?;
        Ok(Self {
            destination,
            dead_letters,
            batch: Vec::new(),
            bytes: 0,
            refusals: Vec::new(),
        })
    }

    /// Takes a record; writes if there are enough.
    ///
    /// # Errors
    /// Those of the destination, and of the file for refused records.
    pub async fn take(&mut self, record: Record) -> Result<()> {
        self.bytes += record.data.as_str().len();
        self.batch.push(record);
        let most = self.destination.most_at_once().min(BATCH_RECORDS);
        if self.batch.len() >= most || self.bytes >= BATCH_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    /// Makes everything taken so far durable.
    ///
    /// # Errors
    /// Those of the destination, and of the file for refused records.
    pub async fn commit(&mut self) -> Result<()> {
        self.write().await?;
        self.destination.commit(None).await
    }

    /// What was refused since this was last asked.
    pub fn take_refusals(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.refusals)
    }

    /// Lets the destination come to its end, after the last commit.
    ///
    /// # Errors
    /// Those of the destination.
    pub async fn finish(&mut self) -> Result<()> {
        self.destination.finish().await
    }

    async fn write(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        // Records are moved into the destination; of refused ones more than that is needed.
        let keeps = self.dead_letters.is_some();
        let names: Vec<_> = batch.iter().map(|record| record.stream.clone()).collect();
        let copies = if keeps { batch.clone() } else { Vec::new() };
        let outcomes = self.destination.write(batch).await?;
        if outcomes.len() != names.len() {
            let (sent, told) = (names.len(), outcomes.len());
            let message =
                format!("the destination was given {sent} records and answered for {told}");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        for (index, outcome) in outcomes.into_iter().enumerate() {
            let (reason, mut is_kept) = match outcome {
                Outcome::Rejected(reason) => (reason, false),
                Outcome::SetAside(reason) => (reason, true),
                _ => continue,
            };
            if let (false, Some(file), Some(record)) =
                (is_kept, &mut self.dead_letters, copies.get(index))
            {
                keep(file, record, &reason)?;
                is_kept = true;
            }
            self.refusals.push(Refusal {
                stream: names[index].as_str().to_owned(),
                reason,
                is_kept,
            });
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<File> {
    let file = File::options().append(true).create(true).open(path);
    file.map_err(|error| {
        let message = format!("the file for refused records cannot be opened: {error}");
        Error::new(ErrorKind::Io, message).with_context("file", path.display())
    })
}

/// On disk before the run goes on.
fn keep(file: &mut File, record: &Record, reason: &str) -> Result<()> {
    let line = record.dead_letter(reason)?;
    let written = file.write_all((line + "\n").as_bytes());
    written.and_then(|()| file.sync_data()).map_err(|error| {
        let message = format!("the file for refused records cannot be written to: {error}");
        Error::new(ErrorKind::Io, message)
    })
}
