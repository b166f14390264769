//! Settings of an organization.

use std::net::IpAddr;

use ipnet::IpNet;

use serde_json::{Value, json};

use super::body::Body;
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::path_objects::PathObjects;
use crate::routes::{Call, Outcome, Reply};
use crate::time::millis_to_string;

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
                if !addresses.clone().all(is_network) {
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
