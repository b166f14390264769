//! `organization_api_settings`: `GET ORG/api-settings` (API facts 15.4).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `organization_api_settings`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct OrganizationApiSettings {
    /// Its address in the API.
    pub url: Option<String>,
    /// Addresses that API calls may come from, separated by spaces; null for any.
    pub allowed_ip_addresses: Option<String>,
    /// After how many days unused tokens are revoked; null for never.
    pub revoke_inactive_tokens_after_days: Option<i64>,
    /// Whether members may not create tokens.
    pub restrict_user_api_token_creation: Option<bool>,
    /// Those that the plan includes.
    pub features: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<OrganizationApiSettings>(
        "organization_api_settings",
        "API settings of organizations; admins only.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/api-settings",
    )
    .scope("read_organization_settings")
    .shape(Shape::Object)
    .key(&["organization_slug"])
}
