//! `cluster_tokens`: `GET CLUSTER/tokens` (API facts 14.3).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `cluster_tokens`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct ClusterToken {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Addresses that agents may connect from; null or empty for any.
    pub allowed_ip_addresses: Option<String>,
    /// When it expires, UTC; null if never.
    pub expires_at: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Address of its cluster in the API.
    pub cluster_url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Id of its cluster. Added by the connector.
    pub cluster_id: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<ClusterToken>(
        "cluster_tokens",
        "Agent tokens of clusters, without their values.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/tokens",
    )
    .scope("read_clusters")
}
