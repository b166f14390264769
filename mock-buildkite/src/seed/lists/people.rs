//! Members, invitations and the audit log.

use serde_json::{Value, json};

use super::Owner;
use crate::ids::graphql_id;
use crate::time::millis_to_string;

pub(super) fn fill(owner: &mut Owner<'_>) {
    members(owner);
    invitations(owner);
    audit_events(owner);
}

fn members(owner: &mut Owner<'_>) {
    for at in 0..owner.organization.people.len() {
        let user = owner.user(at);
        let member = json!({
            "id": user["id"],
            "name": user["name"],
            "email": user["email"],
            "role": if at < 2 { "admin" } else { "member" },
            "sso_mode": if at == 0 { "optional" } else { "required" },
        });
        owner.put("organization_members", &[], member);
    }
}

fn invitations(owner: &mut Owner<'_>) {
    for (at, state) in [
        "accepted", "pending", "revoked", "pending", "expired", "pending",
    ]
    .into_iter()
    .enumerate()
    {
        let new = owner.new_id(60 - 9 * at as i64);
        let later = |is_it: bool| is_it.then(|| millis_to_string(new.millis + 7_200_000));
        let by = owner.user_with(1, &["id", "name", "email"]);
        let invitation = json!({
            "id": new.id,
            "graphql_id": graphql_id("OrganizationInvitation", &new.id),
            "url": format!("{}/invitations/{}", owner.url(), new.id),
            "email": format!("new-member-{at}@example.com"),
            "state": state,
            "role": "member",
            "sso_mode": "required",
            "teams": [],
            "created_at": new.at,
            "created_by": by,
            "accepted_at": later(state == "accepted"),
            "accepted_by": if state == "accepted" { owner.user_with(3, &["id", "name", "email"]) } else { Value::Null },
            "revoked_at": later(state == "revoked"),
            "revoked_by": if state == "revoked" { by.clone() } else { Value::Null },
            "expired_at": later(state == "expired"),
        });
        owner.put("organization_invitations", &[], invitation);
    }
}

fn audit_events(owner: &mut Owner<'_>) {
    const TYPES: [&str; 5] = [
        "OrganizationUpdatedEvent",
        "PipelineCreatedEvent",
        "TeamMemberCreatedEvent",
        "ClusterQueueCreatedEvent",
        "APIAccessTokenCreatedEvent",
    ];
    for at in 0..12 {
        let new = owner.new_id(40 - 3 * at as i64);
        let user = owner.user(at);
        // The system acts without an actor, and without a context.
        let is_of_system = at % 5 == 4;
        let actor = json!({"type": "User", "uuid": user["id"], "name": user["name"]});
        let context = json!({
            "type": "WebContext",
            "request_ip": format!("192.0.2.{}", at + 1),
            "request_user_agent": "Mozilla/5.0",
        });
        let event = json!({
            "uuid": new.id,
            "graphql_id": graphql_id("AuditEvent", &new.id),
            "type": TYPES[at % TYPES.len()],
            "occurred_at": new.at,
            "actor": if is_of_system { Value::Null } else { actor },
            "subject": {"type": "Organization", "uuid": owner.id(), "name": owner.organization.slug},
            "context": if is_of_system { Value::Null } else { context },
            "data": if at % 3 == 0 { json!({"name": ["old", "new"]}) } else { json!({}) },
            "url": format!("{}/audit_events/{}", owner.url(), new.id),
        });
        owner.put("audit_events", &[], event);
    }
}
