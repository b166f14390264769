//! `team_pipelines`: `GET TEAM/pipelines` (API facts 16).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent};

/// A record of `team_pipelines`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct TeamPipeline {
    /// `read_only`, `build_and_read` or `manage_build_and_read`.
    pub access_level: Option<String>,
    /// When access was given, UTC.
    pub created_at: Option<String>,
    /// Id of the pipeline.
    pub pipeline_id: String,
    /// Address of the pipeline in the API.
    pub pipeline_url: Option<String>,
    /// Id of its team. Added by the connector.
    pub team_id: String,
    /// Slug of its team. Added by the connector.
    pub team_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<TeamPipeline>(
        "team_pipelines",
        "Pipelines that teams have access to.",
        Parent::Of("teams", &[("team_id", "id"), ("team_slug", "slug")]),
        "v2/organizations/{organization_slug}/teams/{team_id}/pipelines",
    )
    .scope("read_teams")
    .key(&["team_id", "pipeline_id"])
}
