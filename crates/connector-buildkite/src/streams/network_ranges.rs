//! `network_ranges`: `GET CLUSTER/network_ranges` (API facts 14.6).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `network_ranges`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct NetworkRange {
    /// The network, such as `192.0.2.0/24`.
    pub cidr_range: String,
    /// What it is for.
    pub kind: Option<String>,
    /// Id of its cluster. Added by the connector.
    pub cluster_id: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<NetworkRange>(
        "network_ranges",
        "Networks that hosted agents come from.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/network_ranges",
    )
    .scope("read_clusters")
    .shape(Shape::Whole)
    .key(&["cluster_id", "cidr_range", "kind"])
}
