//! `flaky_tests`: `GET SUITE/tests?label=flaky` (API facts 18).
//!
//! Replaces the list `flaky-tests`, which Buildkite has deprecated.

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent};

/// A record of `flaky_tests`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct FlakyTest {
    /// Id of the test.
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
    /// Id of its test suite. Added by the connector.
    pub suite_id: String,
    /// Slug of its test suite. Added by the connector.
    pub suite_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<FlakyTest>(
        "flaky_tests",
        "Tests with the label `flaky`.",
        Parent::Of("test_suites", &[("suite_id", "id"), ("suite_slug", "slug")]),
        "v2/analytics/organizations/{organization_slug}/suites/{suite_slug}/tests",
    )
    .scope("read_suites")
    .query("label", "flaky")
    .key(&["suite_id", "id"])
}
