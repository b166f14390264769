//! Stream `builds`: each record triggers a build (API facts 7.4).

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::action::{Action, Call, Found, Lane, Look, Verdict, rejection};
use super::desk::Desk;
use super::known::{self, ByKey, KEY, MARK, Unfiltered};
use super::target::{Defaults, Target, Work, parse};

pub(crate) const BUILDS: Target = Target {
    name: "builds",
    description: "Each record triggers a build.",
    scopes: &["read_builds", "write_builds"],
    schema: crate::streams::schema_of::<NewBuild>,
    order,
};

/// A build to trigger.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBuild {
    /// Slug of the organization; the configuration's if left out.
    #[serde(skip_serializing)]
    pub organization: Option<String>,
    /// Slug of the pipeline; the configuration's if left out.
    #[serde(skip_serializing)]
    pub pipeline: Option<String>,
    /// What to build: a SHA, a ref, a tag, or HEAD.
    pub commit: String,
    /// The branch that it is on.
    pub branch: String,
    /// What people read; the commit's own message if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who is to be named as its author; the token's user if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// Environment variables, texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Meta-data. Buildkite turns all values into texts. The keys `idempotency-key` and
    /// `triggered-by` are the connector's.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub meta_data: Option<BTreeMap<String, Box<RawValue>>>,
    /// Whether the checkout is made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_checkout: Option<bool>,
    /// Whether the pipeline's branch filter is passed over.
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
    lane: Lane,
    build: NewBuild,
}

fn order(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Work, String> {
    let mut build: NewBuild = parse(record)?;
    for (field, text) in [("commit", &build.commit), ("branch", &build.branch)] {
        if text.trim().is_empty() {
            return Err(format!("`{field}` is empty"));
        }
    }
    let mut own = build.meta_data.iter().flat_map(BTreeMap::keys);
    if let Some(taken) = own.find(|key| [KEY, MARK.0].contains(&key.as_str())) {
        return Err(format!(
            "`meta_data` holds `{taken}`, which is the connector's"
        ));
    }
    let lane = defaults.lane(build.organization.take(), build.pipeline.take())?;
    Ok(Work::once(Trigger { lane, build }))
}

/// The body of the request: the record's fields, and which record it was.
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
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn call(&self, key: &str) -> Result<Call> {
        let given = self.build.meta_data.iter().flatten();
        let mut meta_data: BTreeMap<_, _> = given
            .map(|(name, value)| (name.as_str(), Value::Given(value)))
            .collect();
        meta_data.insert(KEY, Value::Own(key));
        meta_data.insert(MARK.0, Value::Own(MARK.1));
        let build = &self.build;
        Call::of_pipeline(Verb::Post, &self.lane, &["builds"]).with_body(&Body { build, meta_data })
    }

    async fn before(&self, desk: &Desk, key: &str) -> Result<Option<Verdict>> {
        let place = desk.place(BUILDS.name, &self.lane);
        let known = desk.known(&place);
        let mut known = known.lock().await;
        match known.find(desk, &place, &self.lane, key).await {
            Ok(done) => {
                known.keep(desk, &place).await?;
                Ok(done.map(|done| Verdict::Done(Found { done, answer: None })))
            }
            Err(error) => rejection(error).map(Some),
        }
    }

    async fn look(&self, desk: &Desk, key: &str) -> Result<Look> {
        let found = known::by_key(desk, &self.lane, key, Unfiltered::ReadOn).await;
        Ok(match found {
            Ok(ByKey::Found(done)) => Look::Done(Found { done, answer: None }),
            Ok(ByKey::Nothing | ByKey::Unfiltered) => Look::NotDone,
            // A pipeline that is gone, or hidden since: it concerns this record alone.
            Err(error) => {
                rejection(error)?;
                Look::Hidden
            }
        })
    }

    fn outcome(&self) -> &'static str {
        "created"
    }

    fn makes_build(&self) -> bool {
        true
    }
}
