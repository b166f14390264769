//! `organization_pipeline_settings`: `GET ORG/pipeline-settings` (API facts 15.5).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `organization_pipeline_settings`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct OrganizationPipelineSettings {
    /// Its address in the API.
    pub url: Option<String>,
    /// Default branch of new pipelines.
    pub default_branch: Option<String>,
    /// Default cluster; null if there is none.
    pub default_cluster_id: Option<String>,
    /// Default timeout of jobs, in minutes.
    pub default_timeout_in_minutes: Option<i64>,
    /// Longest timeout of jobs, in minutes.
    pub maximum_timeout_in_minutes: Option<i64>,
    /// After how many minutes a waiting job expires.
    pub scheduled_job_expiry_in_minutes: Option<i64>,
    /// Whether users may log in to hosted agents.
    pub hosted_agents_terminal_access: Option<Object>,
    /// Whether public pipelines may be created.
    pub public_pipeline_creation: Option<Object>,
    /// Whether queues have advanced metrics.
    pub advanced_queue_metrics: Option<Object>,
    /// Whether and where builds are exported.
    pub build_exports: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<OrganizationPipelineSettings>(
        "organization_pipeline_settings",
        "Pipeline settings of organizations; admins only.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/pipeline-settings",
    )
    .scope("read_organization_settings")
    .shape(Shape::Object)
    .key(&["organization_slug"])
}
