//! Stream `job_unblocks`: each record unblocks a block or input step (API facts 8.4).

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{job, unless_repeated};
use crate::destination::action::{Action, Call, Found, Lane, Look, Verdict};
use crate::destination::desk::Desk;
use crate::destination::target::{Defaults, Target, Work, parse};

pub(crate) const JOB_UNBLOCKS: Target = Target {
    name: "job_unblocks",
    description: "Each record unblocks a block or input step, with the fields that it asks for.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<JobUnblock>,
    order,
};

/// A step to unblock.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobUnblock {
    /// Slug of the organization; the configuration's if left out.
    #[serde(skip_serializing)]
    pub organization: Option<String>,
    /// Slug of the pipeline; the configuration's if left out.
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
    lane: Lane,
    record: JobUnblock,
}

fn order(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Work, String> {
    let mut record: JobUnblock = parse(record)?;
    let lane = defaults.lane(record.organization.take(), record.pipeline.take())?;
    Ok(Work::once(Unblock { lane, record }))
}

#[async_trait]
impl Action for Unblock {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn call(&self, _key: &str) -> Result<Call> {
        let number = self.record.number.to_string();
        let path = ["builds", &number, "jobs", &self.record.job_id, "unblock"];
        Call::of_pipeline(Verb::Put, &self.lane, &path).with_body(&self.record)
    }

    /// Buildkite unblocks each step once, and refuses the repeat.
    async fn look(&self, _desk: &Desk, _key: &str) -> Result<Look> {
        Ok(Look::Harmless)
    }

    async fn refused(&self, desk: &Desk, refusal: ClientError) -> Result<Verdict> {
        let number = self.record.number;
        let look = async {
            let job = job(desk, &self.lane, number, &self.record.job_id).await?;
            let unblocked = job.ok().filter(|job| job["state"] == "unblocked");
            Ok(unblocked.map(|_| Found::numbered(number, None)))
        };
        unless_repeated(refusal, look).await
    }
}
