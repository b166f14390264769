//! Whether organizations and pipelines exist, for what sends nothing that would tell.

use buildkite_client::Error as ClientError;
use connector_core::Result;

use super::api_request::PipelineKey;
use super::existing_builds::{Unfiltered, by_key};
use super::remote::Remote;
use crate::error::explain;

/// A sentence if the pipeline, or without one the organization, does not exist. What the token may
/// not read counts as there.
///
/// # Errors
/// What concerns all records: the token, the connection.
pub(crate) async fn missing(remote: &Remote, place: &PipelineKey) -> Result<Option<String>> {
    let PipelineKey {
        organization,
        pipeline,
    } = place;
    let (found, what) = if pipeline.is_empty() {
        let found = remote.object(place, &[]).await.map(|_| ());
        (found, format!("organization {organization}"))
    } else {
        let found = remote.object(place, &["pipelines", pipeline]).await;
        let found = match found {
            // A token for builds alone may read those.
            Err(ClientError::Forbidden { .. }) => {
                let builds = by_key(remote, place, "none", Unfiltered::Report).await;
                builds.map(|_| ())
            }
            found => found.map(|_| ()),
        };
        (found, format!("pipeline {organization}/{pipeline}"))
    };
    match found {
        Ok(()) | Err(ClientError::Forbidden { .. }) => Ok(None),
        Err(ClientError::NotFound { .. }) => Ok(Some(format!(
            "there is no {what}, or the token does not see it (404)"
        ))),
        Err(error) => Err(explain(error)),
    }
}
