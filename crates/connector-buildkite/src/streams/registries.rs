//! `registries`: `GET /v2/packages/…/registries` (API facts 19).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `registries`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Registry {
    /// Unique id.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its slug: the part of its address that identifies it.
    pub slug: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// `ruby`, `python`, `container` and others.
    pub ecosystem: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its emoji, such as `:rocket:`; null if there is none.
    pub emoji: Option<String>,
    /// Its color, such as `#FF5733`; null if there is none.
    pub color: Option<String>,
    /// Whether everybody may read it.
    pub public: Option<bool>,
    /// Who may publish by OIDC; null for nobody.
    pub oidc_policy: Option<Value>,
    /// Ids of the teams that have access.
    pub team_ids: Option<Value>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Registry>(
        "registries",
        "Package registries.",
        Parent::Organization,
        "v2/packages/organizations/{organization_slug}/registries",
    )
    .scope("read_registries")
    .shape(Shape::Whole)
}
