//! Stream `builds`: each record triggers a build (API facts 7.4).

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{
    Action, ApiRequest, BuildsOf, ByKey, DeliveryContext, KEY, MARK, PipelineKey, Probe,
    Unfiltered, Verdict, by_key, rejection,
};

pub(crate) const BUILDS: AcceptedStream = AcceptedStream {
    name: "builds",
    description: "Each record triggers a build.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<NewBuild>,
    parse_record,
};

/// A build to trigger.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBuild {
    /// Slug of the organization. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub pipeline: Option<String>,
    /// What to build: a SHA, a ref, a tag or HEAD.
    pub commit: String,
    /// The branch that it is on.
    pub branch: String,
    /// What people read. Default: the commit's own message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whom it names as its author. Default: the token's user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// Environment variables. All values are texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Meta-data. Buildkite turns all values into texts. The connector sets the keys
    /// `idempotency-key` and `triggered-by`.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub meta_data: Option<BTreeMap<String, Box<RawValue>>>,
    /// Whether agents check out into an empty folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_checkout: Option<bool>,
    /// Whether to ignore the pipeline's branch filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_pipeline_branch_filters: Option<bool>,
    /// The branch that the pull request is to be merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request_base_branch: Option<String>,
    /// The number of the pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request_id: Option<u64>,
    /// The labels of the pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request_labels: Option<Vec<String>>,
    /// The repository that the pull request comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request_repository: Option<String>,
}

/// The author of a build.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// Full name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

struct Trigger {
    pipeline: PipelineKey,
    build: NewBuild,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let mut build: NewBuild = parse(record)?;
    for (field, text) in [("commit", &build.commit), ("branch", &build.branch)] {
        if text.trim().is_empty() {
            return Err(format!("`{field}` is empty"));
        }
    }
    let mut own = build.meta_data.iter().flat_map(BTreeMap::keys);
    if let Some(taken) = own.find(|key| [KEY, MARK.0].contains(&key.as_str())) {
        return Err(format!(
            "`meta_data` holds `{taken}`, which the connector sets"
        ));
    }
    let pipeline = defaults.pipeline(build.organization.take(), build.pipeline.take())?;
    Ok(Request::once(Trigger { pipeline, build }))
}

/// The body of the request: the record's fields, and the key of the record.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    build: &'a NewBuild,
    meta_data: BTreeMap<&'a str, Value<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Given(&'a RawValue),
    Own(&'a str),
}

#[async_trait]
impl Action for Trigger {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, key: &str) -> Result<ApiRequest> {
        let given = self.build.meta_data.iter().flatten();
        let mut meta_data: BTreeMap<_, _> = given
            .map(|(name, value)| (name.as_str(), Value::Given(value)))
            .collect();
        meta_data.insert(KEY, Value::Own(key));
        meta_data.insert(MARK.0, Value::Own(MARK.1));
        let build = &self.build;
        ApiRequest::of_pipeline(Verb::Post, &self.pipeline, &["builds"])
            .with_body(&Body { build, meta_data })
    }

    async fn before(&self, context: &DeliveryContext, key: &str) -> Result<Option<Verdict>> {
        let place = context.place(BUILDS.name, &self.pipeline);
        let builds = BuildsOf {
            remote: &context.remote,
            journal: &context.journal,
            place: &place,
            pipeline: &self.pipeline,
        };
        let existing = context.existing_builds(&place);
        let mut existing = existing.lock().await;
        match existing.find(builds, key).await {
            Ok(done) => {
                existing.keep(builds).await?;
                Ok(done.map(|done| Verdict::Done(done.into())))
            }
            Err(error) => Ok(Some(Verdict::Rejected(rejection(error)?))),
        }
    }

    async fn probe(&self, context: &DeliveryContext, key: &str) -> Result<Probe> {
        let found = by_key(&context.remote, &self.pipeline, key, Unfiltered::ReadOn).await;
        Ok(match found {
            Ok(ByKey::Found(done)) => Probe::Done(done.into()),
            Ok(ByKey::Nothing | ByKey::Unfiltered) => Probe::NotDone,
            // The pipeline was deleted or hidden: that concerns this record alone.
            Err(error) => {
                rejection(error)?;
                Probe::Hidden
            }
        })
    }

    fn outcome(&self) -> &'static str {
        "created"
    }

    fn makes_build(&self) -> bool {
        true
    }

    fn marks_build(&self) -> bool {
        true
    }
}
