//! `audit_events`: `GET ORG/audit_events` (API facts 15.6).

use schemars::JsonSchema;
use serde_json::Value;

use super::Object;
use super::declaration::{ListStream, Parent, Shape};

/// A record of `audit_events`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct AuditEvent {
    /// Unique id.
    pub uuid: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// What happened: `OrganizationUpdatedEvent` and many others.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// When it happened, UTC.
    pub occurred_at: Option<String>,
    /// Who did it: `type`, `uuid` and `name`; null for Buildkite itself.
    pub actor: Option<Object>,
    /// What it was done to: `type`, `uuid` and `name`.
    pub subject: Option<Object>,
    /// Where it came from: `type`, `request_ip` and others; null if unknown.
    pub context: Option<Object>,
    /// What changed.
    pub data: Option<Value>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<AuditEvent>(
        "audit_events",
        "The audit log; Enterprise plan, admins only.",
        Parent::Organization,
        "v2/organizations/{organization_slug}/audit_events",
    )
    .scope("read_audit_events")
    .shape(Shape::Cursor)
    .key(&["uuid"])
}
