//! Cache registries of clusters. The documentation does not name them; Buildkite's clients do.

use super::objects::{Field, Hooks, Making, Resource, Source};
use crate::routes::Call;

#[rustfmt::skip]
pub(in crate::routes) const CACHE: Resource = Resource {
    collection: "cache_registries", path: "cache-registries", item: "uuid", noun: "cache registry",
    fields: &[
        Field::new("uuid", Source::Id),
        Field::new("slug", Source::Slug),
        Field::text("name").required(),
        Field::text("description"),
        Field::text("emoji"),
        Field::text("color"),
        Field::object("policy").default("{}"),
        Field::new("created_at", Source::Now),
        Field::new("updated_at", Source::Changed),
        Field::new("url", Source::Fixed("null")),
        Field::new("cluster_url", Source::ParentUrl),
    ],
    hooks: Hooks { check: check_cache, ..Hooks::NONE },
};

/// Slugs are unique in a cluster; the address ends in the id.
fn check_cache(call: &Call<'_>, making: &mut Making<'_>) {
    let text = |key: &str| making.object.text(key).unwrap_or_default();
    let (id, slug, cluster_url) = (text("uuid"), text("slug"), text("cluster_url"));
    let cluster = making.params.get("cluster_id").to_owned();
    let place = [("cluster_id".to_owned(), cluster)];
    let others = call.world.stored_below("cache_registries", &place);
    let is_taken = others.iter().any(|other| {
        other.object.text("slug").as_ref() == Some(&slug)
            && other.object.text("uuid").as_ref() != Some(&id)
    });
    if is_taken {
        making.body.fail("name", "has already been taken");
    }
    let url = format!("{cluster_url}/cache-registries/{id}");
    making.object.set("url", url);
}
