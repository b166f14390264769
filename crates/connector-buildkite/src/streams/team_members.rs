//! `team_members`: `GET TEAM/members` (API facts 16).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `team_members`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct TeamMember {
    /// `member` or `maintainer`.
    pub role: Option<String>,
    /// When it was added, UTC.
    pub created_at: Option<String>,
    /// Id of the user.
    pub user_id: String,
    /// Name of the user.
    pub user_name: Option<String>,
    /// Id of its team. Added by the connector.
    pub team_id: String,
    /// Slug of its team. Added by the connector.
    pub team_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<TeamMember>(
        "team_members",
        "Members of teams.",
        Parent::Of("teams", &[("team_id", "id"), ("team_slug", "slug")]),
        "v2/organizations/{organization_slug}/teams/{team_id}/members",
    )
    .scope("read_teams")
    .shape(Shape::Whole)
    .key(&["team_id", "user_id"])
}
