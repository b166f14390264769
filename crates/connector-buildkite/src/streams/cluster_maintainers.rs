//! `cluster_maintainers`: `GET CLUSTER/maintainers` (API facts 14.4).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `cluster_maintainers`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct ClusterMaintainer {
    /// Unique id, a UUID.
    pub id: String,
    /// The user or team: `id`, `type` and names.
    pub actor: Option<Object>,
    /// Id of its cluster. Added by the connector.
    pub cluster_id: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<ClusterMaintainer>(
        "cluster_maintainers",
        "Users and teams that maintain clusters.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/maintainers",
    )
    .scope("read_clusters")
    .shape(Shape::Whole)
}
