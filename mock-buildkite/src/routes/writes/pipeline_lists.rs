//! Schedules, templates and webhooks of pipelines.

use std::str::FromStr;

use serde_json::{Value, json};

use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::cron::Cron;
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::path_objects::PathObjects;
use crate::routes::{Call, Outcome, Reply};
use crate::time::millis_to_string;

#[rustfmt::skip]
pub(in crate::routes) const SCHEDULE: Resource = Resource {
    collection: "pipeline_schedules", path: "schedules", item: "id", noun: "pipeline schedule",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("PipelineSchedule")),
        Field::new("url", Source::Url),
        Field::text("label"),
        Field::text("cronline").required(),
        Field::text("message"),
        Field::text("commit").default("\"HEAD\""),
        Field::text("branch"),
        Field::object("env").default("{}"),
        Field::flag("enabled", true),
        Field::fixed("next_build_at", "null"),
        Field::fixed("failed_message", "null"),
        Field::fixed("failed_at", "null"),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
        Field::fixed("pipeline", "null"),
    ],
    hooks: Hooks { check: check_schedule, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const TEMPLATE: Resource = Resource {
    collection: "pipeline_templates", path: "pipeline-templates", item: "uuid", noun: "pipeline template",
    fields: &[
        Field::new("uuid", Source::Id),
        Field::new("graphql_id", Source::Graphql("PipelineTemplate")),
        Field::text("name").required(),
        Field::text("description"),
        Field::text("configuration").required(),
        Field::flag("available", false),
        Field::new("url", Source::Url),
        Field::new("web_url", Source::WebUrl),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
        Field::new("updated_at", Source::Changed),
        Field::new("updated_by", Source::ChangedBy),
    ],
    hooks: Hooks { keep: keep_template, ..Hooks::NONE },
};

/// Completes a schedule: its branch, its pipeline and its next build.
fn check_schedule(call: &Call<'_>, making: &mut Making<'_>) {
    let [organization, slug] = making.params.pipeline();
    if let Ok(at) = call.pipeline([organization, slug]) {
        let pipeline = call.world.pipeline_object(at);
        let [id, url, branch] = ["id", "url", "default_branch"].map(|key| pipeline.get(key));
        making
            .object
            .set("pipeline", json!({"id": id, "slug": slug, "url": url}));
        if making.object.text("branch").is_none() {
            making.object.set("branch", branch);
        }
    }
    let env = making.object.get("env");
    if env
        .as_object()
        .into_iter()
        .flatten()
        .any(|(_, value)| !value.is_string())
    {
        making.body.fail("env", "invalid");
    }
    let cronline = making.object.text("cronline").unwrap_or_default();
    let cron = Cron::from_str(&cronline);
    if cron.is_err() && !cronline.trim().is_empty() {
        making.body.fail("cronline", "invalid");
    }
    let is_enabled = making.object.is_true("enabled");
    let now = call.world.clock.now_millis();
    let next = cron
        .ok()
        .filter(|_| is_enabled)
        .and_then(|cron| cron.next(now));
    making
        .object
        .set("next_build_at", next.map(millis_to_string));
    let was_enabled = making
        .before
        .as_ref()
        .is_some_and(|before| before.is_true("enabled"));
    if is_enabled && !was_enabled {
        making.object.set("failed_message", Value::Null);
        making.object.set("failed_at", Value::Null);
    }
}

/// A template that a pipeline uses stays.
fn keep_template(call: &Call<'_>, params: &Params<'_>, template: &Document) -> Option<String> {
    let id = template.text("uuid");
    let owner = call.organization(params.organization()).ok();
    let pipelines = call.world.pipelines.iter().enumerate();
    let mut users = pipelines.filter(|(at, pipeline)| {
        Some(pipeline.organization) == owner
            && call
                .world
                .pipeline_object(*at)
                .text("pipeline_template_uuid")
                == id
    });
    let reason = "Pipeline template can't be deleted because pipelines use it";
    users.next().map(|_| reason.to_owned())
}

/// `POST PIPE/webhook`: only for repositories of the GitHub App.
pub(in crate::routes) fn add_webhook(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let at = call.pipeline(params.pipeline())?;
    if !call.writes(at) {
        return Err(Reply::error(403, "Forbidden"));
    }
    let pipeline = call.world.pipeline_object(at);
    if pipeline.get("provider")["id"] != "github" {
        let message = "Auto-creating webhooks is not supported for your repository.";
        return Err(Reply::error(422, message));
    }
    let url = &pipeline.get("provider")["webhook_url"];
    Ok(Reply {
        status: 201,
        ..Reply::value(&json!({ "webhook_url": url }))
    })
}

/// `PUT` and `DELETE PIPE/github-webhooks`
pub(in crate::routes) fn set_github_webhooks(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let is_enabled = call.method == "PUT";
    let at = call.pipeline(params.pipeline())?;
    call.may_write(at)?;
    let place = PathObjects::find(call, params)?.parents;
    let name = call.user()?.name;
    let states = call.world.stored_below("pipeline_webhooks", &place);
    let state = states.first().map(|entry| entry.object.clone());
    let mut state = state.ok_or_else(|| Reply::error(404, "Not Found"))?;
    if state.is_true("enabled") != is_enabled {
        let now = millis_to_string(call.world.clock.now_millis());
        state.set("enabled", is_enabled);
        state.set("disabled_at", (!is_enabled).then_some(now));
        state.set("disabled_by", (!is_enabled).then_some(name));
    }
    let json = state.to_json().into_bytes();
    let parents: Vec<_> = params.iter().collect();
    call.world
        .put_document("pipeline_webhooks", &parents, state);
    Ok(Reply::ok(json))
}

/// `POST PIPE/schedules`
pub(in crate::routes) fn add_schedule(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    may_change(call, params)?;
    objects::create(call, params, &SCHEDULE, 201)
}

/// `PUT PIPE/schedules/{id}`
pub(in crate::routes) fn change_schedule(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    may_change(call, params)?;
    objects::update(call, params, &SCHEDULE)
}

/// `DELETE PIPE/schedules/{id}`
pub(in crate::routes) fn remove_schedule(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    may_change(call, params)?;
    objects::delete(call, params, &SCHEDULE, 204)
}

fn may_change(call: &Call<'_>, params: &Params<'_>) -> Result<(), Reply> {
    let at = call.pipeline(params.pipeline())?;
    call.may_write(at)
}
