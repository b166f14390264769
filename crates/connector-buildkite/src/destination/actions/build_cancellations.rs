//! Stream `build_cancellations`: each record cancels a build (API facts 7.5).

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{seen, unless_repeated};
use crate::destination::action::{Action, Call, Found, Lane, Look, Verdict};
use crate::destination::desk::Desk;
use crate::destination::target::{Defaults, Target, Work, parse};

pub(crate) const BUILD_CANCELLATIONS: Target = Target {
    name: "build_cancellations",
    description: "Each record cancels a build. A build that is canceled already stays so.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<BuildCancellation>,
    order,
};

/// A build to cancel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildCancellation {
    /// Slug of the organization; the configuration's if left out.
    pub organization: Option<String>,
    /// Slug of the pipeline; the configuration's if left out.
    pub pipeline: Option<String>,
    /// Number of the build.
    pub number: u64,
}

struct Cancel {
    lane: Lane,
    number: u64,
}

fn order(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Work, String> {
    let record: BuildCancellation = parse(record)?;
    Ok(Work::once(Cancel {
        lane: defaults.lane(record.organization, record.pipeline)?,
        number: record.number,
    }))
}

#[async_trait]
impl Action for Cancel {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn call(&self, _key: &str) -> Result<Call> {
        let path = ["builds", &self.number.to_string(), "cancel"];
        Ok(Call::of_pipeline(Verb::Put, &self.lane, &path))
    }

    async fn look(&self, _desk: &Desk, _key: &str) -> Result<Look> {
        Ok(Look::Harmless)
    }

    /// A repeat is refused as that of a build that has ended: how it has ended tells.
    async fn refused(&self, desk: &Desk, refusal: ClientError) -> Result<Verdict> {
        let number = self.number.to_string();
        let look = async {
            let build = seen(desk, &self.lane, &["builds", &number]).await?.ok();
            let is_canceled = |build: &Value| {
                let state = build["state"].as_str().unwrap_or_default();
                ["canceled", "canceling"].contains(&state)
            };
            let url = |build: Value| build["web_url"].as_str().map(str::to_owned);
            let canceled = build.filter(is_canceled);
            Ok(canceled.map(|build| Found::numbered(self.number, url(build))))
        };
        unless_repeated(refusal, look).await
    }
}
