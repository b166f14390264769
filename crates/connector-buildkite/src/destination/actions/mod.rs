//! Streams whose records act on what is there.

pub(crate) mod annotations;
pub(crate) mod build_cancellations;
pub(crate) mod build_rebuilds;
pub(crate) mod job_retries;
pub(crate) mod job_unblocks;
pub(crate) mod pipeline_archivals;
pub(crate) mod requests;

use buildkite_client::Error as ClientError;
use connector_core::Result;
use serde_json::Value;

use super::action::{Found, Lane, Verdict, rejection};
use super::desk::Desk;

/// The object at a path below a pipeline, as far as it may be seen.
///
/// # Errors
/// What concerns all records.
async fn seen(desk: &Desk, lane: &Lane, rest: &[&str]) -> Result<Result<Value, String>> {
    let mut path = vec!["pipelines", lane.pipeline.as_str()];
    path.extend(rest);
    Ok(match desk.object(lane, &path).await {
        Ok(object) => Ok(serde_json::from_str(object.get()).unwrap_or_default()),
        Err(error) => match rejection(error)? {
            Verdict::Rejected(reason) => Err(reason),
            Verdict::Done(_) => Ok(Value::Null),
        },
    })
}

/// The job of a build, as far as it may be seen: retried ones are found as well.
///
/// # Errors
/// What concerns all records.
async fn job(desk: &Desk, lane: &Lane, number: u64, id: &str) -> Result<Result<Value, String>> {
    seen(desk, lane, &["builds", &number.to_string(), "jobs", id]).await
}

/// What a refusal means that a repeat would get as well: `look` tells whether what was asked for
/// is there.
///
/// # Errors
/// What concerns all records.
async fn unless_repeated(
    refusal: ClientError,
    look: impl Future<Output = Result<Option<Found>>> + Send,
) -> Result<Verdict> {
    let may_be_repeat = matches!(refusal, ClientError::Refused { .. });
    let verdict = rejection(refusal)?;
    match may_be_repeat {
        true => Ok(look.await?.map_or(verdict, Verdict::Done)),
        false => Ok(verdict),
    }
}
