//! `portals`: `GET ORG/portals` (API facts 17).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `portals`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Portal {
    /// Unique id.
    pub uuid: String,
    /// Its slug: the part of its address that identifies it.
    pub slug: Option<String>,
    /// Id of its organization.
    pub organization_uuid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its GraphQL query.
    pub query: Option<String>,
    /// Addresses that calls may come from; null or empty for any.
    pub allowed_ip_addresses: Option<String>,
    /// Whether users may call it.
    pub user_invokable: Option<bool>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Portal>(
        "portals",
        "GraphQL portals, without their tokens.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/portals",
    )
    .scope("read_portals")
    .key(&["uuid"])
}
