//! `organization_invitations`: `GET ORG/invitations` (API facts 15.3).

use schemars::JsonSchema;
use serde_json::Value;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `organization_invitations`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct OrganizationInvitation {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// E-mail address; masked unless `include_sensitive` lists `emails`.
    pub email: Option<String>,
    /// `pending`, `accepted`, `revoked` or `expired`.
    pub state: Option<String>,
    /// `admin` or `member`.
    pub role: Option<String>,
    /// `required` or `optional`.
    pub sso_mode: Option<String>,
    /// The teams: `id`, `graphql_id` and `slug` of each.
    pub teams: Option<Value>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// When it was accepted, UTC; null until then.
    pub accepted_at: Option<String>,
    /// Who accepted it; null until then.
    pub accepted_by: Option<Object>,
    /// When it was revoked, UTC; null until then.
    pub revoked_at: Option<String>,
    /// Who revoked it; null until then.
    pub revoked_by: Option<Object>,
    /// When it expired, UTC; null until then.
    pub expired_at: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<OrganizationInvitation>(
        "organization_invitations",
        "Invitations that are pending; others are not listed.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/invitations",
    )
    .scope("read_organization_invitations")
    .shape(Shape::Cursor)
}
