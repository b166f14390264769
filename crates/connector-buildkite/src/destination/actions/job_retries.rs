//! Stream `job_retries`: each record runs a job again (API facts 8.4).

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{job, unless_repeated};
use crate::destination::action::{Action, Call, Found, Lane, Look, Verdict};
use crate::destination::desk::Desk;
use crate::destination::target::{Defaults, Target, Work, parse};

pub(crate) const JOB_RETRIES: Target = Target {
    name: "job_retries",
    description: "Each record runs a job again. Each job can be retried once; its retry is \
                  another job.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<JobRetry>,
    order,
};

/// A job to run again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRetry {
    /// Slug of the organization; the configuration's if left out.
    pub organization: Option<String>,
    /// Slug of the pipeline; the configuration's if left out.
    pub pipeline: Option<String>,
    /// Number of the build.
    pub number: u64,
    /// Id of the job.
    pub job_id: String,
}

struct Retry {
    lane: Lane,
    number: u64,
    job_id: String,
}

fn order(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Work, String> {
    let record: JobRetry = parse(record)?;
    Ok(Work::once(Retry {
        lane: defaults.lane(record.organization, record.pipeline)?,
        number: record.number,
        job_id: record.job_id,
    }))
}

#[async_trait]
impl Action for Retry {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn call(&self, _key: &str) -> Result<Call> {
        let number = self.number.to_string();
        let path = ["builds", &number, "jobs", &self.job_id, "retry"];
        Call::of_pipeline(Verb::Put, &self.lane, &path).with_body(&serde_json::Map::new())
    }

    /// Buildkite retries each job once, and refuses the repeat.
    async fn look(&self, _desk: &Desk, _key: &str) -> Result<Look> {
        Ok(Look::Harmless)
    }

    async fn refused(&self, desk: &Desk, refusal: ClientError) -> Result<Verdict> {
        let look = async {
            let job = job(desk, &self.lane, self.number, &self.job_id).await?;
            let is_retried =
                |job: &Value| job["retried"] == true || job["retried_in_job_id"].is_string();
            let retried = job.ok().filter(is_retried);
            Ok(retried.map(|_| Found::numbered(self.number, None)))
        };
        unless_repeated(refusal, look).await
    }
}
