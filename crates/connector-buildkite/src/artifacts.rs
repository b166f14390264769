//! The content of artifacts, into a folder.
//!
//! Content is no record: it is fetched on request, build by build. What is there already, whole
//! and right, is not fetched again; what was cut short goes on where it stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use buildkite_client::{Client, Paging};
use connector_core::{Error, ErrorKind, Result, Setup};
use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha1::{Digest, Sha1};

use crate::config::Config;
use crate::connector::client;
use crate::error::explain;
use crate::listener::forward;

/// So often one artifact is asked for before it is given up.
const MOST_TRIES: u32 = 5;

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
pub struct Artifacts {
    client: Client,
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
            client: client.with_listener(forward(&setup.observer, None)),
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
        let path = folder
            .join(inside(&artifact.job_id)?)
            .join(inside(&artifact.path)?);
        let fetch = Fetch {
            client: &self.client,
            organization,
            artifact,
            part: with_ending(&path, ".part"),
        };
        let fetched = fetch.to(&path).await;
        fetched.map_err(|error| error.with_context("artifact", &artifact.path))
    }
}

struct Fetch<'a> {
    client: &'a Client,
    organization: &'a str,
    artifact: &'a ArtifactFile,
    /// What has arrived so far.
    part: PathBuf,
}

impl Fetch<'_> {
    async fn to(&self, path: &Path) -> Result<Fetched> {
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
        let mut bytes = 0;
        let mut last = None;
        for tries in 1..=MOST_TRIES {
            match self.go_on().await {
                Ok(more) => bytes += more,
                Err(error) if error.kind() == ErrorKind::Protocol => last = Some(error),
                Err(error) => return Err(error),
            }
            let has = fs::metadata(&self.part).map_or(0, |part| part.len());
            if self.artifact.file_size.is_some_and(|size| has < size) {
                continue;
            }
            if last.is_none() || self.artifact.file_size == Some(has) {
                if self.is_right(&self.part)? {
                    fs::rename(&self.part, path).map_err(|error| cannot_write(path, error))?;
                    return Ok(done(bytes, tries));
                }
                fs::remove_file(&self.part).map_err(|error| cannot_write(&self.part, error))?;
                let message = "its content has another size or SHA-1 than Buildkite says";
                last = Some(Error::new(ErrorKind::Data, message));
            }
        }
        Err(last.unwrap_or_else(|| {
            let message = format!(
                "its content ends early, {MOST_TRIES} times; what has arrived is kept, and the \
                 same command goes on from there"
            );
            Error::new(ErrorKind::Data, message)
        }))
    }

    /// Fetches what is still missing; how many bytes came.
    async fn go_on(&self) -> Result<u64> {
        let has = fs::metadata(&self.part).map_or(0, |part| part.len());
        let has = match self.artifact.file_size {
            Some(size) if has >= size => 0,
            _ => has,
        };
        let ArtifactFile { id, job_id, .. } = self.artifact;
        let segments = [
            "v2",
            "organizations",
            self.organization,
            "jobs",
            job_id,
            "artifacts",
            id,
            "download",
        ];
        let mut download = self
            .client
            .download(&segments, has)
            .await
            .map_err(explain)?;
        let mut options = OpenOptions::new();
        match download.starts_at == has && has > 0 {
            true => options.append(true),
            false => options.write(true).create(true).truncate(true),
        };
        let in_part = |error| cannot_write(&self.part, error);
        if download.starts_at != has && download.starts_at != 0 {
            let message = "the storage goes on elsewhere than it was asked to";
            return Err(Error::new(ErrorKind::Protocol, message));
        }
        let mut file = options.open(&self.part).map_err(in_part)?;
        let mut bytes = 0;
        while let Some(part) = download.next().await.map_err(explain)? {
            file.write_all(&part).map_err(in_part)?;
            bytes += part.len() as u64;
        }
        file.sync_all().map_err(in_part)?;
        Ok(bytes)
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

/// A path from outside, if it stays below the folder that it is joined to.
fn inside(path: &str) -> Result<PathBuf> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let is_safe = !path.is_empty()
        && !path.contains(['\0', '\\', ':'])
        && Path::new(path).components().all(is_plain);
    match is_safe {
        true => Ok(PathBuf::from(path)),
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
            "a\0b",
            "c:\\x",
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
    }
}
