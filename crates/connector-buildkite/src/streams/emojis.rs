//! `emojis`: `GET ORG/emojis` (API facts 17).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `emojis`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Emoji {
    /// Its name, without colons; not unique.
    pub name: Option<String>,
    /// Address of the picture.
    pub url: Option<String>,
    /// Other names.
    pub aliases: Option<Value>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Emoji>(
        "emojis",
        "Emojis of organizations; names repeat, so they have no key.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/emojis",
    )
    .shape(Shape::Whole)
    .key(&[])
}
