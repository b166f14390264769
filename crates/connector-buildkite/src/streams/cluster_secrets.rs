//! `cluster_secrets`: `GET CLUSTER/secrets` (API facts 14.5).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `cluster_secrets`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct ClusterSecret {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its name, unique in its cluster.
    pub key: Option<String>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Who may read it, in YAML.
    pub policy: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// When it was last changed, UTC; null if never.
    pub updated_at: Option<String>,
    /// The user who last changed it; null if nobody has.
    pub updated_by: Option<Object>,
    /// When it was last read, UTC; null if never.
    pub last_read_at: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Address of its cluster in the API.
    pub cluster_url: Option<String>,
    /// Its organization: `id`, `slug`, `url` and `web_url`.
    pub organization: Option<Object>,
    /// Id of its cluster. Added by the connector.
    pub cluster_id: String,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<ClusterSecret>(
        "cluster_secrets",
        "Secrets of clusters: their names and policies, never their values.",
        Parent::Of("clusters", &[("cluster_id", "id")]),
        "v2/organizations/{organization_slug}/clusters/{cluster_id}/secrets",
    )
    .scope("read_secrets_details")
}
