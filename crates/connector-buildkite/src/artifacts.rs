//! The content of artifacts, into a folder.
//!
//! Content is no record: it is fetched on request, build by build. What is there already, whole
//! and right, is not fetched again; what was cut short goes on where it stopped.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use buildkite_client::{Client, Error as ClientError, Paging, Retrieval};
use connector_core::{Error, ErrorKind, Result, Setup};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha1::{Digest, Sha1};

use crate::config::Config;
use crate::connector::client;
use crate::error::explain;
use crate::listener::forward;

/// So often in a row an artifact may end early without anything new before it is given up.
const MOST_FRUITLESS: u32 = 5;
/// So often content with another checksum is fetched: what was there of it may have been old.
const MOST_WRONG: u32 = 2;
/// What to do about one that was given up.
const KEPT: &str = "; what has arrived is kept, and the same command goes on from there";

/// Which artifacts.
#[derive(Debug, Clone)]
pub struct ArtifactQuery {
    /// Slug of the organization.
    pub organization: String,
    /// Slug of the pipeline.
    pub pipeline: String,
    /// Number of the build.
    pub build: u64,
    /// Only this path, in which `*` stands for anything.
    pub path: Option<String>,
}

/// An artifact that can be fetched.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ArtifactFile {
    /// Its id.
    pub id: String,
    /// The job that uploaded it.
    pub job_id: String,
    /// `finished` if its content can be fetched.
    pub state: Option<String>,
    /// Path under which it was uploaded.
    pub path: String,
    /// Size in bytes.
    pub file_size: Option<u64>,
    /// SHA-1 of the content, in hex.
    pub sha1sum: Option<String>,
}

/// What became of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is now.
    pub path: PathBuf,
    /// Bytes that were fetched; 0 if it was there already.
    pub bytes: u64,
    /// How often it was asked for.
    pub tries: u32,
}

/// Fetches the content of artifacts.
#[derive(Clone)]
pub struct Artifacts {
    client: Client,
    at_once: usize,
}

impl Artifacts {
    /// With the configuration of the source. Nothing is requested yet.
    ///
    /// # Errors
    /// Those of opening the source.
    pub fn open(setup: Setup) -> Result<Self> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        let client = client(&config)?;
        Ok(Self {
            at_once: config.max_concurrency as usize,
            client: client.with_observer(forward(&setup.observer, None)),
        })
    }

    /// The artifacts of a build, in the order of the API.
    ///
    /// # Errors
    /// Those of a read; [`ErrorKind::NotFound`] if there is no such build.
    pub async fn list(&self, query: &ArtifactQuery) -> Result<Vec<ArtifactFile>> {
        let number = query.build.to_string();
        let segments = [
            "v2",
            "organizations",
            &query.organization,
            "pipelines",
            &query.pipeline,
            "builds",
            &number,
            "artifacts",
        ];
        let filter: Vec<_> = query
            .path
            .iter()
            .map(|path| ("path", path.as_str()))
            .collect();
        let items = self.client.list(&segments, &filter, Paging::Number);
        let items: Vec<_> = items.try_collect().await.map_err(explain)?;
        let artifact = |raw: &RawValue| {
            serde_json::from_str(raw.get()).map_err(|_| {
                Error::new(
                    ErrorKind::Protocol,
                    "an artifact lacks `id`, `job_id` or `path`",
                )
            })
        };
        items.iter().map(|raw| artifact(raw)).collect()
    }

    /// Fetches artifacts as [`fetch`](Self::fetch) does, `max_concurrency` at the same time, and
    /// yields each as it is done, or failed; one that fails stops no other.
    ///
    /// A job may upload several artifacts with one path: the first of them gets it, the others go
    /// to `FOLDER/JOB_ID/ARTIFACT_ID/PATH`.
    pub fn fetch_all(
        &self,
        organization: &str,
        artifacts: Vec<ArtifactFile>,
        folder: &Path,
    ) -> impl Stream<Item = Result<Fetched>> + Send + 'static {
        let this = self.clone();
        let (organization, folder) = (organization.to_owned(), folder.to_owned());
        let mut taken = HashSet::new();
        let placed = artifacts.into_iter().map(move |artifact| {
            // Some file systems do not tell `A` from `a`.
            let place = format!("{}/{}", artifact.job_id, artifact.path).to_lowercase();
            let is_first = taken.insert(place);
            (artifact, is_first)
        });
        let fetched = stream::iter(placed).map(move |(artifact, is_first)| {
            let (this, organization, folder) = (this.clone(), organization.clone(), folder.clone());
            async move {
                let place = match is_first {
                    true => String::new(),
                    false => artifact.id.clone(),
                };
                this.fetch_to(&organization, &artifact, &folder, &place)
                    .await
            }
        });
        fetched.buffer_unordered(self.at_once)
    }

    /// Fetches one artifact to `FOLDER/JOB_ID/PATH`, checked by size and SHA-1.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if its path leads out of the folder, or its content is not what the
    /// API says; [`ErrorKind::Io`] if it cannot be written; those of a read.
    pub async fn fetch(
        &self,
        organization: &str,
        artifact: &ArtifactFile,
        folder: &Path,
    ) -> Result<Fetched> {
        self.fetch_to(organization, artifact, folder, "").await
    }

    /// `place` is below the folder of the job.
    async fn fetch_to(
        &self,
        organization: &str,
        artifact: &ArtifactFile,
        folder: &Path,
        place: &str,
    ) -> Result<Fetched> {
        let place = format!("{}/{place}/{}", artifact.job_id, artifact.path);
        // Each part for itself: a job id that is a path from the root must not pass.
        let [job_id, id] = [&artifact.job_id, &artifact.id].map(|part| inside(part));
        let relative = job_id.and(id).and(inside(&artifact.path));
        let path = folder.join(relative.and_then(|_| inside(&place))?);
        let segments = [
            "v2",
            "organizations",
            organization,
            "jobs",
            &artifact.job_id,
            "artifacts",
            &artifact.id,
            "download",
        ];
        let fetch = Fetch {
            retrieval: self.client.retrieval(&segments),
            artifact,
            part: with_ending(&path, &format!(".{}.part", artifact.id)),
        };
        let fetched = fetch.to(&path).await;
        fetched.map_err(|error| {
            error
                .with_context("artifact", artifact.path.escape_debug())
                .with_context("file", path.display().to_string().escape_debug())
        })
    }
}

struct Fetch<'a> {
    retrieval: Retrieval,
    artifact: &'a ArtifactFile,
    /// What has arrived so far.
    part: PathBuf,
}

/// What one try brought.
struct Piece {
    bytes: u64,
    /// Why it is not the last, if the connection says so.
    cut: Option<String>,
}

impl Fetch<'_> {
    async fn to(mut self, path: &Path) -> Result<Fetched> {
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
        let (mut bytes, mut tries, mut wrong) = (0, 0, 0);
        let (mut most, mut fruitless) = (self.has(), 0);
        loop {
            let piece = self.go_on().await?;
            (bytes, tries) = (bytes + piece.bytes, tries + 1);
            let has = self.has();
            let is_short = self.artifact.file_size.is_some_and(|size| has < size);
            if is_short || piece.cut.is_some() {
                fruitless = if has > most { 0 } else { fruitless + 1 };
                if has > most {
                    self.retrieval.made_progress();
                }
                most = most.max(has);
                let cut = piece.cut.unwrap_or_else(|| self.how_short(has));
                if fruitless == MOST_FRUITLESS {
                    return Err(Error::new(ErrorKind::Unavailable, cut + KEPT));
                }
                self.retrieval.pause(&cut).await.map_err(explain)?;
                continue;
            }
            if self.is_right(&self.part)? {
                fs::rename(&self.part, path).map_err(|error| cannot_write(path, error))?;
                return Ok(done(bytes, tries));
            }
            fs::remove_file(&self.part).map_err(|error| cannot_write(&self.part, error))?;
            wrong += 1;
            if wrong == MOST_WRONG {
                let message = "its content has another size or SHA-1 than Buildkite says; nothing \
                    of it is kept";
                return Err(Error::new(ErrorKind::Data, message));
            }
        }
    }

    /// How much has arrived.
    fn has(&self) -> u64 {
        fs::metadata(&self.part).map_or(0, |part| part.len())
    }

    fn how_short(&self, has: u64) -> String {
        let size = self.artifact.file_size.unwrap_or(0);
        format!("the content ends after {has} of {size} bytes")
    }

    /// Fetches what is still missing.
    async fn go_on(&self) -> Result<Piece> {
        let has = match (self.has(), self.artifact.file_size) {
            (has, Some(size)) if has >= size => 0,
            (has, _) => has,
        };
        let mut download = self.retrieval.from(has).await.map_err(explain)?;
        let mut options = OpenOptions::new();
        match download.starts_at {
            0 => options.write(true).create(true).truncate(true),
            _ => options.append(true),
        };
        let in_part = |error| cannot_write(&self.part, error);
        let mut file = options.open(&self.part).map_err(in_part)?;
        let mut piece = Piece {
            bytes: 0,
            cut: None,
        };
        loop {
            match download.next().await {
                Ok(Some(part)) => {
                    file.write_all(&part).map_err(in_part)?;
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
        file.sync_all().map_err(in_part)?;
        Ok(piece)
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

/// A path from outside, if it stays below the folder that it is joined to. Agents on Windows part
/// it with `\`.
fn inside(path: &str) -> Result<PathBuf> {
    let slashed = path.replace('\\', "/");
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let has_drive = slashed.as_bytes().get(1) == Some(&b':');
    let is_stream = cfg!(windows) && slashed.contains(':');
    let parts = Path::new(&slashed).components();
    let is_safe =
        !slashed.contains('\0') && !has_drive && !is_stream && parts.clone().all(is_plain);
    let path_inside: PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
    match is_safe && path_inside.file_name().is_some() {
        true => Ok(path_inside),
        false => Err(Error::new(
            ErrorKind::Data,
            "the path of an artifact would leave the folder; it is not fetched",
        )
        .with_context("artifact", path.escape_debug())),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read or write: {error}"))
        .with_context("file", path.display())
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        for path in [
            "../a",
            "a/../../b",
            "/etc/passwd",
            "",
            ".",
            "a\0b",
            "c:\\x",
            "c:x",
            "\\\\host\\share\\x",
            "a\\..\\b",
        ] {
            assert_eq!(
                inside(path).unwrap_err().kind(),
                ErrorKind::Data,
                "{path:?}"
            );
        }
        assert_eq!(
            inside("log/rspec.xml").unwrap(),
            PathBuf::from("log/rspec.xml")
        );
        assert_eq!(inside("log\\a").unwrap(), PathBuf::from("log/a"));
    }
}
