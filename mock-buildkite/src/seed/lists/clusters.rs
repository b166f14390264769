//! Clusters, and everything below them.

use serde_json::{Value, json};

use super::Owner;
use super::teams::team_id;
use crate::ids::graphql_id;

/// A cluster that is filled.
struct Cluster {
    id: String,
    url: String,
    web_url: String,
}

pub(super) fn fill(owner: &mut Owner<'_>) {
    let id = owner.organization.cluster.to_string();
    let first = self_hosted(owner, id);
    for (at, (key, id)) in owner
        .organization
        .queues
        .iter()
        .map(|queue| (queue.name, queue.id.to_string()))
        .enumerate()
    {
        queue(owner, &first, key, &id, at);
    }
    access(owner, &first);
    let id = owner.new_id(300).id;
    let hosted = hosted(owner, id);
    let id = owner.new_id(299).id;
    queue(owner, &hosted, "linux-medium", &id, 3);
    access(owner, &hosted);
    machines(owner, &hosted);
}

fn self_hosted(owner: &mut Owner<'_>, id: String) -> Cluster {
    let queue = owner.organization.queues[0].id.to_string();
    cluster(owner, id, "Self-hosted", Some(queue))
}

fn hosted(owner: &mut Owner<'_>, id: String) -> Cluster {
    cluster(owner, id, "Hosted", None)
}

fn cluster(owner: &mut Owner<'_>, id: String, name: &str, queue: Option<String>) -> Cluster {
    let maintainers = maintainers(owner, &id);
    let created = owner.new_id(800);
    let url = format!("{}/clusters/{id}", owner.url());
    let web_url = format!("{}/clusters/{id}", owner.web_url());
    let object = json!({
        "id": id,
        "graphql_id": graphql_id("Cluster", &id),
        "default_queue_id": queue,
        "name": name,
        "description": format!("{name} agents of the build team"),
        "emoji": ":technologist:",
        "color": "#FFE0F1",
        "maintainers": maintainers,
        "url": url,
        "web_url": web_url,
        "queues_url": format!("{url}/queues"),
        "default_queue_url": queue.as_ref().map(|queue| format!("{url}/queues/{queue}")),
        "hosted_git_mirror_enabled": false,
        "hosted_container_cache_enabled": false,
        "created_at": created.at,
        "created_by": owner.user(0),
    });
    owner.put("clusters", &[], object);
    Cluster { id, url, web_url }
}

/// Lets a person and a team maintain a cluster. Returns them as the cluster shows them.
fn maintainers(owner: &mut Owner<'_>, cluster: &str) -> Value {
    let mut user = owner.user_with(0, &["id", "graphql_id", "name", "email"]);
    user["type"] = json!("user");
    let team = team_id(owner, "platform").id;
    let team = json!({
        "id": team, "graphql_id": graphql_id("Team", &team), "slug": "platform", "type": "team",
    });
    let mut shown = Vec::new();
    for (actor, key) in [(user, "name"), (team, "slug")] {
        let id = owner.new_id(800).id;
        let short = json!({"id": actor["id"], key: actor[key]});
        shown.push(json!([{"id": id, "actor": short}]));
        let maintainer = json!({"id": id, "actor": actor});
        owner.put(
            "cluster_maintainers",
            &[("cluster_id", cluster)],
            maintainer,
        );
    }
    json!({"users": shown[0], "teams": shown[1]})
}

fn queue(owner: &mut Owner<'_>, cluster: &Cluster, key: &str, id: &str, at: usize) {
    let created = owner.new_id(790);
    let is_paused = at == 3;
    let mut queue = json!({
        "id": id,
        "graphql_id": graphql_id("ClusterQueue", id),
        "key": key,
        "description": if at == 0 { json!("Automatically created when the cluster was created") } else { Value::Null },
        "url": format!("{}/queues/{id}", cluster.url),
        "web_url": format!("{}/queues/{id}", cluster.web_url),
        "cluster_url": cluster.url,
        "retry_agent_affinity": "prefer-warmest",
        "dispatch_paused": is_paused,
        "dispatch_paused_by": if is_paused { owner.user(1) } else { Value::Null },
        "dispatch_paused_at": is_paused.then(|| owner.before(100_000)),
        "dispatch_paused_note": is_paused.then_some("Rack is being moved"),
        "created_at": created.at,
        "created_by": owner.user(0),
    });
    if at == 3 {
        queue["hosted"] = json!(true);
        queue["hosted_agents"] = json!({
            "instance_shape": {
                "machine_type": "linux", "architecture": "amd64", "cpu": 4, "memory": 16,
                "name": "LINUX_AMD64_4X16",
            },
            "platform_settings": {"linux": {"agent_image_ref": null}},
        });
    }
    owner.put("cluster_queues", &[("cluster_id", &cluster.id)], queue);
}

/// Tokens, maintainers and secrets.
fn access(owner: &mut Owner<'_>, cluster: &Cluster) {
    let below = [("cluster_id", cluster.id.as_str())];
    let expiry = owner.before(-200 * 86_400);
    for (description, expires_at) in [("Linux agents", None), ("Windows agents", Some(expiry))] {
        let new = owner.new_id(500);
        let token = json!({
            "id": new.id,
            "graphql_id": graphql_id("ClusterToken", &new.id),
            "description": description,
            "allowed_ip_addresses": "0.0.0.0/0",
            "expires_at": expires_at,
            "url": format!("{}/tokens/{}", cluster.url, new.id),
            "cluster_url": cluster.url,
            "created_at": new.at,
            "created_by": owner.user(0),
        });
        owner.put("cluster_tokens", &below, token);
    }
    for (at, key) in ["DEPLOY_KEY", "NPM_READ"].into_iter().enumerate() {
        let new = owner.new_id(90);
        let secret = json!({
            "id": new.id,
            "key": key,
            "description": "Used by the release pipeline",
            "policy": "- pipeline_slug: deploy\n  build_branch: main\n",
            "created_at": new.at,
            "created_by": owner.user_with(0, &["id", "name", "email"]),
            "updated_at": new.at,
            "updated_by": null,
            "last_read_at": (at == 0).then(|| owner.before(50_000)),
            "url": format!("{}/secrets/{}", cluster.url, new.id),
            "cluster_url": cluster.url,
            "organization": owner.embedded(),
        });
        owner.put("cluster_secrets", &below, secret);
    }
}

/// Images, volumes and networks of hosted agents.
fn machines(owner: &mut Owner<'_>, cluster: &Cluster) {
    let below = [("cluster_id", cluster.id.as_str())];
    for (name, status) in [("node-22", "READY"), ("android", "BUILDING")] {
        let id = owner.rng.hex(13);
        let is_ready = status == "READY";
        let image = json!({
            "id": id,
            "name": name,
            "status": status,
            "image_ref": is_ready.then(|| format!("registry.example.com/acme/{id}:v1")),
            "version": 1,
            "last_build_error": null,
            "dockerfile": "RUN apt-get update && apt-get install -y curl",
            "base_image": "FROM images.example.com/agent-base:ubuntu",
            "composed_dockerfile": "FROM images.example.com/agent-base:ubuntu\nRUN apt-get update && apt-get install -y curl",
            "url": format!("{}/agent-images/{id}", cluster.url),
            "web_url": format!("{}/agent_images/{id}", cluster.web_url),
            "cluster_url": cluster.url,
        });
        owner.put("agent_images", &below, image);
    }
    for tag in ["widgets/node-modules", "api/cargo"] {
        let new = owner.new_id(30);
        let volume = json!({
            "id": format!("vol-{}", new.id.replace('-', "")),
            "tag": tag,
            "cluster_id": cluster.id,
            "size_mb": 20_480,
            "created_at": new.at,
            "attached_at": owner.before(14_400),
            "detached_at": owner.before(12_600),
        });
        owner.put("cache_volumes", &below, volume);
    }
    for cidr_range in ["203.0.113.0/29", "198.51.100.16/29"] {
        let range = json!({"cidr_range": cidr_range, "kind": "NAMESPACE_MANAGED"});
        owner.put("network_ranges", &below, range);
    }
}
