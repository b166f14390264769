//! `pipeline_schedules`: `GET PIPE/schedules` (API facts 10.7).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `pipeline_schedules`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct PipelineSchedule {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its name.
    pub label: Option<String>,
    /// When it runs: `@daily` or a crontab line.
    pub cronline: Option<String>,
    /// Message of its builds.
    pub message: Option<String>,
    /// Commit of its builds, usually `HEAD`.
    pub commit: Option<String>,
    /// Branch of its builds.
    pub branch: Option<String>,
    /// Environment variables of its builds; values are masked unless `include_sensitive`
    /// lists `env`.
    pub env: Option<Object>,
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// When it runs next, UTC; null if disabled.
    pub next_build_at: Option<String>,
    /// Why it last failed; null if it has not.
    pub failed_message: Option<String>,
    /// When it failed, UTC; null if it did not.
    pub failed_at: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Its pipeline: `id`, `slug` and `url`.
    pub pipeline: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: Option<String>,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: Option<String>,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<PipelineSchedule>(
        "pipeline_schedules",
        "Schedules that start builds of pipelines.",
        Parent::Pipeline,
        "v2/organizations/{organization_slug}/pipelines/{pipeline_slug}/schedules",
    )
    .scope("read_pipelines")
}
