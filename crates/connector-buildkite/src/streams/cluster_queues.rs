//! `cluster_queues`: `GET CLUSTER/queues` (API facts 14.2).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `cluster_queues`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct ClusterQueue {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its key, by which jobs choose it.
    pub key: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Address of its cluster in the API.
    pub cluster_url: Option<String>,
    /// `prefer-warmest` or `prefer-different`.
    pub retry_agent_affinity: Option<String>,
    /// Whether it is paused.
    pub dispatch_paused: Option<bool>,
    /// Who paused it; null if nobody did.
    pub dispatch_paused_by: Option<Object>,
    /// When it was paused, UTC; null if it is not.
    pub dispatch_paused_at: Option<String>,
    /// Why it is paused; null if it is not.
    pub dispatch_paused_note: Option<String>,
    /// Whether Buildkite hosts its agents.
    pub hosted: Option<bool>,
    /// Shape and settings of hosted agents.
    pub hosted_agents: Option<Object>,
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
    ListStream::new::<ClusterQueue>(
        "cluster_queues",
        "Queues of clusters.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/queues",
    )
    .scope("read_clusters")
}
