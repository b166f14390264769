//! Stream `build_rebuilds`: each record runs a build again, as a new one (API facts 7.6).

use async_trait::async_trait;
use buildkite_client::{BuildQuery, Listed, Timestamp, Verb};
use connector_core::{JsonObject, Result};
use futures::stream::TryStreamExt;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::existing::below_pipeline;
use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, DeliveryContext, Found, PipelineKey, Probe, Verdict, rejection,
};

pub(crate) const BUILD_REBUILDS: AcceptedStream = AcceptedStream {
    name: "build_rebuilds",
    description: "Each record runs a build again, as a new one.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<BuildRebuild>,
    parse_record,
};

/// A build to run again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildRebuild {
    /// Slug of the organization. Default: the one in the settings.
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    pub pipeline: Option<String>,
    /// Number of the build.
    pub number: u64,
}

struct Rebuild {
    pipeline: PipelineKey,
    number: u64,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let record: BuildRebuild = parse(record)?;
    Ok(Request::once(Rebuild {
        pipeline: defaults.pipeline(record.organization, record.pipeline)?,
        number: record.number,
    }))
}

impl Rebuild {
    /// A rebuild that no record has claimed yet, according to the journal. A rebuild has no place
    /// for a key, but names the build that it was made of.
    async fn unclaimed(&self, context: &DeliveryContext) -> Result<Result<Option<Found>, String>> {
        let number = self.number.to_string();
        let original = match below_pipeline(context, &self.pipeline, &["builds", &number]).await? {
            Ok(build) => build,
            Err(reason) => return Ok(Err(reason)),
        };
        let id = original["id"].as_str().unwrap_or_default().to_owned();
        let query = BuildQuery {
            organization: self.pipeline.organization.clone(),
            pipeline: Some(self.pipeline.pipeline.clone()),
            // A rebuild has the commit of its original, if that was known.
            commit: original["commit"]
                .as_str()
                .filter(|sha| is_sha(sha))
                .map(str::to_owned),
            created_from: original["created_at"]
                .as_str()
                .and_then(Timestamp::parse)
                .map(|at| at.at),
            ..BuildQuery::default()
        };
        let rebuilds = context.remote.client.builds(query, move |build| {
            let from: Value = serde_json::from_str(build.field("rebuilt_from")?.get()).ok()?;
            let url = build.field("web_url").map(|url| url.get().to_owned());
            let url = url.and_then(|url| serde_json::from_str(&url).ok());
            (from["id"] == *id).then(|| Found::numbered(build.number, url))
        });
        let rebuilds = rebuilds.try_filter_map(|listed| async move {
            Ok(match listed {
                Listed::Build(rebuild) => rebuild,
                Listed::Unusable(unusable) => return Err(unusable.into_error()),
                Listed::Page(_) => None,
            })
        });
        let rebuilds: Vec<_> = match rebuilds.try_collect().await {
            Ok(rebuilds) => rebuilds,
            Err(error) => return Ok(Err(rejection(error)?)),
        };
        let place = context.place(BUILD_REBUILDS.name, &self.pipeline);
        let is_claimed = |found: &Found| context.journal.has_number(&place, found.done.number);
        // The oldest first: lists begin with the newest.
        Ok(Ok(rebuilds
            .into_iter()
            .rev()
            .find(|found| !is_claimed(found))))
    }
}

/// A full SHA: the list filters by nothing else.
fn is_sha(commit: &str) -> bool {
    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[async_trait]
impl Action for Rebuild {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, _key: &str) -> Result<ApiRequest> {
        let path = ["builds", &self.number.to_string(), "rebuild"];
        Ok(ApiRequest::of_pipeline(Verb::Put, &self.pipeline, &path))
    }

    async fn before(&self, context: &DeliveryContext, _key: &str) -> Result<Option<Verdict>> {
        context.remote.wait_until_settled(BUILD_REBUILDS.name).await;
        Ok(match self.unclaimed(context).await? {
            Ok(found) => found.map(Verdict::Done),
            Err(reason) => Some(Verdict::Rejected(reason)),
        })
    }

    async fn probe(&self, context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(match self.unclaimed(context).await? {
            Ok(Some(found)) => Probe::Done(found),
            _ => Probe::NotDone,
        })
    }

    fn outcome(&self) -> &'static str {
        "created"
    }

    fn makes_build(&self) -> bool {
        true
    }
}
