//! `registry_tokens`: `GET REGISTRY/tokens` (API facts 19).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `registry_tokens`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct RegistryToken {
    /// Unique id.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Its organization.
    pub organization: Option<Object>,
    /// Its registry.
    pub registry: Option<Object>,
    /// Id of its registry. Added by the connector.
    pub registry_id: String,
    /// Slug of its registry. Added by the connector.
    pub registry_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<RegistryToken>(
        "registry_tokens",
        "Tokens of registries, without their values.",
        Parent::Of(
            "registries",
            &[("registry_id", "id"), ("registry_slug", "slug")],
        ),
        "v2/packages/organizations/{organization_slug}/registries/{registry_slug}/tokens",
    )
    .scope("read_registries")
    .shape(Shape::Whole)
}
