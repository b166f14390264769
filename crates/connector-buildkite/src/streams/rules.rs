//! `rules`: `GET ORG/rules` (API facts 17).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `rules`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Rule {
    /// Unique id.
    pub uuid: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Id of its organization.
    pub organization_uuid: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// `pipeline.trigger_build.pipeline` or `pipeline.artifacts_read.pipeline`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// What acts.
    pub source_type: Option<String>,
    /// Id of what acts.
    pub source_uuid: Option<String>,
    /// What it acts on.
    pub target_type: Option<String>,
    /// Id of what it acts on.
    pub target_uuid: Option<String>,
    /// `allow`.
    pub effect: Option<String>,
    /// What is allowed.
    pub action: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Rule>(
        "rules",
        "Rules between pipelines: which may trigger or read which.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/rules",
    )
    .scope("read_rules")
    .key(&["uuid"])
}
