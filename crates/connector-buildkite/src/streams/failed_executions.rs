//! `failed_executions`: `GET SUITE/runs/{id}/failed_executions` (API facts 18).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent};

/// A record of `failed_executions`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct FailedExecution {
    /// Unique id.
    pub execution_id: String,
    /// Id of its run.
    pub run_id: Option<String>,
    /// Id of its test.
    pub test_id: Option<String>,
    /// Name of its run; null if there is none.
    pub run_name: Option<String>,
    /// Its commit.
    pub commit_sha: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// How long it ran, in seconds.
    pub duration: Option<f64>,
    /// Location of the test.
    pub location: Option<String>,
    /// Name of the test.
    pub test_name: Option<String>,
    /// Address of the run in the browser.
    pub run_url: Option<String>,
    /// Address of the test in the browser.
    pub test_url: Option<String>,
    /// Its address in the browser.
    pub test_execution_url: Option<String>,
    /// Its tags.
    pub tags: Option<Value>,
    /// Id of its test suite. Added by the connector.
    pub suite_id: String,
    /// Slug of its test suite. Added by the connector.
    pub suite_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<FailedExecution>(
        "failed_executions",
        "Executions of tests that failed, with their reasons.",
        Parent::Of("test_runs", &[("run_id", "id")]),
        "v2/analytics/organizations/{organization_slug}/suites/{suite_slug}/runs/{run_id}/failed_executions",
    )
    .scope("read_suites")
    .key(&["execution_id"])
}
