//! Agents in every state: only some of them are listed.

use serde_json::{Value, json};

use super::Owner;
use crate::ids::graphql_id;
use crate::time::millis_to_string;

const STATES: [&str; 8] = [
    "connected",
    "connected",
    "disconnected",
    "connected",
    "stopping",
    "lost",
    "connected",
    "stopped",
];

pub(super) fn fill(owner: &mut Owner<'_>) {
    for (at, state) in STATES.into_iter().enumerate() {
        let agent = agent(owner, at, state);
        owner.put("agents", &[], agent);
    }
}

fn agent(owner: &mut Owner<'_>, at: usize, state: &str) -> Value {
    let new = owner.new_id(2);
    let host = owner.rng.hex(17);
    let organization = owner.organization;
    let queue = &organization.queues[at % organization.queues.len()];
    let queue_web_url = queue.url.replacen(&owner.url(), &owner.web_url(), 1);
    let (os, arch) = if queue.name.starts_with("macos") {
        ("darwin", "arm64")
    } else {
        ("linux", "amd64")
    };
    let ended = |is_it: bool| is_it.then(|| millis_to_string(new.millis + 3_600_000));
    json!({
        "id": new.id,
        "graphql_id": graphql_id("Agent", &new.id),
        "url": format!("{}/agents/{}", owner.url(), new.id),
        "web_url": format!("{queue_web_url}/agents/{}", new.id),
        "name": format!("bk-{}-i-{host}-1", queue.name),
        "connection_state": state,
        "hostname": format!("ip-10-0-1-{at}.us-west-2.compute.internal"),
        "ip_address": format!("192.0.2.{}", 20 + at),
        "user_agent": format!("buildkite-agent/3.101.0.10392 ({os}; {arch})"),
        "version": if at == 3 { "3.98.2" } else { "3.101.0" },
        "os_id": os,
        "arch": arch,
        "queue": queue.name,
        "creator": null,
        "created_at": new.at,
        "connected_at": new.at,
        "disconnected_at": ended(state == "disconnected"),
        "lost_at": ended(state == "lost"),
        "stopped_at": ended(state == "stopped"),
        "job": null,
        "last_job_finished_at": (at.is_multiple_of(2)).then(|| millis_to_string(new.millis + 900_000)),
        "priority": if at.is_multiple_of(2) { json!(0) } else { Value::Null },
        "meta_data": [format!("queue={}", queue.name), "docker=25.0.3"],
        "paused": false,
        "paused_at": null,
        "paused_by": null,
        "paused_note": null,
        "paused_timeout_in_minutes": 5,
        "cluster_url": organization.cluster_url,
        "cluster_queue_url": queue.url,
    })
}
