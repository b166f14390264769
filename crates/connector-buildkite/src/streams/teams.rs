//! `teams`: `GET ORG/teams` (API facts 16).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `teams`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Team {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its slug: the part of its address that identifies it.
    pub slug: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// `visible` or `secret`.
    pub privacy: Option<String>,
    /// Whether new members are added to it.
    #[serde(rename = "default")]
    pub is_default: Option<bool>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Team>(
        "teams",
        "Teams.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/teams",
    )
    .scope("read_teams")
}
