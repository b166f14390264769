//! Stream `pipeline_archivals`: each record archives a pipeline, or brings it back (API facts
//! 10.5).

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::existing::below_pipeline;
use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, DeliveryContext, Found, PipelineKey, Probe, Verdict,
};

pub(crate) const PIPELINE_ARCHIVALS: AcceptedStream = AcceptedStream {
    name: "pipeline_archivals",
    description: "Each record archives a pipeline, or unarchives it.",
    scopes: &["read_pipelines", "write_pipelines"],
    schema: crate::streams::schema_of::<PipelineArchival>,
    parse_record,
};

/// A pipeline to archive, or to bring back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineArchival {
    /// Slug of the organization. Default: the one in the settings.
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    pub pipeline: Option<String>,
    /// Whether it is to be archived; false brings it back. Default: true.
    #[serde(default = "yes")]
    pub archived: bool,
}

fn yes() -> bool {
    true
}

struct Archive {
    pipeline: PipelineKey,
    archived: bool,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let record: PipelineArchival = parse(record)?;
    Ok(Request::once(Archive {
        pipeline: defaults.pipeline(record.organization, record.pipeline)?,
        archived: record.archived,
    }))
}

impl Archive {
    async fn verdict(&self, context: &DeliveryContext) -> Result<Option<Verdict>> {
        Ok(match below_pipeline(context, &self.pipeline, &[]).await? {
            Err(reason) => Some(Verdict::Rejected(reason)),
            Ok(pipeline) if pipeline["archived_at"].is_null() == self.archived => None,
            Ok(pipeline) => {
                let mut found = Found::default();
                found.done.url = pipeline["web_url"].as_str().map(str::to_owned);
                Some(Verdict::Done(found))
            }
        })
    }
}

#[async_trait]
impl Action for Archive {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, _key: &str) -> Result<ApiRequest> {
        let how = if self.archived {
            "archive"
        } else {
            "unarchive"
        };
        Ok(ApiRequest::of_pipeline(Verb::Post, &self.pipeline, &[how]))
    }

    async fn before(&self, context: &DeliveryContext, _key: &str) -> Result<Option<Verdict>> {
        self.verdict(context).await
    }

    async fn probe(&self, context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(match self.verdict(context).await? {
            Some(Verdict::Done(found)) => Probe::Done(found),
            _ => Probe::Harmless,
        })
    }

    fn is_remembered(&self) -> bool {
        false
    }
}
