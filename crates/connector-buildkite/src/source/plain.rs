//! The streams `organizations` and `pipelines`, read in full.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Client, Error as ClientError, Paging};
use connector_core::{Error, Record, Result};
use futures::future::TryFutureExt;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::scope::{PipelineRef, Scope, SelectedPipeline};
use crate::error::in_stream;
use crate::streams::{ORGANIZATIONS, PIPELINES, organization_record, pipeline_record, removed};

/// The API no longer has the pipeline: it was deleted, or is hidden from the token. The answer is
/// the same for both (API facts 2.4).
const DELETED_OR_HIDDEN: &str = "deleted_or_hidden";

/// All organizations to read.
pub(crate) fn organizations(
    client: Client,
    scope: Arc<Scope>,
) -> BoxStream<'static, Result<Record>> {
    let records = async move {
        let objects = scope.organization_objects(&client).await;
        let objects = objects.map_err(|error| error.with_context("stream", ORGANIZATIONS))?;
        let records = objects.into_iter();
        Ok(stream::iter(
            records.map(|object| organization_record(&object.raw)),
        ))
    };
    records.try_flatten_stream().boxed()
}

/// All pipelines to read, then the news of those that were removed.
pub(crate) fn pipelines(client: Client, scope: Arc<Scope>) -> BoxStream<'static, Result<Record>> {
    let records = async move {
        let in_pipelines = |error: Error| error.with_context("stream", PIPELINES);
        if let Some(selected) = scope.selected(&client).await.map_err(in_pipelines)? {
            let record =
                |one: &SelectedPipeline| pipeline_record(&one.pipeline.raw, &one.organization);
            let records: Vec<_> = selected.iter().map(record).collect();
            return Ok(stream::iter(records).boxed());
        }
        let organizations = scope.organizations(&client).await.map_err(in_pipelines)?;
        let lists = stream::iter(organizations.into_iter().map(Ok))
            .map_ok(move |organization| pipelines_of(&client, &scope, organization));
        Ok(lists.try_flatten().boxed())
    };
    records.try_flatten_stream().boxed()
}

/// Each pipeline of an organization once, because pages shift while pipelines come and go. Then
/// the news of those that the copy knows and the API no longer has.
pub(crate) fn pipelines_of(
    client: &Client,
    scope: &Arc<Scope>,
    organization: String,
) -> BoxStream<'static, Result<Record>> {
    let path = ["v2", "organizations", &organization, "pipelines"];
    let mut list = client.list(&path, &[], Paging::Number).boxed();
    let (client, scope) = (client.clone(), Arc::clone(scope));
    let records = try_stream! {
        let mut listed = BTreeMap::new();
        while let Some(raw) = list.next().await {
            let raw = match raw {
                Ok(raw) => raw,
                Err(ClientError::NotFound { .. }) => {
                    scope.unknown(&client, &organization).await;
                    return;
                }
                Err(error) => Err(in_stream(&PIPELINES.into())(error))?,
            };
            let PipelineRef { id, slug } = PipelineRef::of(&raw)?;
            if listed.insert(id, slug).is_none() {
                yield pipeline_record(&raw, &organization)?;
            }
        }
        for id in scope.removed_pipelines(&client, &organization, &listed).await? {
            yield removed(PIPELINES.into(), &id, DELETED_OR_HIDDEN);
        }
        scope.note_pipelines(&organization, listed);
    };
    records.boxed()
}
