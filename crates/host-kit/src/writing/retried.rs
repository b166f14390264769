//! Rejected records of a copy. Each run tries them again, until the copy accepts them.
//!
//! A record that is tried again must not replace a later version of itself. So when the copy
//! accepts a record, earlier rejections of it leave the file, before the commit that makes it
//! durable. After a crash in between, the source yields the record again.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, ErrorKind as IoErrorKind};
use std::path::{Path, PathBuf};

use connector_core::{
    DeadLetter, Destination, Error, ErrorKind, Outcome, Record, Result, StreamName, WritePlan,
};

use super::expect_all;
use crate::PrivateFile;

const PURPOSE: &str = "rejected records";
/// Records that are tried again together.
const MOST_AT_ONCE: usize = 500;

/// The identity of a record in all its versions: a hash of its stream and primary key, or of the
/// whole record if there is no key.
type Id = u64;

/// A file of rejected records that each run tries again. It exists only while it holds some.
#[derive(Debug)]
pub(super) struct Retried {
    path: PathBuf,
    file: Option<PrivateFile>,
    /// The primary keys of the streams of this run.
    keys: HashMap<StreamName, Vec<String>>,
    /// What is in the file.
    waiting: HashSet<Id>,
    /// What is in the file and has since been accepted.
    accepted: HashSet<Id>,
}

impl Retried {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            keys: HashMap::new(),
            waiting: HashSet::new(),
            accepted: HashSet::new(),
        }
    }

    /// Writes the records in the file to `destination`, which has been started with `plan`. Records
    /// that it accepts are durable and no longer in the file when this returns.
    pub(super) async fn retry(
        &mut self,
        destination: &mut dyn Destination,
        plan: &WritePlan,
    ) -> Result<()> {
        for stream in &plan.streams {
            let stream = &stream.stream;
            self.keys
                .insert(stream.name.clone(), stream.primary_key.clone());
        }
        let Some(versions) = self.last_versions()? else {
            return Ok(());
        };
        let mut rest = Rest::create(&self.path)?;
        let mut batch = Vec::new();
        let most = destination.batch_limit().clamp(1, MOST_AT_ONCE);
        for line in lines(&self.path)? {
            let (number, line) = line?;
            let letter = self.parse(number, &line)?;
            match self.id(&letter.record)? {
                // This run does not write its stream.
                None => rest.write(&line)?,
                Some(id) if versions.get(&id) == Some(&number) => batch.push((id, letter)),
                Some(_) => {}
            }
            if batch.len() == most {
                self.write(std::mem::take(&mut batch), destination, &mut rest)
                    .await?;
            }
        }
        self.write(batch, destination, &mut rest).await?;
        destination.commit(None).await?;
        rest.replace(&self.path)
    }

    /// Saves a record. It is on disk when this returns.
    pub(super) fn keep(&mut self, record: Record, reason: &str) -> Result<()> {
        let id = self.id(&record)?;
        let line = DeadLetter::new(record, reason).to_line()?;
        let file = match &mut self.file {
            Some(file) => file,
            closed => closed.insert(PrivateFile::append(&self.path, PURPOSE)?),
        };
        file.write_line(&line)?;
        file.sync()?;
        if let Some(id) = id {
            self.accepted.remove(&id);
            self.waiting.insert(id);
        }
        Ok(())
    }

    /// The copy has accepted a record: an earlier version of it need not be tried again.
    pub(super) fn accept(&mut self, record: &Record) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if let Some(id) = self.id(record)?.filter(|id| self.waiting.contains(id)) {
            self.accepted.insert(id);
        }
        Ok(())
    }

    /// Removes accepted records from the file. Must be called before the commit.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.accepted.is_empty() {
            return Ok(());
        }
        let mut rest = Rest::create(&self.path)?;
        for line in lines(&self.path)? {
            let (number, line) = line?;
            let id = self.id(&self.parse(number, &line)?.record)?;
            if !id.is_some_and(|id| self.accepted.contains(&id)) {
                rest.write(&line)?;
            }
        }
        rest.replace(&self.path)?;
        self.file = None;
        for id in self.accepted.drain() {
            self.waiting.remove(&id);
        }
        Ok(())
    }

    /// Writes records again; those that are rejected again stay in the file, with the new reason.
    async fn write(
        &mut self,
        batch: Vec<(Id, DeadLetter)>,
        destination: &mut dyn Destination,
        rest: &mut Rest,
    ) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = batch
            .iter()
            .map(|(_, letter)| letter.record.clone())
            .collect();
        let outcomes = expect_all(destination.write(records).await?, batch.len())?;
        for ((id, letter), outcome) in batch.into_iter().zip(outcomes) {
            let reason = match outcome {
                Outcome::Accepted => continue,
                Outcome::Rejected(reason) => reason,
                _ => letter.reason,
            };
            self.waiting.insert(id);
            rest.write(&DeadLetter::new(letter.record, reason).to_line()?)?;
        }
        Ok(())
    }

    /// The line of the last version of each record; `None` if there is no file.
    fn last_versions(&self) -> Result<Option<HashMap<Id, usize>>> {
        if !self.path.exists() {
            return Ok(None);
        }
        let mut versions = HashMap::new();
        for line in lines(&self.path)? {
            let (number, line) = line?;
            if let Some(id) = self.id(&self.parse(number, &line)?.record)? {
                versions.insert(id, number);
            }
        }
        Ok(Some(versions))
    }

    fn parse(&self, number: usize, line: &str) -> Result<DeadLetter> {
        DeadLetter::parse(line).map_err(|error| {
            let message = format!("{}; correct the line or delete it", error.message());
            Error::new(ErrorKind::Data, message)
                .with_context("file", self.path.display())
                .with_context("line", number)
        })
    }

    /// The identity of a record; `None` for a stream that this run does not write.
    fn id(&self, record: &Record) -> Result<Option<Id>> {
        let Some(key) = self.keys.get(&record.stream) else {
            return Ok(None);
        };
        let mut hasher = DefaultHasher::new();
        record.stream.hash(&mut hasher);
        if key.is_empty() {
            record.data.as_str().hash(&mut hasher);
            return Ok(Some(hasher.finish()));
        }
        let fields = record.data.fields()?;
        for name in key {
            let value = fields.iter().find(|(field, _)| field == name);
            value.map(|(_, value)| value.get()).hash(&mut hasher);
        }
        Ok(Some(hasher.finish()))
    }
}

/// The number of records in the file at `path`; 0 if there is no file.
///
/// # Errors
/// [`ErrorKind::Io`], naming the file, if it cannot be read.
pub fn waiting_records(path: &Path) -> Result<u64> {
    if !path.exists() {
        return Ok(0);
    }
    lines(path)?.try_fold(0, |count, line| line.map(|_| count + 1))
}

/// The lines of a file that are not empty, with their numbers from 1.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<(usize, String)>> + use<>> {
    let owned = path.to_owned();
    let file = File::open(path).map_err(|error| failed("read", path, &error))?;
    let lines = BufReader::new(file).lines().enumerate();
    let lines = lines.map(move |(index, line)| {
        let line = line.map_err(|error| failed("read", &owned, &error))?;
        Ok((index + 1, line.trim_start_matches('\u{feff}').to_owned()))
    });
    let is_empty = |line: &Result<(usize, String)>| {
        line.as_ref().is_ok_and(|(_, line)| line.trim().is_empty())
    };
    Ok(lines.filter(move |line| !is_empty(line)))
}

/// Replaces the file with these lines: writes a new file beside it, then renames that.
struct Rest {
    file: PrivateFile,
    path: PathBuf,
    is_empty: bool,
}

impl Rest {
    fn create(of: &Path) -> Result<Self> {
        let mut name = of.as_os_str().to_owned();
        name.push(".new");
        let path = PathBuf::from(name);
        // A killed run may have left one.
        remove(&path)?;
        Ok(Self {
            file: PrivateFile::append(&path, PURPOSE)?,
            path,
            is_empty: true,
        })
    }

    fn write(&mut self, line: &str) -> Result<()> {
        self.is_empty = false;
        self.file.write_line(line)
    }

    fn replace(mut self, old: &Path) -> Result<()> {
        if self.is_empty {
            remove(&self.path)?;
            return remove(old);
        }
        self.file.sync()?;
        let renamed = std::fs::rename(&self.path, old);
        renamed.map_err(|error| failed("replaced", old, &error))
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(failed("removed", path, &error)),
        _ => Ok(()),
    }
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    let message = format!("the file of {PURPOSE} cannot be {what}: {error}");
    Error::new(ErrorKind::Io, message).with_context("file", path.display())
}

#[cfg(test)]
mod tests;
