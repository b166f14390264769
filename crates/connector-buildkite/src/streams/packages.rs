//! `packages`: `GET REGISTRY/packages` (API facts 19).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `packages`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Package {
    /// Unique id.
    pub id: String,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// Its version; null if there is none.
    pub version: Option<String>,
    /// Checksums of its content, by kind.
    pub digests: Option<Object>,
    /// Id of its registry. Added by the connector.
    pub registry_id: String,
    /// Slug of its registry. Added by the connector.
    pub registry_slug: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Package>(
        "packages",
        "Packages of registries.",
        Parent::Of(
            "registries",
            &[("registry_id", "id"), ("registry_slug", "slug")],
        ),
        "v2/packages/organizations/{organization_slug}/registries/{registry_slug}/packages",
    )
    .scope("read_packages")
    .shape(Shape::Cursor)
}
