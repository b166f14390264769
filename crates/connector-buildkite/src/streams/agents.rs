//! `agents`: `GET ORG/agents` (API facts 13).

use schemars::JsonSchema;

use super::Object;
use super::declaration::{ListStream, Parent};

/// A record of `agents`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Agent {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// `connected`, `stopping` and others.
    pub connection_state: Option<String>,
    /// Name of its machine.
    pub hostname: Option<String>,
    /// Its address, as Buildkite sees it.
    pub ip_address: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// Version of the agent.
    pub version: Option<String>,
    /// Its operating system.
    pub os_id: Option<String>,
    /// Its processor architecture.
    pub arch: Option<String>,
    /// Key of its queue.
    pub queue: Option<String>,
    /// Who registered it; usually null.
    pub creator: Option<Object>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// When it connected, UTC.
    pub connected_at: Option<String>,
    /// When it disconnected, UTC; null while connected.
    pub disconnected_at: Option<String>,
    /// When it was lost, UTC; null if it was not.
    pub lost_at: Option<String>,
    /// When it stopped, UTC; null if it did not.
    pub stopped_at: Option<String>,
    /// The job it runs; null if there is none.
    pub job: Option<Object>,
    /// When its last job finished, UTC; null if there is none.
    pub last_job_finished_at: Option<String>,
    /// Its priority; null for the default.
    pub priority: Option<i64>,
    /// Its tags, in the form `key=value`.
    pub meta_data: Option<Vec<String>>,
    /// Whether it takes no jobs.
    pub paused: Option<bool>,
    /// When it was paused, UTC.
    pub paused_at: Option<String>,
    /// Who paused it.
    pub paused_by: Option<Object>,
    /// Why it is paused.
    pub paused_note: Option<String>,
    /// For how many minutes it is paused; has a value even if it is not.
    pub paused_timeout_in_minutes: Option<i64>,
    /// Address of its cluster in the API.
    pub cluster_url: Option<String>,
    /// Address of its queue in the API.
    pub cluster_queue_url: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Agent>(
        "agents",
        "Agents that are connected or stopping now; others are not listed.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/agents",
    )
    .scope("read_agents")
}
