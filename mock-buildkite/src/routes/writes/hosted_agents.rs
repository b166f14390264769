//! Images and cache volumes of hosted agents.

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::path_objects::PathObjects;
use crate::routes::{Call, Outcome, Reply};

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
