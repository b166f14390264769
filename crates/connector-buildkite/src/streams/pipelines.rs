//! `pipelines`: `GET /v2/organizations/{organization}/pipelines` (API facts 10.1).

use connector_core::{ObjectWriter, Record, Result, Stream};
use schemars::JsonSchema;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Object;
use super::record::not_an_object;
use super::schema::stream as stream_of;

pub(crate) const NAME: &str = "pipelines";

/// A record of `pipelines`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Pipeline {
    /// Unique id, a UUID; it stays when the pipeline is renamed.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its name; may hold emoji codes such as `:rocket:`.
    pub name: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its slug, which changes with its name.
    pub slug: Option<String>,
    /// Address of its source code.
    pub repository: Option<String>,
    /// The cluster it runs in; null if there is none.
    pub cluster_id: Option<String>,
    /// The template it is based on; null if there is none.
    pub pipeline_template_uuid: Option<String>,
    /// Branches that are built; null or empty for all.
    pub branch_configuration: Option<String>,
    /// The branch that is built by default.
    pub default_branch: Option<String>,
    /// Whether queued builds are skipped when a newer one of their branch comes.
    pub skip_queued_branch_builds: Option<bool>,
    /// Branches to which this applies.
    pub skip_queued_branch_builds_filter: Option<String>,
    /// Whether running builds are canceled when a newer one of their branch comes.
    pub cancel_running_branch_builds: Option<bool>,
    /// Branches to which this applies.
    pub cancel_running_branch_builds_filter: Option<String>,
    /// Whether builds may be rebuilt.
    pub allow_rebuilds: Option<bool>,
    /// The source code host: its id, settings and the address of its webhook.
    pub provider: Option<Object>,
    /// Address of its builds in the API.
    pub builds_url: Option<String>,
    /// Address of its badge.
    pub badge_url: Option<String>,
    /// Who created it; null if unknown.
    pub created_by: Option<Object>,
    /// When it was created, UTC; in older answers in the form `2013-09-03 13:24:38 UTC`.
    pub created_at: Option<String>,
    /// When it was archived, UTC; null if it is not.
    pub archived_at: Option<String>,
    /// Environment variables of every build; null or empty if there are none.
    pub env: Option<Object>,
    /// Builds that wait to start, when it was read.
    pub scheduled_builds_count: Option<i64>,
    /// Builds that ran when it was read.
    pub running_builds_count: Option<i64>,
    /// Jobs that waited for an agent when it was read.
    pub scheduled_jobs_count: Option<i64>,
    /// Jobs that ran when it was read.
    pub running_jobs_count: Option<i64>,
    /// Jobs that waited for others when it was read.
    pub waiting_jobs_count: Option<i64>,
    /// `private` or `public`.
    pub visibility: Option<String>,
    /// Its tags; null if there are none.
    pub tags: Option<Vec<String>>,
    /// Its emoji code.
    pub emoji: Option<String>,
    /// Its color, such as `#FF5733`.
    pub color: Option<String>,
    /// Its steps as YAML.
    pub configuration: Option<String>,
    /// Its steps, derived from the configuration.
    pub steps: Option<Vec<Value>>,
    /// Address of its cluster in the API.
    pub cluster_url: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn stream() -> Stream {
    stream_of::<Pipeline>(NAME, "Pipelines, archived ones included.")
        .with_scopes(["read_pipelines"])
}

/// The object as it came, with its organization.
pub(crate) fn record(raw: &RawValue, organization: &str) -> Result<Record> {
    let mut object =
        ObjectWriter::extending(raw, 32 + organization.len()).ok_or_else(|| not_an_object(NAME))?;
    object.string("organization_slug", organization);
    Ok(Record::new(NAME.into(), object.finish()))
}
