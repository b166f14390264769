//! `pipeline_templates`: `GET ORG/pipeline-templates` (API facts 10.8).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `pipeline_templates`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct PipelineTemplate {
    /// Unique id.
    pub uuid: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its steps, as YAML.
    pub configuration: Option<String>,
    /// Whether everybody may use it.
    pub available: Option<bool>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// When it was last changed, UTC; null if never.
    pub updated_at: Option<String>,
    /// The user who last changed it; null if nobody has.
    pub updated_by: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<PipelineTemplate>(
        "pipeline_templates",
        "Templates of pipelines; Enterprise plan.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/pipeline-templates",
    )
    .scope("read_pipeline_templates")
    .shape(Shape::Whole)
    .key(&["uuid"])
}
