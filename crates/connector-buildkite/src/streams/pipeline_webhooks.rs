//! `pipeline_webhooks`: `GET PIPE/github-webhooks` (API facts 10.5).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `pipeline_webhooks`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct PipelineWebhook {
    /// Its address in the API.
    pub url: Option<String>,
    /// Whether incoming events are processed.
    pub enabled: Option<bool>,
    /// When they were disabled, UTC; null if they are enabled.
    pub disabled_at: Option<String>,
    /// Name of the user who disabled it; null if it is enabled.
    pub disabled_by: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: String,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<PipelineWebhook>(
        "pipeline_webhooks",
        "Whether GitHub's events are processed; only for pipelines of GitHub where the feature is on.",
        Parent::Pipeline,
        "v2/organizations/{organization_slug}/pipelines/{pipeline_slug}/github-webhooks",
    )
    .scope("read_pipelines")
    .shape(Shape::Object)
    .key(&["pipeline_id"])
}
