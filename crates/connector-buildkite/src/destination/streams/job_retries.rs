//! Stream `job_retries`: each record runs a job again (API facts 8.4).

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::existing::{job, unless_repeated};
use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, DeliveryContext, Found, PipelineKey, Probe, Verdict,
};

pub(crate) const JOB_RETRIES: AcceptedStream = AcceptedStream {
    name: "job_retries",
    description: "Each record runs a job again. Each job can be retried once; its retry is \
                  another job.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<JobRetry>,
    parse_record,
};

/// A job to run again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRetry {
    /// Slug of the organization. Default: the one in the settings.
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    pub pipeline: Option<String>,
    /// Number of the build.
    pub number: u64,
    /// Id of the job.
    pub job_id: String,
}

struct Retry {
    pipeline: PipelineKey,
    number: u64,
    job_id: String,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let record: JobRetry = parse(record)?;
    Ok(Request::once(Retry {
        pipeline: defaults.pipeline(record.organization, record.pipeline)?,
        number: record.number,
        job_id: record.job_id,
    }))
}

#[async_trait]
impl Action for Retry {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, _key: &str) -> Result<ApiRequest> {
        let number = self.number.to_string();
        let path = ["builds", &number, "jobs", &self.job_id, "retry"];
        ApiRequest::of_pipeline(Verb::Put, &self.pipeline, &path).with_body(&serde_json::Map::new())
    }

    /// Buildkite retries each job once, and refuses the repeat.
    async fn probe(&self, _context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(Probe::Harmless)
    }

    async fn refused(&self, context: &DeliveryContext, refusal: ClientError) -> Result<Verdict> {
        let probe = async {
            let job = job(context, &self.pipeline, self.number, &self.job_id).await?;
            let is_retried =
                |job: &Value| job["retried"] == true || job["retried_in_job_id"].is_string();
            let retried = job.ok().filter(is_retried);
            Ok(retried.map(|_| Found::numbered(self.number, None)))
        };
        unless_repeated(refusal, probe).await
    }
}
