//! Notification services of an organization.

use serde_json::{Map, Value, json};

use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::{Call, Outcome};

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
    hooks: Hooks { check: check_service, follow: ping, ..Hooks::NONE },
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

/// A webhook that was set up or changed gets a ping, and events from then on.
fn ping(call: &mut Call<'_>, params: &Params<'_>, service: &Document) {
    let is_webhook = service.get("provider")["id"] == "webhook";
    if let Some(id) = service.text("id").filter(|_| is_webhook) {
        call.world.note_ping(params.organization(), &id);
    }
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
