//! Clusters.

use super::maintainers;
use super::objects::{Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::routes::Call;
use crate::routes::params::Params;

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
    hooks: Hooks { check: check_cluster, keep: keep_cluster, follow: maintainers::add_maintainers, parent_key: Some(("cluster_id", "id")) },
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
