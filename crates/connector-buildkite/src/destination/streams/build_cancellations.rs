//! Stream `build_cancellations`: each record cancels a build (API facts 7.5).

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::existing::{below_pipeline, unless_repeated};
use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, DeliveryContext, Found, PipelineKey, Probe, Verdict,
};

pub(crate) const BUILD_CANCELLATIONS: AcceptedStream = AcceptedStream {
    name: "build_cancellations",
    description: "Each record cancels a build. A build that is already canceled stays canceled.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<BuildCancellation>,
    parse_record,
};

/// A build to cancel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildCancellation {
    /// Slug of the organization. Default: the one in the settings.
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    pub pipeline: Option<String>,
    /// Number of the build.
    pub number: u64,
}

struct Cancel {
    pipeline: PipelineKey,
    number: u64,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let record: BuildCancellation = parse(record)?;
    Ok(Request::once(Cancel {
        pipeline: defaults.pipeline(record.organization, record.pipeline)?,
        number: record.number,
    }))
}

#[async_trait]
impl Action for Cancel {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, _key: &str) -> Result<ApiRequest> {
        let path = ["builds", &self.number.to_string(), "cancel"];
        Ok(ApiRequest::of_pipeline(Verb::Put, &self.pipeline, &path))
    }

    async fn probe(&self, _context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(Probe::Harmless)
    }

    /// A repeat is refused as that of a build that has ended: how it has ended tells.
    async fn refused(&self, context: &DeliveryContext, refusal: ClientError) -> Result<Verdict> {
        let number = self.number.to_string();
        let probe = async {
            let build = below_pipeline(context, &self.pipeline, &["builds", &number])
                .await?
                .ok();
            let is_canceled = |build: &Value| {
                let state = build["state"].as_str().unwrap_or_default();
                ["canceled", "canceling"].contains(&state)
            };
            let url = |build: Value| build["web_url"].as_str().map(str::to_owned);
            let canceled = build.filter(is_canceled);
            Ok(canceled.map(|build| Found::numbered(self.number, url(build))))
        };
        unless_repeated(refusal, probe).await
    }
}
