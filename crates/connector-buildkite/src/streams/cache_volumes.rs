//! `cache_volumes`: `GET CLUSTER/cache_volumes` (API facts 14.6).

use schemars::JsonSchema;
use serde_json::Value;

use super::declaration::{ListStream, Parent, Shape};

/// A record of `cache_volumes`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct CacheVolume {
    /// Unique id.
    pub id: String,
    /// Its tag.
    pub tag: Option<String>,
    /// Size in megabytes.
    pub size_mb: Option<Value>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// When it was last attached, UTC; null if never.
    pub attached_at: Option<String>,
    /// When it was last detached, UTC; null if never.
    pub detached_at: Option<String>,
    /// Id of its cluster. Added by the connector.
    pub cluster_id: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<CacheVolume>(
        "cache_volumes",
        "Cache volumes of hosted agents.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/cache_volumes",
    )
    .scope("read_clusters")
    .shape(Shape::Whole)
}
