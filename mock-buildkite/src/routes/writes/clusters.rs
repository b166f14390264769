//! Clusters, and everything below them.

use serde_json::{Value, json};

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::ids::graphql_id;
use crate::routes::params::Params;
use crate::routes::path_objects::PathObjects;
use crate::routes::{Call, Outcome, Reply};

const AFFINITIES: &[&str] = &["prefer-warmest", "prefer-different"];

#[rustfmt::skip]
pub(in crate::routes) const CLUSTER: Resource = Resource {
    collection: "clusters", path: "clusters", item: "id", noun: "cluster",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("Cluster")),
        Field::fixed("default_queue_id", "null"),
        Field::text("name").required(),
        Field::text("description"),
        Field::text("emoji"),
        Field::text("color"),
        Field::fixed("maintainers", r#"{"users":[],"teams":[]}"#),
        Field::new("url", Source::Url),
        Field::new("web_url", Source::WebUrl),
        Field::new("queues_url", Source::Below("queues")),
        Field::fixed("default_queue_url", "null"),
        Field::flag("hosted_git_mirror_enabled", false),
        Field::flag("hosted_container_cache_enabled", false),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
    ],
    hooks: Hooks { check: check_cluster, keep: keep_cluster, follow: add_maintainers, parent_key: Some(("cluster_id", "id")) },
};

#[rustfmt::skip]
pub(in crate::routes) const QUEUE: Resource = Resource {
    collection: "cluster_queues", path: "queues", item: "id", noun: "cluster queue",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("ClusterQueue")),
        Field::text("key").required().kept(),
        Field::text("description"),
        Field::new("url", Source::Url),
        Field::new("web_url", Source::WebUrl),
        Field::new("cluster_url", Source::ParentUrl),
        Field::one_of("retry_agent_affinity", AFFINITIES, "\"prefer-warmest\""),
        Field::fixed("dispatch_paused", "false"),
        Field::fixed("dispatch_paused_by", "null"),
        Field::fixed("dispatch_paused_at", "null"),
        Field::fixed("dispatch_paused_note", "null"),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
    ],
    hooks: Hooks { check: check_queue, keep: keep_queue, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const TOKEN: Resource = Resource {
    collection: "cluster_tokens", path: "tokens", item: "id", noun: "cluster token",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("ClusterToken")),
        Field::text("description").required(),
        Field::text("allowed_ip_addresses").default("\"0.0.0.0/0\""),
        Field::text("expires_at").kept(),
        Field::new("url", Source::Url),
        Field::new("cluster_url", Source::ParentUrl),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
        Field::new("token", Source::Secret("bkct_")),
    ],
    hooks: Hooks { check: hide_token, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const SECRET: Resource = Resource {
    collection: "cluster_secrets", path: "secrets", item: "id", noun: "secret",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("ClusterSecret")),
        Field::text("key").required().kept(),
        Field::text("description"),
        Field::text("policy"),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&["id", "name", "email"])),
        Field::new("updated_at", Source::Changed),
        Field::new("updated_by", Source::ChangedBy),
        Field::fixed("last_read_at", "null"),
        Field::new("url", Source::Url),
        Field::new("cluster_url", Source::ParentUrl),
        Field::new("organization", Source::Embedded),
    ],
    hooks: Hooks { check: check_secret, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const IMAGE: Resource = Resource {
    collection: "agent_images", path: "agent-images", item: "id", noun: "agent image",
    fields: &[
        Field::new("id", Source::Id),
        Field::text("name").required(),
        Field::fixed("status", "\"BUILDING\""),
        Field::fixed("image_ref", "null"),
        Field::fixed("version", "1"),
        Field::fixed("last_build_error", "null"),
        Field::text("dockerfile").required(),
        Field::text("base_image").default("\"FROM images.example.com/agent-base:ubuntu\""),
        Field::fixed("composed_dockerfile", "null"),
        Field::new("url", Source::Url),
        Field::new("web_url", Source::WebUrl),
        Field::new("cluster_url", Source::ParentUrl),
    ],
    hooks: Hooks { check: complete_image, ..Hooks::NONE },
};

#[rustfmt::skip]
const MAINTAINER: Resource = Resource {
    collection: "cluster_maintainers", path: "maintainers", item: "id", noun: "cluster maintainer",
    fields: &[Field::new("id", Source::Id), Field::fixed("actor", "null")],
    hooks: Hooks { check: check_maintainer, follow: show_maintainers, ..Hooks::NONE },
};

/// A changed default queue must be one of the cluster.
fn check_cluster(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_none() || !making.body.has("default_queue_id") {
        return;
    }
    let id = making.body.text("default_queue_id");
    let cluster = making.object.text("id").unwrap_or_default();
    let place = [("cluster_id".to_owned(), cluster)];
    let queues = call.world.stored_below("cluster_queues", &place);
    let queue = queues.iter().find(|queue| queue.object.text("id") == id);
    if id.is_some() && queue.is_none() {
        making.body.fail("default_queue_id", "invalid");
    }
    let url = queue.and_then(|queue| queue.object.text("url"));
    making.object.set("default_queue_id", id);
    making.object.set("default_queue_url", url);
}

/// A cluster stays as long as pipelines use it.
fn keep_cluster(call: &Call<'_>, params: &Params<'_>, cluster: &Document) -> Option<String> {
    let id = cluster.text("id");
    let owner = call.organization(params.organization()).ok();
    let pipelines = call.world.pipelines.iter().enumerate();
    let mut used = pipelines.filter(|(at, pipeline)| {
        Some(pipeline.organization) == owner
            && call.world.pipeline_object(*at).text("cluster_id") == id
    });
    let reason = "Cluster can't be deleted because pipelines use it";
    used.next().map(|_| reason.to_owned())
}

/// The maintainers of a request become maintainers of the new cluster.
fn add_maintainers(call: &mut Call<'_>, params: &Params<'_>, cluster: &Document) {
    let asked: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let Some(id) = cluster.text("id") else {
        return;
    };
    for actor in asked["maintainers"].as_array().into_iter().flatten() {
        if let Some(actor) = actor_of(call, params.organization(), actor) {
            let maintainer = json!({"id": call.world.new_id(), "actor": actor});
            let parents = [
                ("organization_slug", params.organization()),
                ("cluster_id", &id),
            ];
            call.world.put("cluster_maintainers", &parents, maintainer);
        }
    }
    refresh_maintainers(call, params.organization(), &id);
}

/// The key is unique in its cluster.
fn check_queue(call: &Call<'_>, making: &mut Making<'_>) {
    let key = making.object.text("key").unwrap_or_default();
    let place = [(
        "cluster_id".to_owned(),
        making.params.get("cluster_id").to_owned(),
    )];
    let id = making.object.text("id");
    let queues = call.world.stored_below("cluster_queues", &place);
    let mut others = queues.iter().filter(|queue| queue.object.text("id") != id);
    if others.any(|queue| queue.object.text("key").as_ref() == Some(&key)) {
        making.body.fail("key", "has already been taken");
    }
    let hosted = making
        .body
        .object("hostedAgents")
        .or(making.body.object("hosted_agents"));
    let shape = hosted.as_ref().and_then(|hosted| {
        let shape = hosted
            .get("instanceShape")
            .or(hosted.get("instance_shape"))?;
        shape.as_str().map(str::to_owned)
    });
    if let Some(shape) = shape {
        set_hosted(making, &shape);
    }
}

/// Makes a queue one of hosted agents: `LINUX_AMD64_4X16`.
fn set_hosted(making: &mut Making<'_>, shape: &str) {
    let parts: Vec<&str> = shape.split(['_', 'X', 'x']).collect();
    let [kind, architecture, cpu, memory] = parts.as_slice() else {
        return making
            .body
            .fail("instance_shape", "is not included in the list");
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let machine = kind.to_lowercase().replace("macos", "mac");
    making.object.set("hosted", true);
    making.object.set(
        "hosted_agents",
        json!({
            "instance_shape": {
                "machine_type": machine, "architecture": architecture.to_lowercase(),
                "cpu": number(cpu), "memory": number(memory), "name": shape,
            },
            "platform_settings": {"linux": {"agent_image_ref": null}},
        }),
    );
}

/// The default queue stays, and so does one with connected agents.
fn keep_queue(call: &Call<'_>, params: &Params<'_>, queue: &Document) -> Option<String> {
    let id = queue.text("id");
    let clusters = call.world.stored_below("clusters", &[]);
    let is_default = clusters
        .iter()
        .any(|cluster| cluster.object.text("default_queue_id") == id);
    let place = [(
        "organization_slug".to_owned(),
        params.organization().to_owned(),
    )];
    let agents = call.world.stored_below("agents", &place);
    let url = queue.text("url");
    let has_agents = agents.iter().any(|agent| {
        agent.object.text("cluster_queue_url") == url
            && agent.object.text("connection_state").as_deref() == Some("connected")
    });
    if is_default {
        Some("Cluster queue can't be deleted because it is the default queue".to_owned())
    } else {
        has_agents
            .then(|| "Cluster queue can't be deleted because it has connected agents".to_owned())
    }
}

/// The token is shown when it is created, and never again.
fn hide_token(_: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        making.object.remove("token");
    }
}

/// Keys and values of secrets have rules, and an update changes neither.
fn check_secret(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        for (key, message) in [
            ("key", "The key parameter cannot be updated."),
            (
                "value",
                "The value parameter cannot be updated on this endpoint.",
            ),
        ] {
            if making.body.has(key) {
                making.body.fail(key, message);
            }
        }
        return;
    }
    let key = making.object.text("key").unwrap_or_default();
    let lower = key.to_lowercase();
    let is_word = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts_well = key.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_reserved = lower.starts_with("buildkite") || lower.starts_with("bk");
    if !key.is_empty() && (!is_word || !starts_well || is_reserved || key.len() > 255) {
        making.body.fail("key", "invalid");
    }
    let place = [(
        "cluster_id".to_owned(),
        making.params.get("cluster_id").to_owned(),
    )];
    let secrets = call.world.stored_below("cluster_secrets", &place);
    if secrets
        .iter()
        .any(|secret| secret.object.text("key").as_ref() == Some(&key))
    {
        making.body.fail("key", "has already been taken");
    }
    let value = making.body.required_text("value");
    if value.len() > 8 * 1024 {
        making
            .body
            .fail("value", "is too long (maximum is 8 kilobytes)");
    }
}

fn complete_image(_: &Call<'_>, making: &mut Making<'_>) {
    let [base, own] =
        ["base_image", "dockerfile"].map(|key| making.object.text(key).unwrap_or_default());
    making
        .object
        .set("composed_dockerfile", format!("{base}\n{own}"));
}

/// `POST CLUSTER/agent-images`: a name is taken only once.
pub(in crate::routes) fn create_image(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let name = Body::parse(call)?.text("name");
    let place = PathObjects::find(call, params)?.parents;
    let images = call.world.stored_below("agent_images", &place);
    if let Some(name) = name.filter(|name| {
        images
            .iter()
            .any(|one| one.object.text("name").as_ref() == Some(name))
    }) {
        let message = format!("an agent image named \"{name}\" already exists in this cluster");
        return Err(Reply::error(409, &message));
    }
    objects::create(call, params, &IMAGE, 201)
}

/// `DELETE CLUSTER/agent-images/{id}`: not while a queue uses it.
pub(in crate::routes) fn delete_image(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = objects::find(call, params, &IMAGE);
    let unknown = |_| Reply::error(404, "No agent image found with the given ID.");
    let image = found.map_err(unknown)?.object.text("image_ref");
    let place = [("cluster_id".to_owned(), params.get("cluster_id").to_owned())];
    let queues = call.world.stored_below("cluster_queues", &place);
    let uses = |queue: &Document| {
        let hosted = queue.get("hosted_agents");
        let used = hosted["platform_settings"]["linux"]["agent_image_ref"].as_str();
        used.is_some() && used == image.as_deref()
    };
    if queues.iter().any(|queue| uses(&queue.object)) {
        let message = "this agent image is in use by one or more queues; reassign those queues \
                       before deleting it";
        return Err(Reply::error(409, message));
    }
    objects::delete(call, params, &IMAGE, 204)
}

/// `DELETE CLUSTER/cache_volumes`, with the tag in the body.
pub(in crate::routes) fn delete_volume(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let place = PathObjects::find(call, params)?.parents;
    let tag = Body::parse(call)?.text("tag").unwrap_or_default();
    if tag.is_empty() {
        return Err(Reply::error(400, "`tag` must be a non-empty string"));
    }
    let volumes = call.world.stored_below("cache_volumes", &place);
    if volumes.is_empty() {
        return Err(Reply::error(
            404,
            "This cluster has no hosted cache volumes",
        ));
    }
    let is_it = |object: &Document| object.text("tag").as_ref() == Some(&tag);
    if !volumes.iter().any(|volume| is_it(&volume.object)) {
        let message = format!("No cache volume found for tag: {tag}");
        return Err(Reply::error(404, &message));
    }
    let cluster = params.get("cluster_id").to_owned();
    call.world.remove_where("cache_volumes", |volume| {
        volume.parent("cluster_id") == Some(&cluster) && is_it(&volume.object)
    });
    Ok(Reply::no_content())
}

/// `POST CLUSTER/queues/{id}/pause_dispatch`
pub(in crate::routes) fn pause(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let mut body = Body::parse(call)?;
    let note = body
        .text("dispatch_paused_note")
        .or_else(|| body.text("note"));
    let reply = objects::act(call, params, &QUEUE, |queue, context| {
        if queue.is_true("dispatch_paused") {
            return Err(Reply::error(422, "Cluster queue is already paused"));
        }
        queue.set("dispatch_paused", true);
        queue.set("dispatch_paused_by", &context.user);
        queue.set("dispatch_paused_at", &context.now);
        queue.set("dispatch_paused_note", note);
        Ok(())
    })?;
    call.world.pause_queue(params.get("id"));
    Ok(reply)
}

/// `POST CLUSTER/queues/{id}/resume_dispatch`
pub(in crate::routes) fn resume(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let reply = objects::act(call, params, &QUEUE, |queue, _| {
        if !queue.is_true("dispatch_paused") {
            return Err(Reply::error(422, "Cluster queue is not paused"));
        }
        queue.set("dispatch_paused", false);
        for key in ["by", "at", "note"] {
            queue.set(&format!("dispatch_paused_{key}"), Value::Null);
        }
        Ok(())
    })?;
    call.world.resume_queue(params.get("id"));
    Ok(reply)
}

/// `PUT CLUSTER/secrets/{id}/value`
pub(in crate::routes) fn set_secret(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let mut body = Body::parse(call)?;
    body.required_text("value");
    body.check_reason()?;
    objects::act(call, params, &SECRET, |secret, context| {
        secret.set("updated_at", &context.now);
        secret.set("updated_by", context.user_with(&["id", "name", "email"]));
        Ok(())
    })
}

/// `POST CLUSTER/maintainers`
pub(in crate::routes) fn add_maintainer(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::create(call, params, &MAINTAINER, 201)
}

/// `DELETE CLUSTER/maintainers/{id}`
pub(in crate::routes) fn remove_maintainer(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::delete(call, params, &MAINTAINER, 204)
}

fn check_maintainer(call: &Call<'_>, making: &mut Making<'_>) {
    let asked = json!({"user": making.body.value("user"), "team": making.body.value("team")});
    match actor_of(call, making.params.organization(), &asked) {
        Some(actor) => making.object.set("actor", actor),
        None => making
            .body
            .fail("actor", "Actor must be a user or team of the organization"),
    }
}

fn show_maintainers(call: &mut Call<'_>, params: &Params<'_>, _: &Document) {
    refresh_maintainers(call, params.organization(), params.get("cluster_id"));
}

/// The user or team of `{"user": uuid}` or `{"team": uuid}`.
fn actor_of(call: &Call<'_>, organization: &str, asked: &Value) -> Option<Value> {
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let find = |collection: &str, id: &Value| {
        let entries = call.world.stored_below(collection, &place);
        let mut entries = entries.into_iter().map(|entry| entry.object.clone());
        entries.find(|object| object.text("id").as_deref() == id.as_str())
    };
    if asked["user"].is_string() {
        let user = find("organization_members", &asked["user"])?;
        let id = user.text("id")?;
        return Some(json!({
            "id": id, "graphql_id": graphql_id("User", &id), "name": user.get("name"),
            "email": user.get("email"), "type": "user",
        }));
    }
    let team = find("teams", asked.get("team")?)?;
    let [id, graphql, slug] = ["id", "graphql_id", "slug"].map(|key| team.get(key));
    Some(json!({"id": id, "graphql_id": graphql, "slug": slug, "type": "team"}))
}

/// Lets a cluster show its maintainers as they are now.
fn refresh_maintainers(call: &mut Call<'_>, organization: &str, cluster: &str) {
    let place = [("cluster_id".to_owned(), cluster.to_owned())];
    let of_type = |kind: &str, name: &str| -> Vec<Value> {
        let entries = call.world.stored_below("cluster_maintainers", &place);
        let shown = entries.iter().map(|entry| &entry.object);
        let shown = shown.filter(|object| object.get("actor")["type"] == kind);
        shown
            .map(|object| {
                let actor = object.get("actor");
                let short = json!({"id": actor["id"], name: actor[name]});
                json!({"id": object.get("id"), "actor": short})
            })
            .collect()
    };
    let maintainers = json!({"users": of_type("user", "name"), "teams": of_type("team", "slug")});
    let of_organization = [("organization_slug".to_owned(), organization.to_owned())];
    let clusters = call.world.stored_below("clusters", &of_organization);
    let is_it = |object: &Document| object.text("id").as_deref() == Some(cluster);
    let found = clusters.iter().find(|entry| is_it(&entry.object));
    if let Some(mut object) = found.map(|entry| entry.object.clone()) {
        object.set("maintainers", maintainers);
        let parents = [("organization_slug", organization)];
        call.world.put_document("clusters", &parents, object);
    }
}
