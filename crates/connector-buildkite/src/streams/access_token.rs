//! `access_token`: `GET /v2/access-token` (API facts 2.2).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `access_token`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct AccessToken {
    /// Unique id.
    pub uuid: String,
    /// What it may do.
    pub scopes: Option<Vec<String>>,
    /// Its description, written by its owner.
    pub description: Option<String>,
    /// When it was created: `2026-01-31 09:30:00 UTC`.
    pub created_at: Option<String>,
    /// When it expires, in the same form; null if never.
    pub expires_at: Option<String>,
    /// Its owner: `name` and `email`.
    pub user: Option<Object>,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<AccessToken>(
        "access_token",
        "The token that is used: its scopes, owner and expiry.",
        Parent::Token,
        "v2/access-token",
    )
    .shape(Shape::Object)
    .key(&["uuid"])
}
