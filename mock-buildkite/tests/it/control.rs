//! The control surface: what a test in any language does to the fake over HTTP.

use mock_buildkite::{MockBuildkite, Seed, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, BUILDS, Caller, build, world};

async fn fake() -> (MockBuildkite, Caller) {
    let builder = MockBuildkite::builder(world([build()])).resettable();
    let server = builder.start().await.expect("a free port");
    let caller = Caller::new(&server);
    (server, caller)
}

async fn post(caller: &Caller, path: &str, body: Value) -> Answer {
    caller
        .write(Method::POST, &format!("/__mock/{path}"), &body)
        .await
}

#[tokio::test]
async fn requests_are_listed_and_forgotten_without_a_token() {
    let (server, caller) = fake().await;
    let body = json!({"commit": "HEAD", "branch": "main"});
    caller.write(Method::POST, BUILDS, &body).await;
    let anybody = Caller::with_token(server.uri(), "");
    let requests = anybody.get("/__mock/requests").await.json();
    assert_eq!(requests.as_array().map(Vec::len), Some(1));
    assert_eq!(requests[0]["method"], "POST");
    assert_eq!(requests[0]["path"], BUILDS);
    assert_eq!(requests[0]["body"], body.to_string());
    assert_eq!(requests[0]["status"], 201);
    assert_eq!(anybody.delete("/__mock/requests").await.status, 200);
    assert_eq!(anybody.get("/__mock/requests").await.json(), json!([]));
    let overview = anybody.get("/__mock").await.json();
    assert_eq!(
        (&overview["builds"], &overview["organizations"]),
        (&json!(2), &json!(["acme"]))
    );
}

#[tokio::test]
async fn every_path_that_the_overview_names_is_there_and_others_are_refused() {
    let (_server, caller) = fake().await;
    let overview = caller.get("/__mock/").await.json();
    for path in overview["paths"].as_array().expect("paths") {
        let (method, path) = path
            .as_str()
            .expect("a text")
            .split_once(' ')
            .expect("two words");
        let method: Method = method.parse().expect("a verb");
        let answer = caller.write(method.clone(), path, &json!({})).await;
        assert!(!answer.text().contains("nothing to do"), "{method} {path}");
    }
    let unknown = caller.get("/__mock/nothing").await;
    assert_eq!(unknown.status, 400);
    assert!(
        unknown
            .message()
            .contains("nothing to do for GET /__mock/nothing")
    );
    assert_eq!(caller.get("/__mocks").await.status, 404, "another path");
}

#[tokio::test]
async fn faults_hit_the_requests_that_they_name() {
    let (_server, caller) = fake().await;
    for (fault, status) in [
        (json!({"fault": "status", "value": 503}), 503),
        (json!({"fault": "rate_limited", "value": 7}), 429),
        (
            json!({"fault": "status_after", "method": "GET", "path": "builds"}),
            502,
        ),
        (json!({"fault": "status", "method": "write"}), 200),
    ] {
        assert_eq!(
            post(&caller, "faults", fault.clone()).await.status,
            200,
            "{fault}"
        );
        assert_eq!(caller.get(BUILDS).await.status, status, "{fault}");
    }
    caller.delete("/__mock/faults").await;
    let body = json!({"commit": "HEAD", "branch": "main"});
    let created = caller.write(Method::POST, BUILDS, &body).await;
    assert_eq!(created.status, 201, "the last fault was cleared");
    let always = json!({"fault": "status", "value": 500, "chance": 1.0});
    post(&caller, "faults", always).await;
    for _ in 0..3 {
        assert_eq!(caller.get(BUILDS).await.status, 500);
    }
    for wrong in [
        json!({"fault": "none"}),
        json!({"fault": "slow_head"}),
        json!({"fault": "status", "valu": 1}),
        json!({}),
    ] {
        assert_eq!(
            post(&caller, "faults", wrong.clone()).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn the_clock_moves_builds_and_jobs_fail_on_command() {
    let (_server, caller) = fake().await;
    post(
        &caller,
        "jobs",
        json!({"fail": "", "times": 1, "wait_seconds": 1, "run_seconds": 2}),
    )
    .await;
    let body = json!({"commit": "HEAD", "branch": "main"});
    let made = caller.write(Method::POST, BUILDS, &body).await.json();
    let path = format!("{BUILDS}/{}", made["number"]);
    let state = async |seconds: f64| {
        let moved = post(&caller, "clock", json!({"advance_seconds": seconds})).await;
        assert_eq!(moved.status, 200, "{}", moved.text());
        caller.get(&path).await.json()["state"].clone()
    };
    assert_eq!(state(1.0).await, "running");
    assert_eq!(state(2.0).await, "failed");
    let set = post(&caller, "clock", json!({"set": "2030-01-01T00:00:00Z"})).await;
    assert_eq!(set.json()["now"], "2030-01-01T00:00:00Z");
    let made = caller.write(Method::POST, BUILDS, &body).await.json();
    assert_eq!(made["created_at"], "2030-01-01T00:00:00.000Z");
    assert_eq!(
        post(&caller, "clock", json!({"advance_seconds": -1}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn tokens_are_added_with_scopes_and_limits() {
    let (server, caller) = fake().await;
    let token = "bkua_weak=read_builds;organizations=acme;expires=1h";
    assert_eq!(
        post(&caller, "tokens", json!({"token": token}))
            .await
            .status,
        200
    );
    let weak = Caller::with_token(server.uri(), "bkua_weak");
    assert_eq!(weak.get(BUILDS).await.status, 200);
    assert_eq!(weak.get("/v2/user").await.status, 403);
    post(&caller, "clock", json!({"advance_seconds": 3601})).await;
    assert_eq!(weak.get(BUILDS).await.status, 401);
    assert_eq!(
        post(&caller, "tokens", json!({"token": "a=unknown_scope"}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_world_is_saved_loaded_and_reset() {
    let seeded = World::seeded(&Seed {
        builds: 12,
        ..Seed::default()
    });
    let builder = MockBuildkite::builder(seeded).resettable();
    let server = builder.start().await.expect("a free port");
    let caller = Caller::new(&server);
    let builds = "/v2/builds?per_page=100";
    let first = caller.get(builds).await.json();
    let saved = caller.get("/__mock/world").await.text();
    let list = "/v2/organizations/acme-inc/pipelines";
    let pipelines = caller.get(list).await.json();
    for pipeline in pipelines.as_array().expect("pipelines") {
        let slug = pipeline["slug"].as_str().expect("a slug");
        assert_eq!(caller.delete(&format!("{list}/{slug}")).await.status, 204);
    }
    assert_eq!(caller.get(builds).await.json(), json!([]));
    let loaded = caller.try_write(Method::PUT, "/__mock/world", &saved).await;
    assert_eq!(loaded.expect("an answer").status, 200);
    assert_eq!(caller.get(builds).await.json(), first);
    let slug = pipelines[0]["slug"].as_str().expect("a slug");
    caller.delete(&format!("{list}/{slug}")).await;
    assert_eq!(post(&caller, "reset", json!({})).await.status, 200);
    assert_eq!(caller.get(builds).await.json(), first);
    assert_eq!(caller.get(list).await.json(), pipelines);
    let refused = caller.try_write(Method::PUT, "/__mock/world", "{").await;
    assert_eq!(refused.expect("an answer").status, 400);
}
