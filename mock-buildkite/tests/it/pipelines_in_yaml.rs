//! The life of a build made over the API under pipelines written in YAML.

use std::time::Duration;

use mock_buildkite::{MockBuildkite, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::Caller;

/// A pipeline, and how its build ends.
struct Case {
    name: &'static str,
    yaml: &'static str,
    /// The state of the build, `blocked` for a blocked one.
    build: &'static str,
    /// Names and states of its jobs, old attempts included.
    jobs: &'static [(&'static str, &'static str)],
}

const fn case(
    name: &'static str,
    yaml: &'static str,
    build: &'static str,
    jobs: &'static [(&'static str, &'static str)],
) -> Case {
    Case {
        name,
        yaml,
        build,
        jobs,
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("one command", "steps:\n- command: make", "passed", &[("", "passed")]),
    case("a label", "steps:\n- label: Build\n  command: make", "passed", &[("Build", "passed")]),
    case("a list at the top", "- label: A\n  command: a\n- label: B\n  command: b", "passed", &[("A", "passed"), ("B", "passed")]),
    case("commands as a list", "steps:\n- label: A\n  commands:\n  - a\n  - b", "passed", &[("A", "passed")]),
    case("a failing command", "steps:\n- label: A\n  command: exit 1", "failed", &[("A", "failed")]),
    case("false", "steps:\n- label: A\n  command: \"false\"", "failed", &[("A", "failed")]),
    case("a failure among others", "steps:\n- label: A\n  command: exit 2\n- label: B\n  command: b", "failed", &[("A", "failed"), ("B", "passed")]),
    case("a wait step", "steps:\n- label: A\n  command: a\n- wait\n- label: B\n  command: b", "passed", &[("A", "passed"), ("wait", ""), ("B", "passed")]),
    case("a wait step as a map", "steps:\n- label: A\n  command: a\n- wait: ~\n- label: B\n  command: b", "passed", &[("A", "passed"), ("wait", ""), ("B", "passed")]),
    case("a failure before a wait step", "steps:\n- label: A\n  command: exit 1\n- wait\n- label: B\n  command: b", "failed", &[("A", "failed"), ("wait", ""), ("B", "waiting_failed")]),
    case("continue on failure", "steps:\n- label: A\n  command: exit 1\n- wait: ~\n  continue_on_failure: true\n- label: B\n  command: b", "failed", &[("A", "failed"), ("wait", ""), ("B", "passed")]),
    case("two wait steps", "steps:\n- label: A\n  command: a\n- wait\n- label: B\n  command: exit 1\n- wait\n- label: C\n  command: c", "failed", &[("A", "passed"), ("wait", ""), ("B", "failed"), ("wait", ""), ("C", "waiting_failed")]),
    case("soft fail", "steps:\n- label: A\n  command: exit 1\n  soft_fail: true\n- wait\n- label: B\n  command: b", "passed", &[("A", "failed"), ("wait", ""), ("B", "passed")]),
    case("soft fail of one status", "steps:\n- label: A\n  command: exit 3\n  soft_fail:\n  - exit_status: 3", "passed", &[("A", "failed")]),
    case("soft fail of another status", "steps:\n- label: A\n  command: exit 4\n  soft_fail:\n  - exit_status: 3", "failed", &[("A", "failed")]),
    case("soft fail of every status", "steps:\n- label: A\n  command: exit 4\n  soft_fail:\n  - exit_status: \"*\"", "passed", &[("A", "failed")]),
    case("parallelism", "steps:\n- label: A\n  command: a\n  parallelism: 3", "passed", &[("A", "passed"), ("A", "passed"), ("A", "passed")]),
    case("a matrix", "steps:\n- label: \"A {{matrix}}\"\n  command: a\n  matrix: [x, y]", "passed", &[("A x", "passed"), ("A y", "passed")]),
    case("a matrix of two dimensions", "steps:\n- label: \"{{matrix.os}} {{matrix.v}}\"\n  command: a\n  matrix:\n    setup:\n      os: [l, m]\n      v: [1, 2]\n    adjustments:\n    - with: {os: m, v: 1}\n      skip: true", "passed", &[("l 1", "passed"), ("l 2", "passed"), ("m 2", "passed")]),
    case("a condition that holds", "steps:\n- label: A\n  command: a\n  if: build.branch == \"main\"", "passed", &[("A", "passed")]),
    case("a condition that does not hold", "steps:\n- label: A\n  command: a\n- label: B\n  command: b\n  if: build.branch != \"main\"", "passed", &[("A", "passed"), ("B", "broken")]),
    case("a condition on the message", "steps:\n- label: A\n  command: a\n  if: build.message =~ /hello/", "passed", &[("A", "passed")]),
    case("branches that fit", "steps:\n- label: A\n  command: a\n  branches: \"main release/*\"", "passed", &[("A", "passed")]),
    case("branches that do not fit", "steps:\n- label: A\n  command: a\n- label: B\n  command: b\n  branches: \"release/* !main\"", "passed", &[("A", "passed"), ("B", "broken")]),
    case("nothing applies", "steps:\n- label: A\n  command: a\n  branches: other", "not_run", &[("A", "broken")]),
    case("skip", "steps:\n- label: A\n  command: a\n  skip: true\n- label: B\n  command: b", "passed", &[("A", "skipped"), ("B", "passed")]),
    case("skip with a reason", "steps:\n- label: A\n  command: a\n  skip: \"not today\"\n- label: B\n  command: b", "passed", &[("A", "skipped"), ("B", "passed")]),
    case("a block step", "steps:\n- label: A\n  command: a\n- block: Go?\n- label: B\n  command: b", "blocked", &[("A", "passed"), ("Go?", "blocked"), ("B", "blocked")]),
    case("a block step first", "steps:\n- block: Go?\n- label: B\n  command: b", "blocked", &[("Go?", "blocked"), ("B", "blocked")]),
    case("a block step behind a failure", "steps:\n- label: A\n  command: exit 1\n- block: Go?\n- label: B\n  command: b", "failed", &[("A", "failed"), ("Go?", "blocked_failed"), ("B", "blocked_failed")]),
    case("an input step", "steps:\n- input: Name?\n  key: name\n  fields:\n  - text: Name\n    key: name\n- label: A\n  command: a", "blocked", &[("Name?", "blocked"), ("A", "passed")]),
    case("depends on", "steps:\n- label: A\n  key: a\n  command: a\n- label: B\n  command: b\n  depends_on: a", "passed", &[("A", "passed"), ("B", "passed")]),
    case("depends on a failure", "steps:\n- label: A\n  key: a\n  command: exit 1\n- label: B\n  command: b\n  depends_on: a\n- label: C\n  command: c", "failed", &[("A", "failed"), ("B", "waiting_failed"), ("C", "passed")]),
    case("a dependency that may fail", "steps:\n- label: A\n  key: a\n  command: exit 1\n- label: B\n  command: b\n  depends_on: a\n  allow_dependency_failure: true", "failed", &[("A", "failed"), ("B", "passed")]),
    case("no dependency at all", "steps:\n- label: A\n  command: exit 1\n- wait\n- label: B\n  command: b\n  depends_on: []", "failed", &[("A", "failed"), ("wait", ""), ("B", "passed")]),
    case("a group", "steps:\n- group: G\n  key: g\n  steps:\n  - label: A\n    command: a\n- label: B\n  command: b\n  depends_on: g", "passed", &[("A", "passed"), ("B", "passed")]),
    case("an automatic retry", "steps:\n- label: A\n  command: exit 5\n  retry:\n    automatic:\n    - exit_status: 5\n      limit: 2", "failed", &[("A", "failed"), ("A", "failed"), ("A", "failed")]),
    case("an automatic retry of another status", "steps:\n- label: A\n  command: exit 6\n  retry:\n    automatic:\n    - exit_status: 5\n      limit: 2", "failed", &[("A", "failed")]),
    case("a trigger step", "steps:\n- trigger: other\n  label: T", "passed", &[("T", "passed")]),
    case("a trigger step of a failing pipeline", "steps:\n- trigger: bad\n  label: T\n- wait\n- label: A\n  command: a", "failed", &[("T", "failed"), ("wait", ""), ("A", "waiting_failed")]),
    case("an asynchronous trigger step", "steps:\n- trigger: bad\n  label: T\n  async: true", "passed", &[("T", "passed")]),
    case("a trigger step to nowhere", "steps:\n- trigger: nowhere\n  label: T", "failed", &[("T", "failed")]),
    case("a concurrency group", "steps:\n- label: A\n  command: a\n  parallelism: 2\n  concurrency: 1\n  concurrency_group: g", "passed", &[("A", "passed"), ("A", "passed")]),
    case("plugins, agents and environment", "env:\n  X: 1\nagents:\n  queue: linux\nsteps:\n- label: A\n  command: a\n  env: {Y: 2}\n  plugins:\n  - docker#v5.11.0:\n      image: alpine\n  timeout_in_minutes: 5\n  priority: 2", "passed", &[("A", "passed")]),
    case("anchors and merge keys", "common: &c\n  command: a\nsteps:\n- label: A\n  <<: *c\n- label: B\n  <<: *c", "passed", &[("A", "passed"), ("B", "passed")]),
];

const ORG: &str = "/v2/organizations/acme";

async fn fake() -> (MockBuildkite, Caller) {
    let mut world = World::empty();
    world.add_organization("acme");
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    for (slug, yaml) in [
        ("other", "steps:\n- command: a"),
        ("bad", "steps:\n- command: exit 1"),
    ] {
        pipeline(&caller, slug, yaml).await;
    }
    (server, caller)
}

async fn pipeline(caller: &Caller, name: &str, yaml: &str) {
    let body =
        json!({"name": name, "repository": "git@example.com:a/b.git", "configuration": yaml});
    let made = caller
        .write(Method::POST, &format!("{ORG}/pipelines"), &body)
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
}

async fn build(caller: &Caller, pipeline: &str) -> Value {
    let body = json!({"commit": "HEAD", "branch": "main", "message": "say hello"});
    let builds = format!("{ORG}/pipelines/{pipeline}/builds");
    let made = caller.write(Method::POST, &builds, &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

fn path(build: &Value) -> String {
    let url = build["url"].as_str().expect("an address");
    url[url.find("/v2/").expect("a version")..].to_owned()
}

async fn whole(caller: &Caller, build: &Value) -> Value {
    let path = format!("{}?include_retried_jobs=true", path(build));
    caller.get(&path).await.json()
}

fn shown(build: &Value) -> Vec<(String, String)> {
    let jobs = build["jobs"].as_array().expect("jobs").iter();
    jobs.map(|job| {
        let name = match job["type"].as_str() {
            Some("waiter") => "wait",
            Some("manual") => job["label"].as_str().unwrap_or_default(),
            _ => job["name"].as_str().unwrap_or_default(),
        };
        let state = job["state"].as_str().unwrap_or_default();
        (name.to_owned(), state.to_owned())
    })
    .collect()
}

#[tokio::test]
async fn each_pipeline_ends_as_the_documentation_says() {
    let (server, caller) = fake().await;
    let mut wrong = Vec::new();
    for (at, case) in CASES.iter().enumerate() {
        let slug = format!("p{at}");
        pipeline(&caller, &slug, case.yaml).await;
        let made = build(&caller, &slug).await;
        server.clock().advance(Duration::from_secs(1200));
        let ended = whole(&caller, &made).await;
        let expected: Vec<_> = case
            .jobs
            .iter()
            .map(|(name, state)| ((*name).to_owned(), (*state).to_owned()))
            .collect();
        let state = if ended["blocked"] == true {
            "blocked"
        } else {
            ended["state"].as_str().unwrap()
        };
        if state != case.build || shown(&ended) != expected {
            wrong.push(format!("{}: {state} {:?}", case.name, shown(&ended)));
        }
        check_times(&ended, case.name);
    }
    assert!(CASES.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    crate::consistency::check(&server).await;
}

/// Times are in order, and every command that ran has an agent, a log and an environment.
fn check_times(build: &Value, name: &str) {
    for job in build["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["type"] == "script")
    {
        let time = |key: &str| job[key].as_str().map(str::to_owned);
        let times: Vec<_> = ["runnable_at", "started_at", "finished_at"]
            .into_iter()
            .filter_map(time)
            .collect();
        assert!(times.is_sorted(), "{name}: {job}");
        assert_eq!(
            job["agent"].is_object(),
            time("started_at").is_some(),
            "{name}: {job}"
        );
        if matches!(job["state"].as_str(), Some("passed" | "failed")) {
            assert!(job["exit_status"].is_i64(), "{name}: {job}");
        }
    }
    let is_over = build["state"] != "running";
    assert_eq!(build["finished_at"].is_string(), is_over, "{name}");
}

#[tokio::test]
async fn a_job_that_ran_has_a_log_and_an_environment_and_the_commit_is_resolved() {
    let (server, caller) = fake().await;
    let made = build(&caller, "other").await;
    assert_eq!(made["commit"], "HEAD");
    server.clock().advance(Duration::from_secs(60));
    let ended = whole(&caller, &made).await;
    assert_eq!(ended["commit"].as_str().unwrap().len(), 40);
    let job = format!(
        "{}/jobs/{}",
        path(&made),
        ended["jobs"][0]["id"].as_str().unwrap()
    );
    let log = caller.get(&format!("{job}/log")).await;
    assert_eq!(log.status, 200, "{}", log.text());
    assert!(log.json()["size"].as_u64() > Some(0));
    let env = caller.get(&format!("{job}/env")).await.json();
    assert_eq!(env["env"]["BUILDKITE_BRANCH"], "main");
    assert_eq!(caller.delete(&format!("{job}/log")).await.status, 204);
    assert_eq!(caller.get(&format!("{job}/log")).await.status, 404);
}

#[tokio::test]
async fn a_released_block_step_runs_what_comes_after_it_and_keeps_its_fields() {
    let (server, caller) = fake().await;
    let yaml = "steps:\n- label: A\n  command: a\n- block: Go?\n  blocked_state: running\n  fields:\n  - text: Name\n    key: name\n    required: true\n- label: B\n  command: b\n- wait\n- label: C\n  command: c";
    pipeline(&caller, "gate", yaml).await;
    let made = build(&caller, "gate").await;
    server.clock().advance(Duration::from_secs(60));
    let blocked = whole(&caller, &made).await;
    assert_eq!(
        (&blocked["state"], &blocked["blocked"]),
        (&json!("running"), &json!(true))
    );
    let unblock = format!(
        "{}/jobs/{}/unblock",
        path(&made),
        blocked["jobs"][1]["id"].as_str().unwrap()
    );
    let refused = caller.write(Method::PUT, &unblock, &json!({})).await;
    assert_eq!(refused.status, 422);
    let fields = json!({"fields": {"name": "Sam"}});
    assert_eq!(
        caller.write(Method::PUT, &unblock, &fields).await.status,
        200
    );
    server.clock().advance(Duration::from_secs(120));
    let ended = whole(&caller, &made).await;
    assert_eq!(ended["state"], "passed");
    assert_eq!(ended["meta_data"]["name"], "Sam");
    let states: Vec<_> = shown(&ended).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["passed", "unblocked", "passed", "", "passed"]);
}

#[tokio::test]
async fn a_trigger_step_makes_a_real_build_that_names_its_parent() {
    let (server, caller) = fake().await;
    let yaml = "steps:\n- trigger: other\n  label: T\n  build:\n    message: from above\n    branch: dev\n    env: {A: b}\n    meta_data: {k: v}";
    pipeline(&caller, "parent", yaml).await;
    let made = build(&caller, "parent").await;
    server.clock().advance(Duration::from_secs(300));
    let parent = whole(&caller, &made).await;
    let child = &parent["jobs"][0]["triggered_build"];
    let child = caller.get(&path(child)).await.json();
    assert_eq!(child["source"], "trigger_job");
    assert_eq!(child["triggered_from"]["build_id"], parent["id"]);
    assert_eq!(child["triggered_from"]["build_pipeline_slug"], "parent");
    assert_eq!(
        (
            &child["message"],
            &child["branch"],
            &child["env"]["A"],
            &child["meta_data"]["k"]
        ),
        (
            &json!("from above"),
            &json!("dev"),
            &json!("b"),
            &json!("v")
        )
    );
}

#[tokio::test]
async fn only_one_job_of_a_concurrency_group_runs_at_a_time() {
    let (server, caller) = fake().await;
    let yaml = "steps:\n- label: A\n  command: a\n  parallelism: 3\n  concurrency: 1\n  concurrency_group: g";
    pipeline(&caller, "limited", yaml).await;
    let made = build(&caller, "limited").await;
    for _ in 0..30 {
        server.clock().advance(Duration::from_secs(7));
        let now = whole(&caller, &made).await;
        let running = shown(&now)
            .into_iter()
            .filter(|(_, state)| state == "running");
        assert!(running.count() <= 1);
    }
    let ended = whole(&caller, &made).await;
    assert_eq!(ended["state"], "passed");
    let waits: Vec<_> = ended["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["concurrency_wait_time_ms"].as_i64().unwrap())
        .collect();
    assert!(waits[2] > waits[0], "{waits:?}");
}

#[tokio::test]
async fn a_configuration_that_is_no_list_of_steps_is_refused() {
    let (_server, caller) = fake().await;
    let body = json!({"name": "x", "repository": "git@example.com:a/b.git", "configuration": "steps: [\n"});
    let refused = caller
        .write(Method::POST, &format!("{ORG}/pipelines"), &body)
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("configuration"),
        "{}",
        refused.text()
    );
}
