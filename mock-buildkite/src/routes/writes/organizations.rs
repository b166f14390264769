//! Members and invitations of an organization.

use serde_json::{Value, json};

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource};
use crate::document::Document;
use crate::ids::graphql_id;
use crate::routes::params::Params;
use crate::routes::path_objects::PathObjects;
use crate::routes::{Call, Outcome, Reply};
use crate::time::millis_to_string;

const ROLES: &[&str] = &["admin", "member"];
const SSO_MODES: &[&str] = &["required", "optional"];

#[rustfmt::skip]
const MEMBER: Resource = Resource {
    collection: "organization_members", path: "members", item: "id", noun: "organization member",
    fields: &[
        Field::one_of("role", ROLES, "\"member\""),
        Field::one_of("sso_mode", SSO_MODES, "\"required\""),
    ],
    hooks: Hooks { check: check_member, keep: keep_member, follow: forget_member, ..Hooks::NONE },
};

#[rustfmt::skip]
const INVITATION: Resource = Resource {
    collection: "organization_invitations", path: "invitations", item: "id", noun: "organization invitation",
    fields: &[], hooks: Hooks::NONE,
};

/// `PATCH ORG/members/{id}`
pub(in crate::routes) fn change_member(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::update(call, params, &MEMBER)
}

/// `DELETE ORG/members/{id}`
pub(in crate::routes) fn remove_member(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::delete(call, params, &MEMBER, 204)
}

/// Nobody changes themselves.
fn check_member(call: &Call<'_>, making: &mut Making<'_>) {
    let own = call.user().map(|user| user.id).ok();
    if making.object.text("id") == own {
        making
            .body
            .fail("base", "You cannot change your own membership");
    }
}

/// The last administrator stays.
fn keep_member(call: &Call<'_>, params: &Params<'_>, member: &Document) -> Option<String> {
    let place = [(
        "organization_slug".to_owned(),
        params.organization().to_owned(),
    )];
    let members = call.world.stored_below("organization_members", &place);
    let is_admin = |object: &Document| object.text("role").as_deref() == Some("admin");
    let admins = members.iter().filter(|one| is_admin(&one.object)).count();
    let is_last = is_admin(member) && admins == 1;
    is_last.then(|| "The last administrator of an organization can't be removed".to_owned())
}

/// Somebody who left is in no team either.
fn forget_member(call: &mut Call<'_>, params: &Params<'_>, object: &Document) {
    if object.raw("id").is_none() {
        let (organization, id) = (
            params.organization().to_owned(),
            params.get("id").to_owned(),
        );
        call.world.remove_where("team_members", |member| {
            member.parent("organization_slug") == Some(&organization)
                && member.object.text("user_id").as_ref() == Some(&id)
        });
    }
}

/// `POST ORG/invitations`: one for each address, all or none.
pub(in crate::routes) fn invite(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    PathObjects::find(call, params)?;
    let user = call.user()?.object();
    let mut body = Body::parse(call)?;
    let emails = body.array("emails").unwrap_or_default();
    let texts = emails.iter().filter_map(Value::as_str);
    let emails: Vec<String> = texts
        .filter(|email| email.contains('@'))
        .map(str::to_owned)
        .collect();
    if emails.is_empty() {
        body.fail("emails", "missing");
    }
    let role = body
        .one_of("role", ROLES)
        .unwrap_or_else(|| "member".to_owned());
    let sso_mode = body.one_of("sso_mode", SSO_MODES);
    let teams = teams(call, params, &mut body);
    body.check_reason()?;
    let mut made = Vec::new();
    for email in emails {
        let invitation = json!({
            "email": email, "state": "pending", "role": role, "sso_mode": sso_mode,
            "teams": teams,
        });
        made.push(put_invitation(call, params, invitation, &user));
    }
    Ok(Reply {
        status: 201,
        ..Reply::value(&Value::Array(made))
    })
}

/// The teams of a request as an invitation shows them.
fn teams(call: &Call<'_>, params: &Params<'_>, body: &mut Body) -> Vec<Value> {
    let place = [(
        "organization_slug".to_owned(),
        params.organization().to_owned(),
    )];
    let known = call.world.stored_below("teams", &place);
    let mut shown = Vec::new();
    for team in body.array("teams").unwrap_or_default() {
        let is_it = |object: &Document| object.text("id").as_deref() == team["id"].as_str();
        match known.iter().find(|entry| is_it(&entry.object)) {
            Some(entry) => {
                let [id, graphql, slug] =
                    ["id", "graphql_id", "slug"].map(|key| entry.object.get(key));
                shown.push(json!({"id": id, "graphql_id": graphql, "slug": slug}));
            }
            None => body.fail("teams", "invalid"),
        }
    }
    shown
}

fn put_invitation(call: &mut Call<'_>, params: &Params<'_>, given: Value, user: &Value) -> Value {
    let id = call.world.new_id();
    let organization = params.organization();
    let base = crate::address::ORGANIZATIONS;
    let mut invitation = json!({
        "id": id,
        "graphql_id": graphql_id("OrganizationInvitation", &id),
        "url": format!("{base}/{organization}/invitations/{id}"),
    });
    for (key, value) in given.as_object().into_iter().flatten() {
        invitation[key] = value.clone();
    }
    invitation["created_at"] = json!(millis_to_string(call.world.clock.now_millis()));
    let short = json!({"id": user["id"], "name": user["name"], "email": user["email"]});
    invitation["created_by"] = short;
    for key in [
        "accepted_at",
        "accepted_by",
        "revoked_at",
        "revoked_by",
        "expired_at",
    ] {
        invitation[key] = Value::Null;
    }
    let parents = [("organization_slug", organization)];
    call.world
        .put("organization_invitations", &parents, &invitation);
    invitation
}

/// `DELETE ORG/invitations/{id}`: a pending invitation is revoked, and can still be read.
pub(in crate::routes) fn revoke(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::act(call, params, &INVITATION, |invitation, context| {
        if invitation.text("state").as_deref() != Some("pending") {
            return Err(Reply::error(422, "Only pending invitations can be revoked"));
        }
        invitation.set("state", "revoked");
        invitation.set("revoked_at", &context.now);
        invitation.set("revoked_by", context.user_with(&["id", "name", "email"]));
        Ok(())
    })?;
    Ok(Reply::no_content())
}
