//! `step_uploads`: `GET BUILD/step-uploads` (API facts 7.9).
//!
//! Undocumented: known from clients.

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `step_uploads`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct StepUpload {
    /// Unique id.
    pub uuid: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// `applied`, `rejected` and others.
    pub state: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// The job that uploaded it.
    pub source_job_id: Option<String>,
    /// Whether it replaced the existing steps.
    pub replace_existing_steps: Option<bool>,
    /// How many jobs it created; null until applied.
    pub created_jobs_count: Option<i64>,
    /// Why it was rejected; null if it was not.
    pub rejection_type: Option<String>,
    /// A note about it.
    pub message: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// When it was processed, UTC.
    pub processed_at: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: Option<String>,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: Option<String>,
    /// Id of its build. Added by the connector.
    pub build_id: String,
    /// Number of its build, unique in its pipeline. Added by the connector.
    pub build_number: i64,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<StepUpload>(
        "step_uploads",
        "Pipeline uploads of builds; undocumented by Buildkite.",
        Parent::Build,
        "v2/organizations/{organization_slug}/pipelines/{pipeline_slug}/builds/{build_number}/step-uploads",
    )
    .scope("read_builds")
    .shape(Shape::Cursor)
    .key(&["uuid"])
}
