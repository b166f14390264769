//! `organization_members`: `GET ORG/members` (API facts 15.2).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `organization_members`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct OrganizationMember {
    /// Id of the user, a UUID.
    pub id: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address; masked unless `include_sensitive` lists `emails`.
    pub email: Option<String>,
    /// `admin` or `member`.
    pub role: Option<String>,
    /// `required` or `optional`; only admins see it.
    pub sso_mode: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<OrganizationMember>(
        "organization_members",
        "Members of organizations.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/members",
    )
    .scope("read_organizations")
    .shape(Shape::Whole)
    .key(&["organization_slug", "id"])
}
