//! Fetches the content of one artifact.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use buildkite_client::{Download, Error as ClientError, Retrieval};
use connector_core::{Error, ErrorKind, Result};
use sha1::{Digest, Sha1};

use super::file::ArtifactFile;
use crate::error::explain;

/// An artifact may end early this many times in a row without anything new before it is given up.
const MOST_FRUITLESS: u32 = 5;
/// Content with a wrong checksum is fetched at most this many times: the part that was already
/// there may have been old.
const MOST_WRONG: u32 = 2;
/// What to do about an artifact that was given up.
const KEPT: &str = "; what has arrived is kept, and the same command resumes from there";

/// What became of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is now.
    pub path: PathBuf,
    /// Bytes that were fetched; 0 if it was there already.
    pub bytes: u64,
    /// How many times it was requested.
    pub tries: u32,
}

/// The fetch of one artifact.
pub(super) struct Fetch<'a> {
    pub(super) retrieval: Retrieval,
    pub(super) artifact: &'a ArtifactFile,
    /// Holds what has arrived so far.
    pub(super) part: PathBuf,
}

/// What one try brought.
struct Piece {
    bytes: u64,
    /// Why it is not the last, if the connection says so.
    cut: Option<String>,
}

/// How often a fetch has brought nothing.
#[derive(Default)]
struct Failures {
    /// Tries in a row that brought nothing new.
    fruitless: u32,
    /// Whole contents with a wrong checksum.
    wrong: u32,
    /// The most bytes that there have been.
    most: u64,
}

impl Fetch<'_> {
    /// Fetches the artifact to `path`, unless the right content is there already.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if the content is not what the API says; [`ErrorKind::Io`] if it cannot
    /// be written; those of a read.
    pub(super) async fn run(mut self, path: &Path) -> Result<Fetched> {
        let done = |bytes, tries| Fetched {
            path: path.to_owned(),
            bytes,
            tries,
        };
        if path.is_file() && self.is_right(path)? {
            return Ok(done(0, 0));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| cannot_write(parent, error))?;
        }
        let (mut bytes, mut tries) = (0, 0);
        let mut failures = Failures {
            most: self.arrived(),
            ..Failures::default()
        };
        loop {
            let piece = self.fetch_rest().await?;
            (bytes, tries) = (bytes + piece.bytes, tries + 1);
            if let Some(cut) = self.cut(piece) {
                self.pause(&mut failures, cut).await?;
            } else if self.is_right(&self.part)? {
                fs::rename(&self.part, path).map_err(|error| cannot_write(path, error))?;
                return Ok(done(bytes, tries));
            } else {
                self.discard(&mut failures)?;
            }
        }
    }

    /// How much has arrived.
    fn arrived(&self) -> u64 {
        fs::metadata(&self.part).map_or(0, |part| part.len())
    }

    /// Why content is still missing; `None` if it has all arrived.
    fn cut(&self, piece: Piece) -> Option<String> {
        let arrived = self.arrived();
        let size = self.artifact.file_size.unwrap_or(0);
        let is_short = arrived < size;
        let how_short = || format!("the content ends after {arrived} of {size} bytes");
        piece.cut.or_else(|| is_short.then(how_short))
    }

    /// Waits before the next try, unless there were too many in vain.
    async fn pause(&mut self, failures: &mut Failures, cut: String) -> Result<()> {
        let arrived = self.arrived();
        if arrived > failures.most {
            failures.fruitless = 0;
            failures.most = arrived;
            self.retrieval.made_progress();
        } else {
            failures.fruitless += 1;
        }
        if failures.fruitless == MOST_FRUITLESS {
            return Err(Error::new(ErrorKind::Unavailable, cut + KEPT));
        }
        self.retrieval.pause(&cut).await.map_err(explain)
    }

    /// Removes content that is not what the API says.
    fn discard(&self, failures: &mut Failures) -> Result<()> {
        fs::remove_file(&self.part).map_err(|error| cannot_write(&self.part, error))?;
        failures.wrong += 1;
        if failures.wrong < MOST_WRONG {
            return Ok(());
        }
        let message = "its content has another size or SHA-1 than Buildkite says; nothing of it \
                       is kept";
        Err(Error::new(ErrorKind::Data, message))
    }

    /// Fetches what is still missing.
    async fn fetch_rest(&self) -> Result<Piece> {
        let arrived = self.arrived();
        let is_whole = self.artifact.file_size.is_some_and(|size| arrived >= size);
        let from = if is_whole { 0 } else { arrived };
        let mut download = self.retrieval.from(from).await.map_err(explain)?;
        let mut file = self.open_part(&download)?;
        let mut piece = Piece {
            bytes: 0,
            cut: None,
        };
        loop {
            match download.next().await {
                Ok(Some(part)) => {
                    let written = file.write_all(&part);
                    written.map_err(|error| cannot_write(&self.part, error))?;
                    piece.bytes += part.len() as u64;
                }
                Ok(None) => break,
                Err(ClientError::CutShort { reason, .. }) => {
                    piece.cut = Some(reason);
                    break;
                }
                Err(error) => return Err(explain(error)),
            }
        }
        let synced = file.sync_all();
        synced.map_err(|error| cannot_write(&self.part, error))?;
        Ok(piece)
    }

    fn open_part(&self, download: &Download) -> Result<File> {
        let mut options = OpenOptions::new();
        match download.starts_at {
            0 => options.write(true).create(true).truncate(true),
            _ => options.append(true),
        };
        let file = options.open(&self.part);
        file.map_err(|error| cannot_write(&self.part, error))
    }

    /// Whether a file is what the API says.
    fn is_right(&self, path: &Path) -> Result<bool> {
        let in_path = |error| cannot_write(path, error);
        let mut file = File::open(path).map_err(in_path)?;
        let length = file.metadata().map_err(in_path)?.len();
        if self.artifact.file_size.is_some_and(|size| size != length) {
            return Ok(false);
        }
        let Some(expected) = &self.artifact.sha1sum else {
            return Ok(true);
        };
        let mut hash = Sha1::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer).map_err(in_path)? {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        let digits: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        Ok(digits.eq_ignore_ascii_case(expected))
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read or write: {error}"))
        .with_context("file", path.display())
        .with_source(error)
}
