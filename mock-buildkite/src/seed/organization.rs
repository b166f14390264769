//! Organizations of a seeded world, with their cluster, queues and people.

use super::agent::{Home, SeededAgent};
use super::queue::Queue;
use super::timeline::AgentUse;
use super::words::{PEOPLE, QUEUES};
use crate::address::{ORGANIZATIONS, WEB};
use uuid::Uuid;

use crate::document::Document;
use crate::ids::graphql_id;
use crate::rng::Rng;
use crate::time::millis_to_string;

/// An organization and what its builds point to.
#[derive(Debug)]
pub(crate) struct SeededOrganization {
    pub(crate) slug: String,
    pub(crate) object: Document,
    pub(crate) cluster: Uuid,
    /// `…/clusters/{id}` on the API.
    pub(crate) cluster_url: String,
    pub(crate) queues: Vec<Queue>,
    pub(crate) people: Vec<Person>,
    /// The agents of each queue. Those that ran jobs come first.
    pub(crate) agents: Vec<Vec<SeededAgent>>,
}

/// How many queues the cluster of an organization has.
pub(crate) const QUEUE_COUNT: usize = QUEUES.len();

/// States of agents that have never run a job, so that every state occurs.
const IDLE_STATES: [&str; 5] = [
    "never_connected",
    "disconnected",
    "stopping",
    "stopped",
    "lost",
];

/// A user of the organization, as the JSON object that builds and jobs embed.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) name: &'static str,
    pub(crate) username: String,
    pub(crate) object: String,
}

impl SeededOrganization {
    /// The organization number `index`, counted from 0.
    pub(crate) fn new(seed: u64, index: usize, now: i64) -> Self {
        let mut rng = Rng::of(&[seed, 1, index as u64]);
        let slug = match index {
            0 => "acme-inc".to_owned(),
            _ => format!("acme-inc-{}", index + 1),
        };
        let founded = now - 1000 * 86_400_000;
        let cluster = rng.uuid(founded + 5000);
        let cluster_url = format!("{ORGANIZATIONS}/{slug}/clusters/{cluster}");
        let queues = QUEUES
            .iter()
            .map(|name| Queue::new(&mut rng, name, &cluster_url, founded))
            .collect();
        let people = PEOPLE
            .iter()
            .enumerate()
            .map(|(at, name)| Person::new(&mut rng, at, name, founded))
            .collect();
        Self {
            object: organization(&slug, rng.uuid(founded), founded),
            slug,
            cluster,
            cluster_url,
            queues,
            people,
            agents: Vec::new(),
        }
    }

    /// Adds the agents that did the work of each queue.
    pub(super) fn add_agents(
        &mut self,
        seed: u64,
        index: usize,
        queues: &[Vec<AgentUse>],
        now: i64,
    ) {
        let queues = self.queues.iter().zip(queues).enumerate();
        let agents = queues.map(|(at, (queue, used))| {
            let home = Home {
                organization: &self.slug,
                cluster_url: &self.cluster_url,
                queue,
                now,
            };
            let rng = |agent: usize| Rng::of(&[seed, 19, index as u64, at as u64, agent as u64]);
            let used_agents = used.iter().enumerate();
            let mut agents: Vec<_> = used_agents
                .map(|(agent, used)| SeededAgent::new(rng(agent), home, agent, *used))
                .collect();
            let idle = IDLE_STATES.iter().filter(|_| at == 0);
            for state in idle {
                let agent = agents.len();
                agents.push(SeededAgent::idle(rng(agent), home, agent, state));
            }
            agents
        });
        self.agents = agents.collect();
    }
}

impl Person {
    fn new(rng: &mut Rng, at: usize, name: &'static str, founded: i64) -> Self {
        let id = rng.uuid(founded + 1000);
        let username = format!("person-{}", at + 1);
        let mut object = Document::default();
        object.set("id", id.to_string());
        object.set("graphql_id", graphql_id("User", &id.to_string()));
        object.set("name", name);
        object.set("email", format!("{username}@example.com"));
        object.set(
            "avatar_url",
            format!("https://www.gravatar.com/avatar/{}", rng.hex(32)),
        );
        object.set("created_at", millis_to_string(founded + 1000));
        Self {
            id,
            name,
            username,
            object: object.to_json(),
        }
    }
}

/// The organization object in the order of the recorded answers.
fn organization(slug: &str, id: Uuid, founded: i64) -> Document {
    let url = format!("{ORGANIZATIONS}/{slug}");
    let mut object = Document::default();
    object.set("id", id.to_string());
    object.set("graphql_id", graphql_id("Organization", &id.to_string()));
    object.set("url", &url);
    object.set("web_url", format!("{WEB}/{slug}"));
    object.set("name", slug);
    object.set("slug", slug);
    object.set("agents_url", format!("{url}/agents"));
    object.set("emojis_url", format!("{url}/emojis"));
    object.set("created_at", millis_to_string(founded));
    object.set("pipelines_url", format!("{url}/pipelines"));
    object
}
