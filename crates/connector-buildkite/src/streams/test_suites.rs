//! `test_suites`: `GET /v2/analytics/…/suites` (API facts 18).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent};

/// A record of `test_suites`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct TestSuite {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Id of its organization.
    pub organization_id: Option<String>,
    /// Its slug: the part of its address that identifies it.
    pub slug: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Name of the application it tests; null if there is none.
    pub application_name: Option<String>,
    /// Its emoji, such as `:rocket:`; null if there is none.
    pub emoji: Option<String>,
    /// Its color, such as `#FF5733`; null if there is none.
    pub color: Option<String>,
    /// Who may upload by OIDC; null for nobody.
    pub oidc_policy: Option<Value>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<TestSuite>(
        "test_suites",
        "Test suites of Test Engine.",
        Parent::Organization,
        "v2/analytics/organizations/{organization_slug}/suites",
    )
    .scope("read_suites")
}
