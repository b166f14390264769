//! `build_tests`: `GET /v2/analytics/…/builds/{build.id}/tests` (API facts 18).

use schemars::JsonSchema;
use serde_json::Value;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `build_tests`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct BuildTest {
    /// Id of the test.
    pub id: String,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Scope of the test, such as its class.
    pub scope: Option<String>,
    /// Name of the test.
    pub name: Option<String>,
    /// Its location: file and line.
    pub location: Option<String>,
    /// The file that contains it.
    pub file_name: Option<String>,
    /// Labels of the test.
    pub labels: Option<Value>,
    /// Share of passed executions, 0 to 1; null if unknown.
    pub reliability: Option<f64>,
    /// Average duration, in seconds.
    pub duration_avg: Option<f64>,
    /// Duration of all executions, in seconds.
    pub duration_sum: Option<f64>,
    /// Shortest duration, in seconds.
    pub duration_min: Option<f64>,
    /// Longest duration, in seconds.
    pub duration_max: Option<f64>,
    /// Number of executions.
    pub executions_count: Option<i64>,
    /// Executions by result: `passed`, `failed`, `skipped` and others.
    pub executions_count_by_result: Option<Object>,
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
    ListStream::new::<BuildTest>(
        "build_tests",
        "Tests that ran in builds, by Test Engine.",
        Parent::Build,
        "v2/analytics/organizations/{organization_slug}/builds/{build_id}/tests",
    )
    .scope("read_suites")
    .key(&["build_id", "id"])
}
