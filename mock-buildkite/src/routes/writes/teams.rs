//! Teams with what they may use, rules and portals.

use serde_json::{Value, json};

use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::{Call, Outcome, Reply};
use crate::world::Entry;

const ROLES: &[&str] = &["member", "maintainer"];
const LEVELS: &[&str] = &["read_only", "build_and_read", "manage_build_and_read"];

#[rustfmt::skip]
pub(in crate::routes) const TEAM: Resource = Resource {
    collection: "teams", path: "teams", item: "id", noun: "team",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("Team")),
        Field::text("name").required(),
        Field::new("slug", Source::Slug),
        Field::text("description").default("\"\""),
        Field::new("created_at", Source::Now),
        Field::one_of("privacy", &["visible", "secret"], "\"visible\""),
        Field::flag("default", false).from("is_default_team"),
        Field::one_of("default_member_role", ROLES, "\"member\""),
        Field::flag("members_can_create_pipelines", false),
        Field::flag("members_can_create_suites", false),
        Field::flag("members_can_create_registries", false),
        Field::flag("members_can_destroy_registries", false),
        Field::flag("members_can_destroy_packages", false),
        Field::new("created_by", Source::User(&[])),
    ],
    hooks: Hooks { check: check_team, parent_key: Some(("team_id", "id")), ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const MEMBER: Resource = Resource {
    collection: "team_members", path: "members", item: "user_id", noun: "team member",
    fields: &[
        Field::one_of("role", ROLES, "\"member\""),
        Field::new("created_at", Source::Now),
        Field::text("user_id").required().kept(),
        Field::fixed("user_name", "null"),
    ],
    hooks: Hooks { check: check_member, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const PIPELINE: Resource = Resource {
    collection: "team_pipelines", path: "pipelines", item: "pipeline_id", noun: "team pipeline",
    fields: &[
        Field::one_of("access_level", LEVELS, "\"read_only\""),
        Field::new("created_at", Source::Now),
        Field::text("pipeline_id").required().kept(),
        Field::fixed("pipeline_url", "null"),
    ],
    hooks: Hooks { check: check_pipeline, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const SUITE: Resource = Resource {
    collection: "team_suites", path: "suites", item: "suite_id", noun: "team suite",
    fields: &[
        Field::array("access_level").default("[\"read\"]"),
        Field::new("created_at", Source::Now),
        Field::text("suite_id").required().kept(),
        Field::fixed("suite_url", "null"),
    ],
    hooks: Hooks { check: check_suite, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const RULE: Resource = Resource {
    collection: "rules", path: "rules", item: "uuid", noun: "rule",
    fields: &[
        Field::new("uuid", Source::Id),
        Field::new("graphql_id", Source::Graphql("Rule")),
        Field::new("organization_uuid", Source::Organization),
        Field::new("url", Source::Url),
        Field::one_of("type", &["pipeline.trigger_build.pipeline", "pipeline.artifacts_read.pipeline"], "null").required(),
        Field::text("description"),
        Field::fixed("source_type", "\"pipeline\""),
        Field::fixed("source_uuid", "null"),
        Field::fixed("target_type", "\"pipeline\""),
        Field::fixed("target_uuid", "null"),
        Field::fixed("effect", "\"allow\""),
        Field::fixed("action", "null"),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
    ],
    hooks: Hooks { check: check_rule, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const PORTAL: Resource = Resource {
    collection: "portals", path: "portals", item: "slug", noun: "portal",
    fields: &[
        Field::new("uuid", Source::Id),
        Field::new("slug", Source::Slug),
        Field::new("organization_uuid", Source::Organization),
        Field::text("name").required(),
        Field::text("description"),
        Field::text("query").required(),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
        Field::text("allowed_ip_addresses"),
        Field::flag("user_invokable", false),
        Field::new("token", Source::Secret("bkps_")),
    ],
    hooks: Hooks { check: check_portal, ..Hooks::NONE },
};

/// `POST ORG/teams/enable`
pub(in crate::routes) fn enable(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let organization = params.organization();
    call.organization(organization)?;
    match call.world.missing(organization, "teams") {
        Some(missing) => Err(Reply::error(missing.status, &missing.message)),
        None => Ok(Reply::no_content()),
    }
}

/// Entries of a collection of the organization.
fn of_organization<'a>(
    call: &'a Call<'_>,
    making: &Making<'_>,
    collection: &str,
) -> Vec<&'a Entry> {
    let organization = making.params.organization().to_owned();
    let place = [("organization_slug".to_owned(), organization)];
    call.world.stored_below(collection, &place)
}

/// Refuses a new object whose field another one below the same parents has.
fn refuse_taken(call: &Call<'_>, making: &mut Making<'_>, collection: &str, key: &str) {
    let value = making.object.text(key);
    let own = making.before.as_ref().and_then(|before| before.text(key));
    let below = making.params.iter().filter(|(key, _)| *key != "id");
    let place: Vec<_> = below
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let entries = call.world.stored_below(collection, &place);
    let is_taken = entries.iter().any(|entry| entry.object.text(key) == value);
    if value.is_some() && value != own && is_taken {
        making.body.fail(key, "has already been taken");
    }
}

fn check_team(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() && making.body.has("name") {
        let name = making.object.text("name").unwrap_or_default();
        making.object.set("slug", objects::slug_of(&name));
    }
    refuse_taken(call, making, "teams", "slug");
}

fn check_member(call: &Call<'_>, making: &mut Making<'_>) {
    let id = making.object.text("user_id");
    let members = of_organization(call, making, "organization_members");
    let member = members.iter().find(|member| member.object.text("id") == id);
    let name = member.map(|member| member.object.get("name"));
    match name {
        Some(name) => making.object.set("user_name", name),
        None => making.body.fail("user", "must exist"),
    }
    refuse_taken(call, making, "team_members", "user_id");
}

fn check_pipeline(call: &Call<'_>, making: &mut Making<'_>) {
    let id = making.object.text("pipeline_id").unwrap_or_default();
    match pipeline(call, making.params.organization(), &id) {
        Some(pipeline) => making.object.set("pipeline_url", pipeline.get("url")),
        None => making.body.fail("pipeline", "must exist"),
    }
    refuse_taken(call, making, "team_pipelines", "pipeline_id");
}

fn check_suite(call: &Call<'_>, making: &mut Making<'_>) {
    const KNOWN: [&str; 2] = ["read", "edit"];
    let id = making.object.text("suite_id");
    let suites = of_organization(call, making, "test_suites");
    let suite = suites.iter().find(|suite| suite.object.text("id") == id);
    let url = suite.map(|suite| suite.object.get("url"));
    match url {
        Some(url) => making.object.set("suite_url", url),
        None => making.body.fail("suite", "must exist"),
    }
    let levels = making.object.get("access_level");
    let levels = levels.as_array().into_iter().flatten();
    let mut texts = levels.map(|level| level.as_str().unwrap_or_default().to_owned());
    if texts.any(|level| !KNOWN.contains(&level.as_str())) {
        making
            .body
            .fail("access_level", "is not included in the list");
    }
    refuse_taken(call, making, "team_suites", "suite_id");
}

fn check_portal(call: &Call<'_>, making: &mut Making<'_>) {
    refuse_taken(call, making, "portals", "slug");
    if making.before.is_some() {
        making.object.remove("token");
    }
}

fn check_rule(call: &Call<'_>, making: &mut Making<'_>) {
    let value = making.body.object("value").unwrap_or_default();
    for (key, field) in [
        ("source_pipeline", "source_uuid"),
        ("target_pipeline", "target_uuid"),
    ] {
        let named = value.get(key).and_then(Value::as_str).unwrap_or_default();
        match pipeline(call, making.params.organization(), named) {
            Some(pipeline) => making.object.set(field, pipeline.get("id")),
            None => making.body.fail(key, "must exist"),
        }
    }
    if let Some(conditions) = value.get("conditions") {
        making.object.set("conditions", conditions);
    }
    let kind = making.object.text("type").unwrap_or_default();
    let action = kind.split('.').nth(1).map(str::to_owned);
    making.object.set("action", json!(action));
}

/// A pipeline by its id or slug.
fn pipeline(call: &Call<'_>, organization: &str, named: &str) -> Option<Document> {
    let owner = call.organization(organization).ok()?;
    let pipelines = call.world.pipelines.iter().enumerate();
    let mut of_owner = pipelines.filter(|(at, one)| one.organization == owner && call.sees(*at));
    of_owner.find_map(|(at, one)| {
        let object = call.world.pipeline_object(at);
        let is_it = one.slug == named || object.text("id").as_deref() == Some(named);
        is_it.then_some(object)
    })
}
