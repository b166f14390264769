//! `job_environments`: `GET JOB/env` (API facts 8.4).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `job_environments`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct JobEnvironment {
    /// The variables; values are masked unless `include_sensitive` lists `env`.
    pub env: Option<Object>,
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
    /// Id of its job. Added by the connector.
    pub job_id: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<JobEnvironment>(
        "job_environments",
        "Names of the environment variables of jobs that ran; values only if `env` is in `include_sensitive`.",
        Parent::Job,
        "v2/organizations/{organization_slug}/jobs/{job_id}/env",
    )
    .scope("read_job_env")
    .shape(Shape::Object)
    .key(&["job_id"])
}
