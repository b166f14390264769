//! `portals`: `GET ORG/portals` (API facts 17).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `portals`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Portal {
    /// Unique id.
    pub uuid: String,
    /// The part of addresses that names it.
    pub slug: Option<String>,
    /// Id of its organization.
    pub organization_uuid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What people say about it; null or empty without.
    pub description: Option<String>,
    /// Its GraphQL query.
    pub query: Option<String>,
    /// Where calls may come from; null or empty for anywhere.
    pub allowed_ip_addresses: Option<String>,
    /// Whether users may call it.
    pub user_invokable: Option<bool>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if none is known.
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
