//! One consistent world: no counter, link or id that leads nowhere.

use std::collections::{HashMap, HashSet};

use mock_buildkite::{MockBuildkite, Seed, World};
use serde_json::Value;

use crate::caller::{Caller, texts};

/// What a walk over the whole API has found.
#[derive(Default)]
struct Walk {
    /// Addresses of the API, and where each was found.
    urls: HashMap<String, String>,
    builds: Vec<Value>,
    agents: Vec<Value>,
    pipelines: Vec<Value>,
}

impl Walk {
    /// Reads an organization, its lists and its builds.
    async fn over(caller: &Caller, organization: &str) -> Self {
        let mut walk = Self::default();
        let base = format!("/v2/organizations/{organization}");
        for list in [
            "pipelines",
            "agents",
            "clusters",
            "members",
            "teams",
            "rules",
            "portals",
            "pipeline-templates",
            "repository_connections",
        ] {
            let items = walk.list(caller, &format!("{base}/{list}")).await;
            match list {
                "pipelines" => walk.pipelines = items,
                "agents" => walk.agents = items,
                "clusters" => {
                    for id in texts(&items, "id") {
                        for below in ["queues", "tokens", "maintainers", "secrets"] {
                            let path = format!("{base}/clusters/{id}/{below}");
                            walk.list(caller, &path).await;
                        }
                    }
                }
                "teams" => {
                    for id in texts(&items, "id") {
                        for below in ["members", "pipelines", "suites"] {
                            walk.list(caller, &format!("{base}/teams/{id}/{below}"))
                                .await;
                        }
                    }
                }
                _ => {}
            }
        }
        for slug in texts(&walk.pipelines.clone(), "slug") {
            walk.list(caller, &format!("{base}/pipelines/{slug}/schedules"))
                .await;
        }
        let suites = format!("/v2/analytics/organizations/{organization}/suites");
        for slug in texts(&walk.list(caller, &suites).await, "slug") {
            for below in ["runs", "tests"] {
                walk.list(caller, &format!("{suites}/{slug}/{below}")).await;
            }
        }
        let builds = format!("{base}/builds?include_retried_jobs=true");
        walk.builds = walk.list(caller, &builds).await;
        walk
    }

    /// All pages of a list.
    async fn list(&mut self, caller: &Caller, path: &str) -> Vec<Value> {
        let join = if path.contains('?') { '&' } else { '?' };
        let mut answer = caller.get(&format!("{path}{join}per_page=100")).await;
        let mut items = Vec::new();
        loop {
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            items.extend(answer.items());
            let Some(next) = answer.link("next") else {
                break;
            };
            answer = caller.follow(&next).await;
        }
        for item in &items {
            self.collect(item, path);
        }
        items
    }

    /// Notes all addresses of an object that can be read.
    fn collect(&mut self, value: &Value, place: &str) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if let Some(url) = value.as_str().filter(|_| key.ends_with("url")) {
                        let is_of_api = url.contains("/v2/") && key != "unblock_url";
                        if is_of_api {
                            let place = format!("{place}: {key}");
                            self.urls.entry(url.to_owned()).or_insert(place);
                        }
                    }
                    self.collect(value, place);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, place)),
            _ => {}
        }
    }

    /// Every address of the API leads to an object of this fake.
    async fn follow_urls(&self, caller: &Caller, server: &MockBuildkite) {
        for (url, place) in &self.urls {
            assert!(url.starts_with(server.uri()), "{url} in {place}");
            let status = caller.follow(url).await.status;
            // A job that has not started has no log.
            let is_fine =
                matches!(status, 200 | 302) || (status == 404 && place.contains("log_url"));
            assert!(is_fine, "{status} for {url} in {place}");
        }
    }

    fn jobs(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.builds.iter().flat_map(|build| {
            let jobs = build["jobs"].as_array().into_iter().flatten();
            jobs.map(move |job| (build, job))
        })
    }

    /// Ids inside builds name objects that exist.
    fn check_ids(&self) {
        let builds: HashSet<&str> = self
            .builds
            .iter()
            .filter_map(|one| one["id"].as_str())
            .collect();
        let jobs: HashSet<&str> = self
            .jobs()
            .filter_map(|(_, job)| job["id"].as_str())
            .collect();
        for build in &self.builds {
            for id in [
                &build["rebuilt_from"]["id"],
                &build["triggered_from"]["build_id"],
            ] {
                let is_known = id.as_str().is_none_or(|id| builds.contains(id));
                assert!(is_known, "{id} in {}", build["url"]);
            }
        }
        for (build, job) in self.jobs() {
            let triggered = &job["triggered_build"]["id"];
            let is_known = triggered.as_str().is_none_or(|id| builds.contains(id));
            assert!(is_known, "{triggered} in {}", build["url"]);
            for id in [&job["retried_in_job_id"], &job["retry_source"]["job_id"]] {
                let is_known = id.as_str().is_none_or(|id| jobs.contains(id));
                assert!(is_known, "{id} in {}", build["url"]);
            }
            if job["type"] == "script" && !job["started_at"].is_null() {
                assert!(job["agent"].is_object(), "{job}");
            }
        }
    }

    /// Counters of pipelines and jobs of agents are those of the builds.
    fn check_counters(&self) {
        let is_in = |value: &Value, states: &[&str]| {
            value["state"]
                .as_str()
                .is_some_and(|state| states.contains(&state))
        };
        for pipeline in &self.pipelines {
            let of_pipeline = |build: &&Value| build["pipeline"]["id"] == pipeline["id"];
            let open = ["creating", "scheduled", "running", "failing", "canceling"];
            let builds = self.builds.iter().filter(of_pipeline);
            let builds: Vec<_> = builds
                .filter(|build| is_in(build, &open) && build["blocked"] == false)
                .collect();
            let jobs = builds
                .iter()
                .flat_map(|build| build["jobs"].as_array().unwrap());
            let jobs: Vec<_> = jobs.collect();
            let count = |states: &[&str]| jobs.iter().filter(|job| is_in(job, states)).count();
            let commands = jobs.iter().filter(|job| job["type"] == "script");
            let running = commands
                .filter(|job| is_in(job, &["running", "canceling"]))
                .count();
            let of_state = |states: &[&str]| builds.iter().filter(|one| is_in(one, states)).count();
            for (key, expected) in [
                (
                    "scheduled_builds_count",
                    of_state(&["creating", "scheduled"]),
                ),
                (
                    "running_builds_count",
                    of_state(&["running", "failing", "canceling"]),
                ),
                ("scheduled_jobs_count", count(&["scheduled"])),
                ("running_jobs_count", running),
                ("waiting_jobs_count", count(&["waiting"])),
            ] {
                assert_eq!(pipeline[key], expected, "{key} of {}", pipeline["slug"]);
            }
        }
    }

    /// Each agent runs the job that says so, and no other.
    fn check_agents(&self) {
        let mut running: HashMap<&str, &str> = HashMap::new();
        for (_, job) in self.jobs().filter(|(_, job)| job["type"] == "script") {
            if matches!(job["state"].as_str(), Some("running" | "canceling")) {
                let agent = job["agent"]["id"].as_str().unwrap();
                let other = running.insert(agent, job["id"].as_str().unwrap());
                assert_eq!(other, None, "agent {agent} runs two jobs");
            }
        }
        for agent in &self.agents {
            let id = agent["id"].as_str().unwrap();
            assert_eq!(
                agent["job"]["id"].as_str(),
                running.get(id).copied(),
                "agent {id}"
            );
        }
        for (_, job) in self.jobs().filter(|(_, job)| job["agent"].is_object()) {
            let inside = job["agent"].as_object().unwrap();
            let listed = self.agents.iter().find(|agent| agent["id"] == inside["id"]);
            let Some(listed) = listed else { continue };
            for (key, value) in inside.iter().filter(|(key, _)| *key != "job") {
                assert_eq!(value, &listed[key], "{key} of an agent");
            }
        }
    }
}

/// Walks everything and checks it.
pub(crate) async fn check(server: &MockBuildkite) {
    let caller = Caller::new(server);
    for organization in server.with_world(|world| world.organization_slugs()) {
        let walk = Walk::over(&caller, &organization).await;
        walk.check_ids();
        walk.check_counters();
        walk.check_agents();
        walk.follow_urls(&caller, server).await;
    }
}

#[tokio::test]
async fn a_seeded_world_is_consistent() {
    let server = MockBuildkite::start(World::seeded(&Seed {
        organizations: 2,
        builds: 160,
        ..Seed::default()
    }))
    .await;
    check(&server).await;
}

/// No agent of a seed has ever run two jobs at once.
#[test]
fn an_agent_runs_one_job_at_a_time() {
    let world = World::seeded(&Seed {
        builds: 600,
        ..Seed::default()
    });
    let mut by_agent: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for text in world.builds_json() {
        let build: Value = serde_json::from_str(&text).unwrap();
        for job in build["jobs"].as_array().unwrap() {
            if let (Some(agent), Some(started)) =
                (job["agent"]["id"].as_str(), job["started_at"].as_str())
            {
                let finished = job["finished_at"].as_str().unwrap_or("9999");
                let span = (started.to_owned(), finished.to_owned());
                by_agent.entry(agent.to_owned()).or_default().push(span);
            }
        }
    }
    assert!(by_agent.len() > 3, "{}", by_agent.len());
    for (agent, mut spans) in by_agent {
        spans.sort();
        let is_apart = spans.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(is_apart, "{agent} runs two jobs at once");
    }
}
