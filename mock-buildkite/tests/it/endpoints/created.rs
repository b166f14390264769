//! What the API makes can be listed, read, changed and deleted.

use mock_buildkite::MockBuildkite;
use reqwest::Method;
use serde_json::{Value, json};

use super::calls::{first, world};
use crate::caller::Caller;

/// What can be created: its list, the key in its path, a body, a change and the verb of changes.
type Made = (String, &'static str, Value, Value, Method);

#[rustfmt::skip]
fn made(server: &MockBuildkite) -> Vec<Made> {
    let org = "/v2/organizations/acme-inc";
    let cluster = format!("{org}/clusters/{}", first(server, "clusters", "id", None));
    let pipelines = server.with_world(|world| world.pipeline_slugs("acme-inc"));
    let schedules = format!("{org}/pipelines/{}/schedules", pipelines[0]);
    let rule = json!({
        "type": "pipeline.artifacts_read.pipeline",
        "value": {"source_pipeline": pipelines[1], "target_pipeline": pipelines[0]},
    });
    let template = json!({"name": "N", "configuration": "steps: []"});
    vec![
        (format!("{org}/clusters"), "id", json!({"name": "C"}), json!({"name": "D"}), Method::PUT),
        (format!("{cluster}/queues"), "id", json!({"key": "k"}), json!({"description": "d"}), Method::PATCH),
        (format!("{cluster}/tokens"), "id", json!({"description": "t"}), json!({"description": "u"}), Method::PUT),
        (format!("{cluster}/secrets"), "id", json!({"key": "S", "value": "v"}), json!({"description": "d"}), Method::PUT),
        (format!("{org}/teams"), "id", json!({"name": "T"}), json!({"name": "U"}), Method::PATCH),
        (schedules, "id", json!({"cronline": "@daily"}), json!({"label": "l"}), Method::PUT),
        (format!("{org}/portals"), "slug", json!({"name": "P", "query": "q"}), json!({"query": "r"}), Method::PUT),
        (format!("{org}/pipeline-templates"), "uuid", template, json!({"available": true}), Method::PATCH),
        (format!("{org}/rules"), "uuid", rule, json!({}), Method::PUT),
    ]
}

#[tokio::test]
async fn what_is_created_is_listed_read_changed_and_gone_once_it_is_deleted() {
    let server = MockBuildkite::start(world()).await;
    let caller = Caller::new(&server);
    for (list, key, body, change, method) in made(&server) {
        let before = caller.items(&list).await.len();
        let answer = caller.write(Method::POST, &list, &body).await;
        assert_eq!(answer.status, 201, "{list}: {}", answer.text());
        let path = format!("{list}/{}", answer.json()[key].as_str().expect("a key"));
        assert_eq!(caller.items(&list).await.len(), before + 1, "{list}");
        if change != json!({}) {
            let changed = caller.write(method, &path, &change).await;
            assert_eq!(changed.status, 200, "{path}: {}", changed.text());
        }
        let now = caller.get(&path).await.json();
        for (key, value) in change.as_object().expect("an object") {
            assert_eq!(&now[key], value, "{path}");
        }
        assert_eq!(caller.delete(&path).await.status, 204, "{path}");
        assert_eq!(caller.get(&path).await.status, 404, "{path}");
        assert_eq!(caller.items(&list).await.len(), before, "{list}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_what_is_wrong_is_named() {
    let server = MockBuildkite::start(world()).await;
    let caller = Caller::new(&server);
    let cluster = first(&server, "clusters", "id", None);
    let base = format!("/v2/organizations/acme-inc/clusters/{cluster}");
    let token = caller
        .write(
            Method::POST,
            &format!("{base}/tokens"),
            &json!({"description": "t"}),
        )
        .await
        .json();
    assert!(token["token"].as_str().unwrap().starts_with("bkct_"));
    let path = format!("{base}/tokens/{}", token["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.json().get("token"), None);
    for (list, body, message) in [
        (
            "tokens",
            json!({}),
            "Validation failed: Description can't be blank",
        ),
        (
            "queues",
            json!({"key": "default"}),
            "Validation failed: Key has already been taken",
        ),
        (
            "secrets",
            json!({"key": "BUILDKITE_X", "value": "v"}),
            "Validation failed: Key is invalid",
        ),
        (
            "secrets",
            json!({"key": "A"}),
            "Validation failed: Value can't be blank",
        ),
    ] {
        let answer = caller
            .write(Method::POST, &format!("{base}/{list}"), &body)
            .await;
        assert_eq!(
            (answer.status, answer.message()),
            (422, message.to_owned()),
            "{body}"
        );
    }
}
