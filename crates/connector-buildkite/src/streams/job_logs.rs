//! `job_logs`: `GET JOB/log` (API facts 8.4).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `job_logs`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct JobLog {
    /// Its address in the API.
    pub url: Option<String>,
    /// The log with its color codes and time marks; if it is longer than the limit, only its end.
    pub content: Option<String>,
    /// Size of the whole log in bytes.
    pub size: Option<i64>,
    /// When each section began, in nanoseconds since 1970: integers beyond 2^53.
    pub header_times: Option<Value>,
    /// True if the log is longer than the limit and `content` is only its end. Added by the
    /// connector.
    pub content_truncated: Option<bool>,
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
    ListStream::new::<JobLog>(
        "job_logs",
        "Logs of jobs that ran, with their content up to `log_limit_bytes`.",
        Parent::Job,
        "v2/organizations/{organization_slug}/jobs/{job_id}/log",
    )
    .scope("read_build_logs")
    .shape(Shape::Object)
    .key(&["job_id"])
}
