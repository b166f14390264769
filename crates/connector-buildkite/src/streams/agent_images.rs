//! `agent_images`: `GET CLUSTER/agent-images` (API facts 14.6).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `agent_images`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct AgentImage {
    /// Unique id, a UUID.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `BUILDING`, `READY` or `FAILED`.
    pub status: Option<String>,
    /// Its reference; null while it is built.
    pub image_ref: Option<String>,
    /// Its version.
    pub version: Option<i64>,
    /// Why its last build failed; null if it did not.
    pub last_build_error: Option<String>,
    /// Its description.
    pub dockerfile: Option<String>,
    /// The image it is based on.
    pub base_image: Option<String>,
    /// What it was built from.
    pub composed_dockerfile: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Address of its cluster in the API.
    pub cluster_url: Option<String>,
    /// Id of its cluster. Added by the connector.
    pub cluster_id: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<AgentImage>(
        "agent_images",
        "Images of hosted agents.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/agent-images",
    )
    .scope("read_clusters")
    .shape(Shape::Whole)
}
