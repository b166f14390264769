//! Stream `build_cancellations`: each record cancels a build (API facts 7.5).

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{is_refusal, seen};
use crate::destination::action::{Action, Call, Found, Lane, Look, Verdict, rejection};
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
        let is_refusal = is_refusal(&refusal);
        let verdict = rejection(refusal)?;
        if !is_refusal {
            return Ok(verdict);
        }
        let number = self.number.to_string();
        Ok(match seen(desk, &self.lane, &["builds", &number]).await? {
            Ok(build)
                if ["canceled", "canceling"]
                    .iter()
                    .any(|state| build["state"] == *state) =>
            {
                let url = build["web_url"].as_str().map(str::to_owned);
                Verdict::Done(Found::numbered(self.number, url))
            }
            _ => verdict,
        })
    }
}
