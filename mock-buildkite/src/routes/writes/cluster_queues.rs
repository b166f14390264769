//! Queues of clusters.

use serde_json::{Value, json};

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::{Call, Outcome, Reply};

const AFFINITIES: &[&str] = &["prefer-warmest", "prefer-different"];

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
