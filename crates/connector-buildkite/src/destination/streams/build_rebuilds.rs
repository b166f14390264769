//! Stream `build_rebuilds`: each record runs a build again, as a new one (API facts 7.6).

use std::pin::pin;

use async_trait::async_trait;
use buildkite_client::{BuildQuery, Error as ClientError, Listed, RawBuild, Timestamp, Verb};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{JsonObject, Result};
use futures::stream::TryStreamExt;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::existing::below_pipeline;
use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, DeliveryContext, Entry, Found, PipelineKey, Probe, Remote, Verdict,
    rejection,
};

pub(crate) const BUILD_REBUILDS: AcceptedStream = AcceptedStream {
    name: "build_rebuilds",
    description: "Each record runs a build again, as a new build.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<BuildRebuild>,
    parse_record,
};

/// An answer may be this much older than it seems, and a request younger.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

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

/// A rebuild, and when it was created.
type CreatedRebuild = (Found, Option<DateTime<Utc>>);

impl Rebuild {
    /// A rebuild by this token's user over the API, created since `since`, that no record has
    /// claimed according to the journal. A rebuild has no place for a key, but names the build
    /// that it was made of.
    async fn unclaimed(
        &self,
        context: &DeliveryContext,
        since: Option<DateTime<Utc>>,
    ) -> Result<Result<Option<Found>, String>> {
        let number = self.number.to_string();
        let original = match below_pipeline(context, &self.pipeline, &["builds", &number]).await? {
            Ok(build) => build,
            Err(reason) => return Ok(Err(reason)),
        };
        let (rebuilds, server_time) = match self.rebuilds(&context.remote, &original).await {
            Ok(rebuilds) => rebuilds,
            Err(error) => return Ok(Err(rejection(error)?)),
        };
        // The clocks of this machine and of the server may differ.
        let ahead = server_time.map_or(TimeDelta::zero(), |at| at - context.remote.now());
        let since = since.map(|since| since + ahead - OVERLAP);
        let place = context.place(BUILD_REBUILDS.name, &self.pipeline);
        let is_unclaimed = |(found, created_at): &CreatedRebuild| {
            let is_newer = since.is_none_or(|since| created_at.is_none_or(|at| at >= since));
            is_newer && !context.journal.has_number(&place, found.done.number)
        };
        // The oldest first: lists begin with the newest.
        let found = rebuilds.into_iter().rev().find(is_unclaimed);
        Ok(Ok(found.map(|(found, _)| found)))
    }

    /// All rebuilds by this token's user, and the time of the first answer.
    async fn rebuilds(
        &self,
        remote: &Remote,
        original: &Value,
    ) -> Result<(Vec<CreatedRebuild>, Option<DateTime<Utc>>), ClientError> {
        let id = original["id"].as_str().unwrap_or_default().to_owned();
        let text = |name: &str| original[name].as_str();
        let query = BuildQuery {
            organization: self.pipeline.organization.clone(),
            pipeline: Some(self.pipeline.pipeline.clone()),
            // A rebuild has the commit of its original, if that was known.
            commit: text("commit").filter(|sha| is_sha(sha)).map(str::to_owned),
            created_from: text("created_at")
                .and_then(Timestamp::parse)
                .map(|at| at.at),
            ..BuildQuery::default()
        };
        let own = remote.clone();
        let mut listing = pin!(remote.client.builds(query, move |build| {
            if !is_by_this_token(&build, &own) {
                return None;
            }
            let value = |name| serde_json::from_str::<Value>(build.field(name)?.get()).ok();
            let url = value("web_url").and_then(|url| url.as_str().map(str::to_owned));
            let created_at = value("created_at");
            let created_at = created_at.and_then(|at| Timestamp::parse(at.as_str()?));
            let found = Found::numbered(build.number, url);
            (value("rebuilt_from")?["id"] == *id).then(|| (found, created_at.map(|at| at.at)))
        }));
        let (mut rebuilds, mut server_time) = (Vec::new(), None);
        while let Some(listed) = listing.try_next().await? {
            match listed {
                Listed::Build(rebuild) => rebuilds.extend(rebuild),
                Listed::Unusable(unusable) => return Err(unusable.into_error()),
                Listed::Page(progress) => server_time = server_time.or(progress.server_time),
            }
        }
        Ok((rebuilds, server_time))
    }
}

/// Whether a build was made over the API by the user of this token, as far as both can be known.
/// Another program with a token of the same user cannot be told apart.
fn is_by_this_token(build: &RawBuild<'_>, remote: &Remote) -> bool {
    let value = |name| serde_json::from_str::<Value>(build.field(name)?.get()).ok();
    let is_api = value("source").is_none_or(|source| source.is_null() || source == "api");
    let email = value("creator").and_then(|creator| creator["email"].as_str().map(str::to_owned));
    let is_own = match (remote.user_email(), email) {
        (Some(own), Some(email)) => own.eq_ignore_ascii_case(&email),
        _ => true,
    };
    is_api && is_own
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

    /// With a journal, only what it says was sent counts.
    async fn before(&self, context: &DeliveryContext, _key: &str) -> Result<Option<Verdict>> {
        if context.journal.is_kept() {
            return Ok(None);
        }
        context.remote.wait_until_settled(BUILD_REBUILDS.name).await;
        Ok(match self.unclaimed(context, None).await? {
            Ok(found) => found.map(Verdict::Done),
            Err(reason) => Some(Verdict::Rejected(reason)),
        })
    }

    async fn probe(&self, context: &DeliveryContext, key: &str) -> Result<Probe> {
        let place = context.place(BUILD_REBUILDS.name, &self.pipeline);
        let since = match context.journal.entry(&place, key) {
            Some(Entry::Open(at)) => Some(at),
            _ => None,
        };
        Ok(match self.unclaimed(context, since).await? {
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
