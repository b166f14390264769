//! Stream `pipeline_archivals`: each record archives a pipeline, or brings it back (API facts
//! 10.5).

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::seen;
use crate::destination::action::{Action, Call, Found, Lane, Look, Verdict};
use crate::destination::desk::Desk;
use crate::destination::target::{Defaults, Target, Work, parse};

pub(crate) const PIPELINE_ARCHIVALS: Target = Target {
    name: "pipeline_archivals",
    description: "Each record archives a pipeline, or brings it back.",
    scopes: &["read_pipelines", "write_pipelines"],
    schema: crate::streams::schema_of::<PipelineArchival>,
    order,
};

/// A pipeline to archive, or to bring back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineArchival {
    /// Slug of the organization; the configuration's if left out.
    pub organization: Option<String>,
    /// Slug of the pipeline; the configuration's if left out.
    pub pipeline: Option<String>,
    /// Whether it is to be archived; false brings it back. Default: true.
    #[serde(default = "yes")]
    pub archived: bool,
}

fn yes() -> bool {
    true
}

struct Archive {
    lane: Lane,
    archived: bool,
}

fn order(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Work, String> {
    let record: PipelineArchival = parse(record)?;
    Ok(Work::once(Archive {
        lane: defaults.lane(record.organization, record.pipeline)?,
        archived: record.archived,
    }))
}

impl Archive {
    async fn verdict(&self, desk: &Desk) -> Result<Option<Verdict>> {
        Ok(match seen(desk, &self.lane, &[]).await? {
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
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn call(&self, _key: &str) -> Result<Call> {
        let how = if self.archived {
            "archive"
        } else {
            "unarchive"
        };
        Ok(Call::of_pipeline(Verb::Post, &self.lane, &[how]))
    }

    async fn before(&self, desk: &Desk, _key: &str) -> Result<Option<Verdict>> {
        self.verdict(desk).await
    }

    async fn look(&self, desk: &Desk, _key: &str) -> Result<Look> {
        Ok(match self.verdict(desk).await? {
            Some(Verdict::Done(found)) => Look::Done(found),
            _ => Look::Harmless,
        })
    }

    fn is_remembered(&self) -> bool {
        false
    }
}
