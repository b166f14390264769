//! The jobs of one build, from their own list.

use futures::TryStreamExt;
use serde_json::value::RawValue;

use super::raw_build::RawBuild;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::list::Paging;

/// All jobs of one build, including retried ones, or `None` if the build was removed after it was
/// listed.
///
/// # Errors
/// Those of [`Client::list`]. [`Error::TooLarge`] if they are larger than an element may be.
pub(super) async fn jobs_of(
    client: &Client,
    organization: &str,
    build: &RawBuild<'_>,
) -> Result<Option<Vec<Box<RawValue>>>> {
    let number = build.number.to_string();
    let slug = &build.pipeline_slug;
    let path = [
        "v2",
        "organizations",
        organization,
        "pipelines",
        slug,
        "builds",
        &number,
        "jobs",
    ];
    let jobs = all_jobs(client, &path).await;
    let Err(missing @ Error::NotFound { .. }) = jobs else {
        return jobs.map(Some);
    };
    // A build that still exists must not be lost because its jobs are not found.
    match client.object(&path[..path.len() - 1]).await {
        Err(Error::NotFound { .. }) => Ok(None),
        Ok(_) => Err(missing),
        Err(error) => Err(error),
    }
}

async fn all_jobs(client: &Client, path: &[&str]) -> Result<Vec<Box<RawValue>>> {
    let query = [("include_retried_jobs", "true")];
    let mut list = Box::pin(client.list(path, &query, Paging::Cursor));
    let limit = client.transport.limits.element_bytes;
    let (mut jobs, mut bytes) = (Vec::new(), 0_usize);
    while let Some(job) = list.try_next().await? {
        bytes = bytes.saturating_add(job.get().len());
        if bytes > limit {
            let path = format!("/{}", path.join("/"));
            return Err(Error::element_too_large(&path, limit));
        }
        jobs.push(job);
    }
    Ok(jobs)
}
