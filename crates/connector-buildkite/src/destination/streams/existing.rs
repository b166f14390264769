//! What records act on, as Buildkite shows it.

use buildkite_client::Error as ClientError;
use connector_core::Result;
use serde_json::Value;

use crate::destination::delivery::{DeliveryContext, Found, PipelineKey, Verdict, rejection};

/// The object at a path below a pipeline; a sentence if it cannot be read.
///
/// # Errors
/// What concerns all records.
pub(super) async fn below_pipeline(
    context: &DeliveryContext,
    pipeline: &PipelineKey,
    rest: &[&str],
) -> Result<Result<Value, String>> {
    let mut path = vec!["pipelines", pipeline.pipeline.as_str()];
    path.extend(rest);
    Ok(match context.remote.object(pipeline, &path).await {
        Ok(object) => Ok(serde_json::from_str(object.get()).unwrap_or_default()),
        Err(error) => Err(rejection(error)?),
    })
}

/// A job of a build, retried or not; a sentence if it cannot be read.
///
/// # Errors
/// What concerns all records.
pub(super) async fn job(
    context: &DeliveryContext,
    pipeline: &PipelineKey,
    number: u64,
    id: &str,
) -> Result<Result<Value, String>> {
    let path = ["builds", &number.to_string(), "jobs", id];
    below_pipeline(context, pipeline, &path).await
}

/// What a refusal means that a repeated request would get as well: `probe` tells whether what was
/// asked for is there.
///
/// # Errors
/// What concerns all records.
pub(super) async fn unless_repeated(
    refusal: ClientError,
    probe: impl Future<Output = Result<Option<Found>>> + Send,
) -> Result<Verdict> {
    let may_be_repeated = matches!(refusal, ClientError::Refused { .. });
    let reason = rejection(refusal)?;
    if may_be_repeated && let Some(found) = probe.await? {
        return Ok(Verdict::Done(found));
    }
    Ok(Verdict::Rejected(reason))
}
