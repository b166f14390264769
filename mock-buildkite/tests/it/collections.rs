//! Lists: their filters, and what they leave out.

use mock_buildkite::{MockBuildkite, World};
use reqwest::Method;
use serde_json::json;

use crate::caller::{Caller, texts};
use crate::routes::seeded;

const ORG: &str = "/v2/organizations/acme-inc";
const SUITE: &str = "/v2/analytics/organizations/acme-inc/suites/rspec";

/// The parent of the last object in a collection.
pub(crate) fn parent(server: &MockBuildkite, collection: &str, key: &str) -> String {
    let last = server.with_world(|world| world.objects(collection).pop());
    let parents = last.expect("there is one").parents.into_iter();
    parents
        .into_iter()
        .find(|(name, _)| name == key)
        .expect("there is one")
        .1
}

/// The address of the build of the last object in a collection.
pub(crate) fn build_of(server: &MockBuildkite, collection: &str) -> String {
    let (pipeline, number) = (
        parent(server, collection, "pipeline_slug"),
        parent(server, collection, "build_number"),
    );
    format!("{ORG}/pipelines/{pipeline}/builds/{number}")
}

#[tokio::test]
async fn only_agents_that_are_connected_are_listed_and_all_are_found() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let agents = caller.items(&format!("{ORG}/agents")).await;
    let states = texts(&agents, "connection_state");
    let is_listed = |state: &String| matches!(state.as_str(), "connected" | "stopping");
    assert!(states.iter().all(is_listed), "{states:?}");
    assert!(states.iter().any(|state| state == "stopping"));

    let lost = json!({"id": "gone", "connection_state": "lost"});
    server.with_world(|world| world.put("agents", &[("organization_slug", "acme-inc")], &lost));
    let listed = caller.items(&format!("{ORG}/agents")).await.len();
    assert_eq!(listed, agents.len());
    assert_eq!(caller.get(&format!("{ORG}/agents/gone")).await.json(), lost);
}

#[tokio::test]
async fn agents_are_filtered_by_name_host_version_and_queue() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let agents = caller.items(&format!("{ORG}/agents")).await;
    for key in ["name", "hostname", "version"] {
        let value = agents[2][key].as_str().unwrap();
        let found = caller.items(&format!("{ORG}/agents?{key}={value}")).await;
        let expected: Vec<_> = agents
            .iter()
            .filter(|agent| agent[key] == value)
            .cloned()
            .collect();
        assert_eq!(found, expected, "{key}");
        assert!(found.len() < agents.len(), "{key}");
    }
    let url = agents[0]["cluster_queue_url"].as_str().unwrap();
    let queue = url.rsplit('/').next().unwrap();
    let found = caller
        .items(&format!("{ORG}/agents?cluster_queue_id={queue}"))
        .await;
    assert!(!found.is_empty() && found.iter().all(|agent| agent["cluster_queue_url"] == url));
}

#[tokio::test]
async fn artifacts_are_filtered_by_state_and_path_and_deleted_ones_are_left_out() {
    let mut world = World::empty();
    let build = world.create_build(crate::caller::build().state("passed"));
    for (id, state, path) in [
        ("a", "finished", "log/a.txt"),
        ("b", "expired", "log/b.txt"),
        ("c", "deleted", "log/c.txt"),
        ("d", "finished", "dist/d.zip"),
    ] {
        let object = json!({"id": id, "state": state, "path": path});
        world.put("artifacts", &[("build_id", &build.id)], object);
    }
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    let list = "/v2/organizations/acme/pipelines/web/builds/1/artifacts";
    for (query, expected) in [
        ("", "a b d"),
        ("?state=expired", "b"),
        ("?state=deleted", ""),
        ("?path=log/a.txt", "a"),
        ("?path=log/*", "a b"),
        ("?path=*.zip", "d"),
    ] {
        let found = caller.items(&format!("{list}{query}")).await;
        assert_eq!(texts(&found, "id").join(" "), expected, "{query}");
    }
    assert_eq!(caller.get(&format!("{list}?state=odd")).await.status, 422);
}

#[tokio::test]
async fn annotations_of_a_build_come_by_scope_and_without_bodies_on_request() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let build = build_of(&server, "annotations");
    let job = json!({"id": "j-1", "scope": "job", "job_id": "j", "body_html": "<p>x</p>"});
    let number = build.rsplit('/').next().unwrap().to_owned();
    let pipeline = parent(&server, "annotations", "pipeline_slug");
    server.with_world(|world| {
        let parents = [
            ("pipeline_slug", pipeline.as_str()),
            ("build_number", &number),
        ];
        world.put("annotations", &parents, job);
    });
    let list = format!("{build}/annotations");
    let count = async |query: &str| caller.items(&format!("{list}?{query}")).await.len();
    let (own, of_jobs) = (count("scope=build").await, count("scope=job").await);
    assert_eq!(count("").await, own);
    assert!(of_jobs >= 1);
    assert_eq!(count("scope=all").await, own + of_jobs);
    assert_eq!(caller.get(&format!("{list}?scope=odd")).await.status, 400);
    let bare = caller
        .items(&format!("{list}?scope=all&omit_body=true"))
        .await;
    assert!(bare.iter().all(|one| one.get("body_html").is_none()));
}

#[tokio::test]
async fn only_pending_invitations_are_listed_newest_first() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let list = caller.get(&format!("{ORG}/invitations")).await.json();
    let invitations = list["items"].as_array().unwrap();
    assert_eq!(texts(invitations, "state"), ["pending"; 3]);
    let times = texts(invitations, "created_at");
    assert!(times.is_sorted_by(|a, b| a > b), "{times:?}");
}

#[tokio::test]
async fn links_of_a_cursor_stand_in_the_header_where_the_api_puts_them() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    for (list, keys, in_header) in [
        ("audit_events", vec!["self", "first", "next"], true),
        ("invitations", vec!["self", "next"], true),
        ("services", vec!["self", "next"], false),
    ] {
        let answer = caller.get(&format!("{ORG}/{list}?per_page=1")).await;
        let body = answer.json();
        assert_eq!(crate::caller::keys(&body["links"]), keys, "{list}");
        let next = body["links"]["next"].as_str().map(str::to_owned);
        assert_eq!(answer.link("next"), next.filter(|_| in_header), "{list}");
    }
}

#[tokio::test]
async fn a_secret_is_never_given_with_its_value_nor_a_token_with_itself() {
    let mut world = World::empty();
    world.add_organization("acme");
    let parents = [("organization_slug", "acme"), ("cluster_id", "c")];
    world.put("clusters", &parents[..1], json!({"id": "c"}));
    world.put(
        "cluster_secrets",
        &parents,
        json!({"id": "s", "value": "hidden"}),
    );
    world.put(
        "cluster_tokens",
        &parents,
        json!({"id": "t", "token": "hidden"}),
    );
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    for path in ["secrets", "secrets/s", "tokens", "tokens/t"] {
        let answer = caller
            .get(&format!("/v2/organizations/acme/clusters/c/{path}"))
            .await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("hidden"), "{path}");
    }
}

#[tokio::test]
async fn the_token_of_a_suite_is_shown_only_when_asked_for() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let list = "/v2/analytics/organizations/acme-inc/suites";
    for path in [list.to_owned(), format!("{list}/rspec")] {
        assert!(
            !caller.get(&path).await.text().contains("api_token"),
            "{path}"
        );
        let shown = caller.get(&format!("{path}?show_api_token=true")).await;
        assert!(shown.text().contains("api_token"), "{path}");
    }
}

#[tokio::test]
async fn metrics_of_tests_take_a_dated_version_and_a_bad_date_is_refused() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let with = async |version: &str| {
        let headers = [("Buildkite-Version", version)];
        caller
            .with_headers(Method::GET, &format!("{SUITE}/tests"), &headers)
            .await
    };
    assert!(
        caller.items(&format!("{SUITE}/tests")).await[0]
            .get("reliability")
            .is_none()
    );
    assert!(
        with("2026-08-01").await.items()[0]
            .get("reliability")
            .is_some()
    );
    assert!(
        with("2026-07-31").await.items()[0]
            .get("reliability")
            .is_none()
    );
    let refused = with("August").await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.message(),
        "Buildkite-Version must be in format YYYY-MM-DD"
    );
}

#[tokio::test]
async fn tests_are_found_by_label_and_runs_by_build() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let flaky = caller.items(&format!("{SUITE}/tests?label=flaky")).await;
    let all = caller.items(&format!("{SUITE}/tests")).await;
    assert!(!flaky.is_empty() && flaky.len() < all.len());
    assert_eq!(
        caller.items(&format!("{SUITE}/flaky-tests")).await.len(),
        flaky.len()
    );

    let runs = caller.items(&format!("{SUITE}/runs")).await;
    let build = runs[1]["build_id"].as_str().unwrap();
    let found = caller
        .items(&format!("{SUITE}/runs?build_id={build}"))
        .await;
    assert_eq!(found, [runs[1].clone()]);
    let id = build.to_owned();
    assert!(server.with_world(|world| world.build_json(&id)).is_some());
}

#[tokio::test]
async fn tests_of_a_build_are_found_by_its_id_with_their_metrics() {
    let server = MockBuildkite::start(seeded()).await;
    let build = parent(&server, "build_tests", "build_id");
    let path = format!("/v2/analytics/organizations/acme-inc/builds/{build}/tests");
    let tests = Caller::new(&server).items(&path).await;
    assert!(tests[0]["executions_count"].is_u64());
}

#[tokio::test]
async fn teams_are_found_by_user_packages_by_name_and_repositories_by_name() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let members = caller.items(&format!("{ORG}/members")).await;
    let user = members[0]["id"].as_str().unwrap();
    let teams = caller.items(&format!("{ORG}/teams?user_id={user}")).await;
    assert_eq!(texts(&teams, "slug"), ["everyone"]);

    let packages = "/v2/packages/organizations/acme-inc/registries/gems/packages";
    let found = caller.get(&format!("{packages}?name=papaya")).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 2);

    let connection = parent(&server, "connection_repositories", "connection_id");
    let path = format!("{ORG}/repository_connections/{connection}/repositories");
    let found = caller
        .items(&format!("{path}?repository=acme-inc/gadgets"))
        .await;
    assert_eq!(texts(&found, "default_branch"), ["trunk"]);
}
