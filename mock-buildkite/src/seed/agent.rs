//! The agents of a seeded organization: long-lived machines that run one job after the other.

use serde_json::{Value, json};
use uuid::Uuid;

use super::queue::Queue;
use super::timeline::AgentUse;
use crate::address::{ORGANIZATIONS, WEB};
use crate::ids::graphql_id;
use crate::rng::Rng;
use crate::time::millis_to_string;

/// An idle agent that is not one of the usual ones disconnects after this time. Milliseconds.
const IDLE: i64 = 6 * 3_600_000;

/// An agent.
#[derive(Debug)]
pub(crate) struct SeededAgent {
    pub(crate) id: Uuid,
    pub(crate) object: Value,
}

/// The texts of agents as jobs show them, by organization, queue and index.
#[derive(Debug, Default)]
pub(crate) struct AgentTexts {
    texts: Vec<Vec<Vec<String>>>,
}

impl AgentTexts {
    /// The texts of all agents of a seed; `text` gives that of an id.
    pub(crate) fn new<'a>(
        organizations: impl Iterator<Item = &'a [Vec<SeededAgent>]>,
        text: impl Fn(&SeededAgent) -> String,
    ) -> Self {
        let queue = |agents: &Vec<SeededAgent>| agents.iter().map(&text).collect();
        let texts = organizations.map(|queues| queues.iter().map(queue).collect());
        Self {
            texts: texts.collect(),
        }
    }

    pub(super) fn of_organization(&self, organization: usize) -> &[Vec<String>] {
        self.texts.get(organization).map_or(&[], Vec::as_slice)
    }
}

/// Where an agent belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home<'a> {
    pub(super) organization: &'a str,
    pub(super) cluster_url: &'a str,
    pub(super) queue: &'a Queue,
    pub(super) now: i64,
}

impl SeededAgent {
    /// The agent number `at` of a queue.
    pub(super) fn new(mut rng: Rng, home: Home<'_>, at: usize, used: AgentUse) -> Self {
        let since = used.since.min(home.now - 60_000);
        let id = rng.uuid(since - 800);
        let is_usual = at < 2 || used.since < home.now - 30 * 86_400_000;
        let has_left = !is_usual && used.free < home.now - IDLE;
        let state = match (has_left, at % 3) {
            (false, _) => "connected",
            (true, 0) => "lost",
            (true, 1) => "disconnected",
            (true, _) => "stopped",
        };
        let last_job = (used.last > 0).then_some(used.last);
        let object = home.object(&mut rng, id, at, (state, since, last_job));
        Self { id, object }
    }

    /// An agent that has never run a job, in this state.
    pub(super) fn idle(mut rng: Rng, home: Home<'_>, at: usize, state: &str) -> Self {
        let since = home.now - 3 * 86_400_000;
        let id = rng.uuid(since - 800);
        let object = home.object(&mut rng, id, at, (state, since, None));
        Self { id, object }
    }
}

impl Home<'_> {
    fn object(
        &self,
        rng: &mut Rng,
        id: Uuid,
        at: usize,
        (state, since, last_job): (&str, i64, Option<i64>),
    ) -> Value {
        let queue = self.queue.name;
        let host = rng.hex(17);
        let is_mac = queue.starts_with("macos");
        let (os, arch) = if is_mac {
            ("darwin", "arm64")
        } else {
            ("linux", "amd64")
        };
        let version = if at % 4 == 3 { "3.98.2" } else { "3.101.0" };
        let path = self
            .queue
            .url
            .strip_prefix(ORGANIZATIONS)
            .unwrap_or_default();
        let below = &path[(self.organization.len() + 1).min(path.len())..];
        let connected = (state != "never_connected").then(|| millis_to_string(since));
        let left = |name: &str| {
            let end = last_job.unwrap_or(since) + 3_600_000;
            (state == name).then(|| millis_to_string(end.min(self.now)))
        };
        json!({
            "id": id.to_string(),
            "graphql_id": graphql_id("Agent", &id.to_string()),
            "url": format!("{ORGANIZATIONS}/{}/agents/{id}", self.organization),
            "web_url": format!("{WEB}/organizations/{}{below}/agents/{id}", self.organization),
            "name": format!("bk-{queue}-i-{host}-1"),
            "connection_state": state,
            "ip_address": format!("192.0.2.{}", 2 + at % 250),
            "hostname": format!("ip-10-0-{}-{}.us-west-2.compute.internal", at / 250, 2 + at % 250),
            "user_agent": format!("buildkite-agent/{version}.10392 ({os}; {arch})"),
            "version": version,
            "os_id": os,
            "arch": arch,
            "queue": queue,
            "creator": null,
            "created_at": millis_to_string(since - 800),
            "connected_at": connected,
            "disconnected_at": left("disconnected"),
            "lost_at": left("lost"),
            "stopped_at": left("stopped"),
            "job": null,
            "last_job_finished_at": last_job.map(millis_to_string),
            "priority": if at % 5 == 4 { Value::Null } else { json!(0) },
            "meta_data": [
                format!("queue={queue}"), "docker=25.0.3", format!("stack=bk-{queue}"),
                "buildkite-aws-stack=v6.21.0", "aws:region=us-west-2",
                "aws:instance-life-cycle=on-demand", "aws:account-id=000000000000",
                format!("aws:ami-id=ami-{host}"), "aws:architecture=x86_64",
                "aws:availability-zone=us-west-2c", format!("aws:instance-id=i-{host}"),
                "aws:instance-type=r6in.large",
            ],
            "paused": false,
            "paused_at": null,
            "paused_by": null,
            "paused_note": null,
            "paused_timeout_in_minutes": 5,
            "cluster_url": self.cluster_url,
            "cluster_queue_url": self.queue.url,
        })
    }
}
