//! `repository_connections`: `GET ORG/repository_connections` (API facts 15.7).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `repository_connections`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct RepositoryConnection {
    /// Unique id.
    pub id: String,
    /// What it connects to.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its name.
    pub display_name: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<RepositoryConnection>(
        "repository_connections",
        "Connections to source code hosts; admins only.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/repository_connections",
    )
    .scope("read_organization_repository_connections")
    .shape(Shape::Whole)
}
