//! `tests`: `GET SUITE/tests` (API facts 18).

use schemars::JsonSchema;
use serde_json::Value;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `tests`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Test {
    /// Unique id.
    pub id: String,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Scope of the test, such as its class.
    pub scope: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its location: file and line.
    pub location: Option<String>,
    /// The file that contains it.
    pub file_name: Option<String>,
    /// Its labels.
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
    /// Id of its test suite. Added by the connector.
    pub suite_id: String,
    /// Slug of its test suite. Added by the connector.
    pub suite_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Test>(
        "tests",
        "Tests of test suites.",
        Parent::Of("test_suites", &[("suite_id", "id"), ("suite_slug", "slug")]),
        "v2/analytics/organizations/{organization_slug}/suites/{suite_slug}/tests",
    )
    .scope("read_suites")
    .version("2026-08-01")
    .key(&["suite_id", "id"])
}
