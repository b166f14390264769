//! Members, invitations, notification services and settings of an organization.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource, Source};
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

#[rustfmt::skip]
const SERVICE: Resource = Resource {
    collection: "notification_services", path: "services", item: "id", noun: "notification service",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("NotificationServiceWebhook")),
        Field::new("url", Source::Url),
        Field::fixed("provider", "null"),
        Field::text("description"),
        Field::flag("enabled", true),
        Field::one_of("scope", &["all", "some_projects", "some_teams", "some_clusters"], "\"all\""),
        Field::array("scope_uuids").default("[]"),
        Field::text("branch_configuration").default("\"\""),
        Field::fixed("build_states", "null"),
        Field::fixed("settings", "{}"),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
    ],
    hooks: Hooks { check: check_service, ..Hooks::NONE },
};

/// Ids and names of the services that the API can create.
const PROVIDERS: [(&str, &str); 8] = [
    ("webhook", "Webhook"),
    ("slack", "Slack"),
    ("aws_event_bridge", "Amazon EventBridge"),
    ("datadog_pipeline_visibility", "Datadog Pipeline Visibility"),
    ("open_telemetry_tracing", "OpenTelemetry Tracing"),
    ("event_log_api", "Event Log API"),
    ("slack_workspace", "Slack Workspace"),
    ("linear", "Linear"),
];

/// Services that are first linked in the browser.
const LINKED: [&str; 2] = ["slack_workspace", "linear"];

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

/// `POST ORG/services`
pub(in crate::routes) fn add_service(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::create(call, params, &SERVICE, 201)
}

/// `PATCH ORG/services/{id}`
pub(in crate::routes) fn change_service(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::update(call, params, &SERVICE)
}

/// `DELETE ORG/services/{id}`
pub(in crate::routes) fn remove_service(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::delete(call, params, &SERVICE, 204)
}

/// `PUT ORG/services/{id}/enable`
pub(in crate::routes) fn enable_service(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::act(call, params, &SERVICE, |service, _| {
        service.set("enabled", true);
        Ok(())
    })
}

/// `PUT ORG/services/{id}/disable`
pub(in crate::routes) fn disable_service(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::act(call, params, &SERVICE, |service, _| {
        service.set("enabled", false);
        Ok(())
    })
}

fn check_service(_: &Call<'_>, making: &mut Making<'_>) {
    const STATES: [(&str, bool); 7] = [
        ("build_passed", true),
        ("build_fixed", true),
        ("build_failed", true),
        ("build_blocked", false),
        ("build_canceled", false),
        ("build_failing", false),
        ("job_activated", false),
    ];
    set_provider(making);
    let mut settings = making.object.get("settings");
    for (key, value) in making.body.object("settings").unwrap_or_default() {
        settings[key] = value;
    }
    let provider = making.object.get("provider")["id"].clone();
    if provider == "webhook" {
        complete_webhook(making, &mut settings);
    }
    making.object.set("settings", settings);
    let old = making.object.get("build_states");
    let given = making.body.object("build_states").unwrap_or_default();
    let states: Map<String, Value> = STATES
        .into_iter()
        .map(|(state, default)| {
            let value = given.get(state).or(old.get(state)).cloned();
            (state.to_owned(), value.unwrap_or_else(|| default.into()))
        })
        .collect();
    making.object.set("build_states", states);
}

/// The provider of a new service; it never changes.
fn set_provider(making: &mut Making<'_>) {
    if making.before.is_some() {
        return;
    }
    let id = making.body.required_text("provider");
    let found = PROVIDERS.into_iter().find(|(provider, _)| *provider == id);
    match found {
        Some((id, _)) if LINKED.contains(&id) => {
            making
                .body
                .fail("provider", "must be linked in the browser first");
        }
        Some((id, name)) => making
            .object
            .set("provider", json!({"id": id, "name": name})),
        None => making.body.fail("provider", "is not included in the list"),
    }
}

/// A webhook needs an address; the rest has defaults.
fn complete_webhook(making: &mut Making<'_>, settings: &mut Value) {
    let url = settings["url"].as_str().unwrap_or_default();
    if !url.starts_with("http://") && !url.starts_with("https://") {
        making
            .body
            .fail("url", "Settings url must be a http or https address");
    }
    let id = making.object.text("id").unwrap_or_default();
    let token = crate::rng::Rng::of_text(&id).hex(32);
    for (key, default) in [
        ("token", json!(token)),
        ("token_mode", json!("token")),
        ("version", json!(2)),
        ("events", json!(["build.finished"])),
        ("tls_verify", json!(true)),
    ] {
        if settings[key].is_null() {
            settings[key] = default;
        }
    }
}

/// `PATCH ORG/api-settings`
pub(in crate::routes) fn change_api_settings(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    const DAYS: [i64; 5] = [30, 60, 90, 180, 365];
    change_settings(
        call,
        params,
        "organization_api_settings",
        |body, settings| {
            if body.has("allowed_ip_addresses") {
                let text = body.text("allowed_ip_addresses");
                let addresses = text.as_deref().unwrap_or_default().split_whitespace();
                if !addresses.clone().all(|one| is_network(one)) {
                    body.fail("allowed_ip_addresses", "invalid");
                }
                settings.set("allowed_ip_addresses", text);
            }
            if body.has("revoke_inactive_tokens_after_days") {
                let days = body.integer("revoke_inactive_tokens_after_days");
                if days.is_some_and(|days| !DAYS.contains(&days)) {
                    body.fail(
                        "revoke_inactive_tokens_after_days",
                        "is not included in the list",
                    );
                }
                settings.set("revoke_inactive_tokens_after_days", days);
            }
            if let Some(is_restricted) = body.flag("restrict_user_api_token_creation") {
                settings.set("restrict_user_api_token_creation", is_restricted);
            }
        },
    )
}

/// An address or a network: `192.0.2.0/24`.
fn is_network(text: &str) -> bool {
    text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}

/// `PATCH ORG/pipeline-settings`
pub(in crate::routes) fn change_pipeline_settings(
    call: &mut Call<'_>,
    params: &Params<'_>,
) -> Outcome {
    const MINUTES: [&str; 3] = [
        "default_timeout_in_minutes",
        "maximum_timeout_in_minutes",
        "scheduled_job_expiry_in_minutes",
    ];
    change_settings(
        call,
        params,
        "organization_pipeline_settings",
        |body, settings| {
            for key in ["default_branch", "default_cluster_id"] {
                if body.has(key) {
                    settings.set(key, body.text(key));
                }
            }
            for key in MINUTES {
                if body.has(key) {
                    let minutes = body.integer(key);
                    if minutes.is_some_and(|minutes| minutes < 1) {
                        body.fail(key, "must be greater than 0");
                    }
                    settings.set(key, minutes);
                }
            }
        },
    )
}

/// `PUT` and `DELETE ORG/pipeline-settings/{setting}`: each answers with all settings.
pub(in crate::routes) fn toggle_setting(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let is_enabled = call.method == "PUT";
    let key = match call.path.rsplit('/').next() {
        Some("hosted-agents-ssh") => "hosted_agents_terminal_access",
        Some("public-pipelines") => "public_pipeline_creation",
        _ => "advanced_queue_metrics",
    };
    let user = call.user()?;
    let now = millis_to_string(call.world.clock.now_millis());
    change_settings(
        call,
        params,
        "organization_pipeline_settings",
        |_, settings| {
            let mut setting = settings.get(key);
            setting["enabled"] = json!(is_enabled);
            setting["enabled_at"] = json!(is_enabled.then_some(now));
            let by = json!({"id": user.id, "name": user.name});
            setting["enabled_by"] = if is_enabled { by } else { Value::Null };
            settings.set(key, setting);
        },
    )
}

/// `PUT` and `DELETE ORG/pipeline-settings/build-export`
pub(in crate::routes) fn set_build_export(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let is_enabled = call.method == "PUT";
    change_settings(
        call,
        params,
        "organization_pipeline_settings",
        |body, settings| {
            let mut exports = settings.get("build_exports");
            let (mut location, mut strategy) = (Value::Null, Value::Null);
            if is_enabled {
                location = body.required_text("location").into();
                let text = body.required_text("strategy_id");
                let known = exports["supported_strategies"].as_array();
                if known.is_some_and(|known| !known.iter().any(|one| *one == text)) {
                    body.fail("strategy_id", "is not included in the list");
                }
                strategy = text.into();
            }
            exports["enabled"] = json!(is_enabled);
            exports["location"] = location;
            exports["strategy_id"] = strategy;
            settings.set("build_exports", exports);
        },
    )
}

/// Changes the one object of a collection.
fn change_settings(
    call: &mut Call<'_>,
    params: &Params<'_>,
    collection: &str,
    change: impl FnOnce(&mut Body, &mut Document),
) -> Outcome {
    let place = PathObjects::find(call, params)?.parents;
    let mut body = Body::parse(call)?;
    let settings = call.world.stored_below(collection, &place);
    let settings = settings.first().map(|entry| entry.object.clone());
    let mut settings = settings.ok_or_else(|| Reply::error(404, "Not Found"))?;
    change(&mut body, &mut settings);
    body.check_reason()?;
    let json = settings.to_json().into_bytes();
    let parents = [("organization_slug", params.organization())];
    call.world.put_document(collection, &parents, settings);
    Ok(Reply::ok(json))
}
