//! Who may maintain a cluster.

use serde_json::{Value, json};

use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::ids::graphql_id;
use crate::routes::params::Params;
use crate::routes::{Call, Outcome};

#[rustfmt::skip]
const MAINTAINER: Resource = Resource {
    collection: "cluster_maintainers", path: "maintainers", item: "id", noun: "cluster maintainer",
    fields: &[Field::new("id", Source::Id), Field::fixed("actor", "null")],
    hooks: Hooks { check: check_maintainer, follow: show_maintainers, ..Hooks::NONE },
};

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

/// The maintainers of a request become maintainers of the new cluster.
pub(super) fn add_maintainers(call: &mut Call<'_>, params: &Params<'_>, cluster: &Document) {
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
