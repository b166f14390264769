//! Agents: which of them runs which job, and how they look inside jobs.
//!
//! The agent inside a job is written from the list of agents, so both always agree.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::collection::Entry;
use super::{Build, World};
use crate::address::{ORGANIZATIONS, WEB};
use crate::document::{BuildDocument, Document};
use crate::ids::graphql_id;
use crate::seed::AgentTexts;
use crate::time::millis_to_string;

/// The texts of agents as jobs show them, until an agent changes.
#[derive(Debug, Default)]
pub(super) struct AgentCache {
    of_seed: OnceCell<AgentTexts>,
    by_id: OnceCell<HashMap<String, String>>,
}

impl World {
    /// Forgets how agents look.
    pub(super) fn agents_changed(&mut self) {
        self.agent_cache = AgentCache::default();
    }

    /// The texts of the seed's agents inside jobs.
    pub(super) fn agent_texts(&self) -> &AgentTexts {
        self.agent_cache.of_seed.get_or_init(|| {
            let organizations = self.seeded.organizations.iter();
            AgentTexts::new(organizations.map(|one| one.agents.as_slice()), |agent| {
                let live = self.agent_text(&agent.id.to_string());
                let seeded = || inside_job(&Document::from(agent.object.clone()));
                live.map_or_else(seeded, str::to_owned)
            })
        })
    }

    /// The text of an agent inside a job; none for an agent that is not listed.
    pub(super) fn agent_text(&self, id: &str) -> Option<&str> {
        let texts = self.agent_cache.by_id.get_or_init(|| {
            let agents = self.stored_below("agents", &[]).into_iter();
            agents
                .map(|entry| {
                    let id = entry.object.text("id").unwrap_or_default();
                    (id, inside_job(&entry.object))
                })
                .collect()
        });
        texts.get(id).map(String::as_str)
    }

    /// An agent as the list of agents shows it, with the job that it runs.
    pub(crate) fn agent_with_job(&self, agent: &Document) -> Document {
        let mut agent = agent.clone();
        let job = agent
            .text("id")
            .and_then(|id| self.running_job(&id).cloned());
        if let Some(mut job) = job {
            let text = agent.text("id").and_then(|id| self.agent_text(&id));
            if let Some(Ok(inside)) = text.map(Document::parse) {
                job.set("agent", inside);
            }
            agent.set("job", job);
        }
        agent
    }

    /// Gives each command of a build that has just started an agent of its queue.
    pub(super) fn assign_agents(&mut self, pipeline: usize, build: &mut BuildDocument) {
        let organization = self.pipelines[pipeline].organization;
        let organization = self.organizations[organization].slug.clone();
        let mut taken = HashSet::new();
        for job in build.jobs_mut().iter_mut().filter(|job| needs_agent(job)) {
            let agent = self.free_agent(&organization, job, &taken);
            let agent = agent.unwrap_or_else(|| self.start_agent(&organization, job));
            let id = agent.text("id").unwrap_or_default();
            if let Ok(inside) = Document::parse(&inside_job(&agent)) {
                job.set("agent", inside);
            }
            taken.insert(id);
        }
    }

    /// The agents of jobs that have just ended remember when.
    pub(super) fn release_agents(&mut self, before: &BuildDocument, after: &BuildDocument) {
        for job in after.jobs() {
            let (Some(id), Some(agent), Some(finished)) = (
                job.text("id"),
                job.get("agent")["id"].as_str().map(str::to_owned),
                job.text("finished_at"),
            ) else {
                continue;
            };
            let is_it = |old: &&Document| old.text("id").as_deref() == Some(&id);
            let old = before.jobs().iter().find(is_it);
            if old.is_some_and(|old| old.text("finished_at").is_none()) {
                self.change_agent(&agent, |agent| agent.set("last_job_finished_at", &finished));
            }
        }
    }

    /// Changes an agent. Returns false if there is none with this id.
    pub(crate) fn change_agent(&mut self, id: &str, change: impl FnOnce(&mut Document)) -> bool {
        let is_it = |entry: &&&Entry| entry.object.text("id").as_deref() == Some(id);
        let Some(mut entry) = self
            .stored_below("agents", &[])
            .iter()
            .find(is_it)
            .map(|one| (*one).clone())
        else {
            return false;
        };
        change(&mut entry.object);
        self.replace_entry("agents", entry);
        true
    }

    /// Cancels the build whose job an agent runs, as stopping the agent does.
    pub(crate) fn stop_agent_job(&mut self, agent: &str) {
        let job = self.running_job(agent).and_then(|job| job.text("id"));
        let build = job.and_then(|job| {
            let is_open = |build: &&Build| build.summary.finished.is_none();
            let builds = self.builds.iter().filter(is_open);
            let mut builds = builds.filter(|build| self.has_job(build, &job));
            builds.next().map(|build| build.summary.id.to_string())
        });
        if let Some(build) = build
            && self.cancel_build(&build)
        {
            self.resume_autoplay(&build);
        }
    }

    /// Whether a job runs on a hosted Mac.
    pub(crate) fn is_hosted_mac(&self, job: &Document) -> bool {
        let queue = job.text("cluster_queue_id");
        let queues = self.stored_below("cluster_queues", &[]).into_iter();
        let mut queues = queues.filter(|entry| queue.is_some() && entry.object.text("id") == queue);
        queues.any(|entry| {
            let shape = &entry.object.get("hosted_agents")["instance_shape"];
            shape["machine_type"] == "mac"
        })
    }

    /// A connected agent of the job's queue that runs nothing.
    fn free_agent(
        &self,
        organization: &str,
        job: &Document,
        taken: &HashSet<String>,
    ) -> Option<Document> {
        let parents = [("organization_slug".to_owned(), organization.to_owned())];
        let queue = queue_of(job);
        let queue_url = job.text("cluster_queue_url");
        let agents = self.at("agents", &parents).into_iter();
        let mut fitting = agents.map(|entry| &entry.object).filter(|agent| {
            let id = agent.text("id").unwrap_or_default();
            let is_of_queue = match &queue_url {
                Some(url) => agent.text("cluster_queue_url").as_ref() == Some(url),
                None => agent.text("queue").as_deref().unwrap_or("default") == queue,
            };
            is_of_queue
                && agent.text("connection_state").as_deref() == Some("connected")
                && !agent.is_true("paused")
                && !taken.contains(&id)
                && self.running_job(&id).is_none()
        });
        fitting.next().cloned()
    }

    /// Connects another agent of the job's queue, as an autoscaler does.
    fn start_agent(&mut self, organization: &str, job: &Document) -> Document {
        let id = self.new_id();
        let now = millis_to_string(self.move_time());
        let object = new_agent(&id, organization, job, &now);
        let parents = [("organization_slug", organization)];
        self.put_document("agents", &parents, object.clone().into());
        self.note_agent("agent.connected", &id);
        object.into()
    }
}

/// A running command without an agent.
fn needs_agent(job: &Document) -> bool {
    job.text("type").as_deref() == Some("script")
        && job.text("state").as_deref() == Some("running")
        && job.get("agent").is_null()
}

/// The queue of a job by its rules.
fn queue_of(job: &Document) -> String {
    let rules = job.get("agent_query_rules");
    let rules = rules.as_array().into_iter().flatten();
    let mut queues = rules.filter_map(|rule| rule.as_str()?.strip_prefix("queue="));
    queues.next().unwrap_or("default").to_owned()
}

/// An agent's object inside a job: without its GraphQL id and its job.
fn inside_job(agent: &Document) -> String {
    let mut inside = agent.clone();
    inside.remove("graphql_id");
    if inside.raw("job").is_some() {
        inside.set("job", Value::Null);
    }
    inside.to_json()
}

fn new_agent(id: &str, organization: &str, job: &Document, now: &str) -> Value {
    let queue = queue_of(job);
    let name = format!("{queue}-{}", &id[id.len().saturating_sub(6)..]);
    json!({
        "id": id,
        "graphql_id": graphql_id("Agent", id),
        "url": format!("{ORGANIZATIONS}/{organization}/agents/{id}"),
        "web_url": format!("{WEB}/organizations/{organization}/agents/{id}"),
        "name": name,
        "connection_state": "connected",
        "ip_address": "192.0.2.251",
        "hostname": format!("{name}.agents.example.com"),
        "user_agent": "buildkite-agent/3.101.0.10392 (linux; amd64)",
        "version": "3.101.0",
        "os_id": "linux",
        "arch": "amd64",
        "queue": queue,
        "creator": null,
        "created_at": now,
        "connected_at": now,
        "disconnected_at": null,
        "lost_at": null,
        "stopped_at": null,
        "job": null,
        "last_job_finished_at": null,
        "priority": 0,
        "meta_data": [format!("queue={queue}")],
        "paused": false,
        "paused_at": null,
        "paused_by": null,
        "paused_note": null,
        "paused_timeout_in_minutes": 5,
        "cluster_url": job.get("cluster_url"),
        "cluster_queue_url": job.get("cluster_queue_url"),
    })
}
