//! The jobs of one build, from their own list.

use futures::TryStreamExt;
use serde_json::value::RawValue;

use super::raw_build::RawBuild;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::list::Paging;

/// All jobs of one build, including retried ones, or `None` if the build was removed after it was
/// listed.
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
    let query = [("include_retried_jobs", "true")];
    let jobs = client
        .list(&path, &query, Paging::Cursor)
        .try_collect()
        .await;
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
