//! A thousand random calls and some days later, the world is still consistent.

use std::time::Duration;

use mock_buildkite::{MockBuildkite, Seed, World};
use reqwest::Method;
use serde_json::Value;

use crate::caller::Caller;
use crate::consistency;

/// Calls: verb, path and body. `*` in a path is a random object of the list before it. In a body
/// `$pipeline`, `$pipeline_id`, `$user` and `$suite` are ids of random objects, `$n` is a new number.
const CALLS: &[&str] = &[
    r#"POST ORG/pipelines/*/builds {"commit":"HEAD","branch":"main","message":"m"}"#,
    r#"POST ORG/pipelines/*/builds {"commit":"HEAD","branch":"topic-$n","meta_data":{"n":"$n"}}"#,
    "PUT ORG/pipelines/*/builds/*/cancel",
    "PUT ORG/pipelines/*/builds/*/rebuild",
    "PUT ORG/pipelines/*/builds/*/retry_failed_jobs",
    "PUT ORG/pipelines/*/builds/*/jobs/*/retry",
    "PUT ORG/pipelines/*/builds/*/jobs/*/unblock",
    r#"PUT ORG/pipelines/*/builds/*/jobs/*/reprioritize {"priority":$n}"#,
    "DELETE ORG/pipelines/*/builds/*/jobs/*/log",
    r#"POST ORG/pipelines/*/builds/*/annotations {"body":"b","context":"c$n"}"#,
    "DELETE ORG/pipelines/*/builds/*/annotations/*",
    "DELETE ORG/pipelines/*/builds/*/jobs/*/artifacts/*",
    r#"POST ORG/pipelines {"name":"New $n","repository":"git@github.com:acme/new.git","configuration":"steps:\n- command: make\n  parallelism: 2\n- wait\n- command: exit 1\n  retry: {automatic: true}\n"}"#,
    r#"POST ORG/pipelines {"name":"Gate $n","repository":"git@github.com:acme/gate.git","configuration":"steps:\n- command: make\n- block: Go?\n- trigger: $pipeline\n"}"#,
    r#"PATCH ORG/pipelines/* {"description":"$n"}"#,
    r#"PATCH ORG/pipelines/* {"name":"Renamed $n"}"#,
    "POST ORG/pipelines/*/archive",
    "POST ORG/pipelines/*/unarchive",
    "DELETE ORG/pipelines/*",
    r#"POST ORG/pipelines/*/schedules {"cronline":"@hourly","branch":"main"}"#,
    r#"PATCH ORG/pipelines/*/schedules/* {"enabled":false}"#,
    "DELETE ORG/pipelines/*/schedules/*",
    r#"PUT ORG/agents/*/stop {"force":true}"#,
    r#"PUT ORG/agents/*/pause {"note":"n"}"#,
    "PUT ORG/agents/*/resume",
    r#"POST ORG/clusters {"name":"C $n"}"#,
    r#"PATCH ORG/clusters/* {"description":"$n"}"#,
    "DELETE ORG/clusters/*",
    r#"POST ORG/clusters/*/queues {"key":"q$n"}"#,
    "POST ORG/clusters/*/queues/*/pause_dispatch",
    "POST ORG/clusters/*/queues/*/resume_dispatch",
    "DELETE ORG/clusters/*/queues/*",
    r#"POST ORG/clusters/*/tokens {"description":"t$n"}"#,
    "DELETE ORG/clusters/*/tokens/*",
    r#"POST ORG/clusters/*/secrets {"key":"S$n","value":"v"}"#,
    "DELETE ORG/clusters/*/secrets/*",
    r#"POST ORG/clusters/*/maintainers {"user":"$user"}"#,
    "DELETE ORG/clusters/*/maintainers/*",
    r#"POST ORG/teams {"name":"T $n"}"#,
    "DELETE ORG/teams/*",
    r#"POST ORG/teams/*/members {"user_id":"$user"}"#,
    "DELETE ORG/teams/*/members/*",
    r#"POST ORG/teams/*/pipelines {"pipeline_id":"$pipeline_id","access_level":"read_only"}"#,
    "DELETE ORG/teams/*/pipelines/*",
    r#"POST ORG/teams/*/suites {"suite_id":"$suite","access_level":["read"]}"#,
    "DELETE ORG/teams/*/suites/*",
    "DELETE ORG/members/*",
    r#"POST ORG/pipeline-templates {"name":"T $n","configuration":"steps: []"}"#,
    "DELETE ORG/pipeline-templates/*",
    r#"POST ORG/rules {"type":"pipeline.trigger_build.pipeline","value":{"source_pipeline":"$pipeline","target_pipeline":"$pipeline"}}"#,
    "DELETE ORG/rules/*",
    r#"POST ORG/portals {"name":"P $n","query":"q"}"#,
    "DELETE ORG/portals/*",
    "DELETE ANALYTICS/suites/*",
    "DELETE PACKAGES/registries/*/packages/*",
];

const ORG: &str = "/v2/organizations/acme-inc";
const PREFIXES: [(&str, &str); 3] = [
    ("ORG", ORG),
    ("ANALYTICS", "/v2/analytics/organizations/acme-inc"),
    ("PACKAGES", "/v2/packages/organizations/acme-inc"),
];

/// Draws calls; the same seed draws the same ones.
struct Draw {
    state: u64,
    caller: Caller,
    /// What was sent, for the report of a failure.
    sent: Vec<String>,
}

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's linear congruential generator, whose high bits are good.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).expect("31 bits") % limit
    }

    /// A random object of a list.
    async fn item(&mut self, list: &str) -> Option<Value> {
        let answer = self.caller.get(&format!("{list}?per_page=20")).await;
        let mut items = answer.json();
        if items["items"].is_array() {
            items = items["items"].take();
        }
        let items = items.as_array()?.clone();
        if items.is_empty() {
            return None;
        }
        let at = self.below(items.len());
        Some(items[at].clone())
    }

    /// The path with objects that exist; none if there is no such object.
    async fn path(&mut self, template: &str) -> Option<String> {
        let mut path = String::new();
        for segment in template.split('/') {
            let prefix = PREFIXES.iter().find(|(short, _)| *short == segment);
            if let Some((_, long)) = prefix {
                path.push_str(long);
            } else if segment == "*" {
                let item = self.item(&path).await?;
                path = format!("{path}/{}", key_of(&path, &item)?);
            } else {
                path = format!("{path}/{segment}");
            }
        }
        Some(path)
    }

    /// The body with ids that exist.
    async fn body(&mut self, template: &str) -> Option<String> {
        let mut body = template.replace("$n", &self.sent.len().to_string());
        for (name, list, key) in [
            ("$pipeline_id", format!("{ORG}/pipelines"), "id"),
            ("$pipeline", format!("{ORG}/pipelines"), "slug"),
            ("$user", format!("{ORG}/members"), "id"),
            ("$suite", PREFIXES[1].1.to_owned() + "/suites", "id"),
        ] {
            while body.contains(name) {
                let item = self.item(&list).await?;
                body = body.replacen(name, item[key].as_str()?, 1);
            }
        }
        Some(body)
    }

    /// Sends a random call. No call may break the fake.
    async fn call(&mut self) {
        let mut parts = CALLS[self.below(CALLS.len())].splitn(3, ' ');
        let method: Method = parts.next().expect("a verb").parse().expect("a verb");
        let path = self.path(parts.next().expect("a path")).await;
        let body = self.body(parts.next().unwrap_or("{}")).await;
        let (Some(path), Some(body)) = (path, body) else {
            return;
        };
        let answer = self.caller.try_write(method.clone(), &path, &body).await;
        let status = answer.expect("an answer").status;
        self.sent.push(format!("{status} {method} {path} {body}"));
        assert!(status < 500 && status != 405, "{:#?}", self.sent.last());
    }
}

/// What the path of an object of a list ends in.
fn key_of(list: &str, item: &Value) -> Option<String> {
    let is_of_team = list.contains("/teams/");
    let key = match list.rsplit('/').next()? {
        "members" if is_of_team => "user_id",
        "pipelines" if is_of_team => "pipeline_id",
        "suites" if is_of_team => "suite_id",
        "pipelines" | "portals" | "suites" | "registries" => "slug",
        "builds" => return item["number"].as_u64().map(|number| number.to_string()),
        "rules" | "pipeline-templates" => "uuid",
        _ => "id",
    };
    item[key].as_str().map(str::to_owned)
}

#[tokio::test]
async fn after_a_thousand_random_calls_and_some_days_nothing_leads_nowhere() {
    for seed in 1..=3 {
        let server = MockBuildkite::start(World::seeded(&Seed {
            seed,
            builds: 40,
            ..Seed::default()
        }))
        .await;
        let mut draw = Draw {
            state: seed,
            caller: Caller::new(&server),
            sent: Vec::new(),
        };
        while draw.sent.len() < 400 {
            draw.call().await;
            let hours = u64::from(draw.below(20) == 0) * 6;
            let seconds = draw.below(90) as u64;
            let pause = Duration::from_secs(3600 * hours + seconds);
            server.clock().advance(pause);
        }
        let served = |status: &str| {
            draw.sent
                .iter()
                .filter(|one| one.starts_with(status))
                .count()
        };
        assert!(served("2") > 200, "{} of 400 succeeded", served("2"));
        server.clock().advance(Duration::from_secs(2 * 86_400));
        consistency::check(&server).await;
    }
}
