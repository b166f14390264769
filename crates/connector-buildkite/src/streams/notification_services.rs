//! `notification_services`: `GET ORG/services` (API facts 15.8).

use schemars::JsonSchema;
use serde_json::Value;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `notification_services`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct NotificationService {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// What it is: `id` and `name`.
    pub provider: Option<Object>,
    /// Its description; null or empty if there is none.
    pub description: Option<String>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// `all`, `some_projects`, `some_teams` or `some_clusters`.
    pub scope: Option<String>,
    /// Ids of those.
    pub scope_uuids: Option<Value>,
    /// Its branches; empty for all.
    pub branch_configuration: Option<String>,
    /// Build states that it reports.
    pub build_states: Option<Object>,
    /// Its settings; a `token` in them is masked unless `include_sensitive` lists
    /// `tokens`.
    pub settings: Option<Object>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// The user who created it; null if unknown.
    pub created_by: Option<Object>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<NotificationService>(
        "notification_services",
        "Notification services, webhooks among them; tokens are masked.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/services",
    )
    .scope("read_notification_services")
    .shape(Shape::Cursor)
}
