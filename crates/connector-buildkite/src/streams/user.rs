//! `user`: `GET /v2/user` (API facts 17).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `user`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct User {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address; masked unless `include_sensitive` lists `emails`.
    pub email: Option<String>,
    /// Address of the picture.
    pub avatar_url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<User>(
        "user",
        "The user who owns the token.",
        Parent::Token,
        "v2/user",
    )
    .scope("read_user")
    .shape(Shape::Object)
}
