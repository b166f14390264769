//! Users.

use serde_json::{Value, json};

use crate::ids::{graphql_id, id_of_name};

/// The owner of a token.
#[derive(Debug, Clone)]
pub struct User {
    /// The id, derived from the name.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The email address, derived from the name.
    pub email: String,
}

impl User {
    pub(super) fn new(name: &str) -> Self {
        let local = name
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        Self {
            id: id_of_name(name, 1_600_000_000_000),
            name: name.to_owned(),
            email: format!("{local}@example.com"),
        }
    }

    /// The user of a token that is created without one.
    pub(crate) fn demo() -> Self {
        Self::new("Demo User")
    }

    /// The user as answers show it.
    pub(crate) fn object(&self) -> Value {
        json!({
            "id": self.id,
            "graphql_id": graphql_id("User", &self.id),
            "name": self.name,
            "email": self.email,
            "avatar_url": "https://www.gravatar.com/avatar/00000000000000000000000000000000",
            "created_at": "2020-09-13T12:26:40.000Z",
        })
    }
}
