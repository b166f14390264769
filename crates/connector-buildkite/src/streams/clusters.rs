//! `clusters`: `GET ORG/clusters` (API facts 14.1).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `clusters`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Cluster {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its default queue; null if there is none.
    pub default_queue_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Its emoji, such as `:rocket:`; null if there is none.
    pub emoji: Option<String>,
    /// Its color, such as `#FF5733`; null if there is none.
    pub color: Option<String>,
    /// Who maintains it: `users` and `teams`.
    pub maintainers: Option<Object>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Address of its queues in the API.
    pub queues_url: Option<String>,
    /// Address of its default queue; null if there is none.
    pub default_queue_url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Whether hosted agents use a mirror; only for who may manage it.
    pub hosted_git_mirror_enabled: Option<bool>,
    /// Whether hosted agents use a container cache; only for who may manage it.
    pub hosted_container_cache_enabled: Option<bool>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Cluster>(
        "clusters",
        "Clusters.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/clusters",
    )
    .scope("read_clusters")
}
