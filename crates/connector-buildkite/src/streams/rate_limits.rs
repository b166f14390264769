//! `rate_limits`: `GET ORG/rate_limit` (API facts 5.1).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `rate_limits`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct RateLimits {
    /// For `rest` and `graphql`: `limit`, `current`, `reset` (seconds), `reset_at` and `enforced`.
    pub scopes: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<RateLimits>(
        "rate_limits",
        "What is left of the rate limits of organizations.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/rate_limit",
    )
    .scope("read_organizations")
    .shape(Shape::Object)
    .key(&["organization_slug"])
}
