//! The content of artifacts, into a folder.
//!
//! Content is not a record: it is fetched on request, build by build. Content that is there
//! already, whole and right, is not fetched again. Content that was cut short is resumed.

mod fetch;
mod file;
mod path;

use std::collections::HashSet;
use std::path::Path;

use buildkite_client::{Client, Paging};
use connector_core::{Error, ErrorKind, Result, Setup};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::connection::{client, forward};
use crate::error::explain;
use fetch::Fetch;
pub use fetch::Fetched;
pub use file::ArtifactFile;
use path::{expect_no_link, inside, with_ending};

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

/// Fetches the content of artifacts.
#[derive(Clone)]
pub struct Artifacts {
    client: Client,
    max_concurrency: usize,
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
            max_concurrency: config.max_concurrency as usize,
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

    /// Fetches artifacts as [`fetch`](Self::fetch) does, up to `max_concurrency` at the same time.
    /// Yields each when it is done or has failed; a failure does not stop the others.
    ///
    /// A job may upload several artifacts with the same path: the first of them gets it, the others
    /// go to `FOLDER/JOB_ID/ARTIFACT_ID/PATH`.
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
            // Some file systems do not distinguish `A` from `a`.
            let place = format!("{}/{}", artifact.job_id, artifact.path).to_lowercase();
            let is_first = taken.insert(place);
            (artifact, is_first)
        });
        let fetched = stream::iter(placed).map(move |(artifact, is_first)| {
            let (this, organization, folder) = (this.clone(), organization.clone(), folder.clone());
            async move {
                let place = if is_first { "" } else { artifact.id.as_str() };
                this.fetch_to(&organization, &artifact, &folder, place)
                    .await
            }
        });
        fetched.buffer_unordered(self.max_concurrency)
    }

    /// Fetches one artifact to `FOLDER/JOB_ID/PATH` and checks its size and SHA-1.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if its path leads out of the folder, or if its content is not what the
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
        // Each part by itself: a job id that is an absolute path must not pass.
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
        let checked = expect_no_link(folder, &path);
        let checked = checked.and_then(|()| expect_no_link(folder, &fetch.part));
        let fetched = match checked {
            Ok(()) => fetch.run(&path).await,
            Err(error) => Err(error),
        };
        fetched.map_err(|error| {
            error
                .with_context("artifact", artifact.path.escape_debug())
                .with_context("file", path.display().to_string().escape_debug())
        })
    }
}
