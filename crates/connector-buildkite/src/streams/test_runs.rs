//! `test_runs`: `GET SUITE/runs` (API facts 18).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent};

/// A record of `test_runs`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct TestRun {
    /// Unique id.
    pub id: String,
    /// Its branch.
    pub branch: Option<String>,
    /// Its commit.
    pub commit_sha: Option<String>,
    /// `running` or `finished`; a finished run may start again.
    pub state: Option<String>,
    /// `pending`, `passed`, `failed` or `stale`.
    pub result: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Id of its build; null if there is none.
    pub build_id: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// Id of its test suite. Added by the connector.
    pub suite_id: String,
    /// Slug of its test suite. Added by the connector.
    pub suite_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<TestRun>(
        "test_runs",
        "Runs of test suites.",
        Parent::Of("test_suites", &[("suite_id", "id"), ("suite_slug", "slug")]),
        "v2/analytics/organizations/{organization_slug}/suites/{suite_slug}/runs",
    )
    .scope("read_suites")
}
