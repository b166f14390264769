//! `team_suites`: `GET TEAM/suites` (API facts 16).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `team_suites`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct TeamSuite {
    /// A list: `read`, `edit`.
    pub access_level: Option<Value>,
    /// When access was given, UTC.
    pub created_at: Option<String>,
    /// Id of the test suite.
    pub suite_id: String,
    /// Address of the test suite in the API.
    pub suite_url: Option<String>,
    /// Id of its team. Added by the connector.
    pub team_id: String,
    /// Slug of its team. Added by the connector.
    pub team_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<TeamSuite>(
        "team_suites",
        "Test suites that teams have access to.",
        Parent::Of("teams", &[("team_id", "id"), ("team_slug", "slug")]),
        "v2/organizations/{organization_slug}/teams/{team_id}/suites",
    )
    .scope("read_teams")
    .shape(Shape::Whole)
    .key(&["team_id", "suite_id"])
}
