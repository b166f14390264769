//! Stream `job_unblocks`: each record unblocks a block or input step (API facts 8.4).

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::existing::{job, unless_repeated};
use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, DeliveryContext, Found, PipelineKey, Probe, Verdict,
};

pub(crate) const JOB_UNBLOCKS: AcceptedStream = AcceptedStream {
    name: "job_unblocks",
    description: "Each record unblocks a block or input step, with values for its fields.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<JobUnblock>,
    parse_record,
};

/// A step to unblock.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobUnblock {
    /// Slug of the organization. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub pipeline: Option<String>,
    /// Number of the build.
    #[serde(skip_serializing)]
    pub number: u64,
    /// Id of the step's job.
    #[serde(skip_serializing)]
    pub job_id: String,
    /// Id of the user who unblocks; the token's if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unblocker: Option<String>,
    /// Values of the step's fields, by their keys. They become meta-data of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, Value>>,
}

struct Unblock {
    pipeline: PipelineKey,
    record: JobUnblock,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let mut record: JobUnblock = parse(record)?;
    let pipeline = defaults.pipeline(record.organization.take(), record.pipeline.take())?;
    Ok(Request::once(Unblock { pipeline, record }))
}

#[async_trait]
impl Action for Unblock {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, _key: &str) -> Result<ApiRequest> {
        let number = self.record.number.to_string();
        let path = ["builds", &number, "jobs", &self.record.job_id, "unblock"];
        ApiRequest::of_pipeline(Verb::Put, &self.pipeline, &path).with_body(&self.record)
    }

    /// Buildkite unblocks each step once, and refuses the repeat.
    async fn probe(&self, _context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(Probe::Harmless)
    }

    async fn refused(&self, context: &DeliveryContext, refusal: ClientError) -> Result<Verdict> {
        let number = self.record.number;
        let probe = async {
            let job = job(context, &self.pipeline, number, &self.record.job_id).await?;
            let unblocked = job.ok().filter(|job| job["state"] == "unblocked");
            Ok(unblocked.map(|_| Found::numbered(number, None)))
        };
        unless_repeated(refusal, probe).await
    }
}
