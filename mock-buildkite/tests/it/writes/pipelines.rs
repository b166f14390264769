//! Pipelines made, changed, archived and deleted over the API.

use mock_buildkite::Token;
use reqwest::Method;
use serde_json::{Value, json};

use super::{fake, trigger};
use crate::caller::{Answer, BUILDS, Caller};

const PIPELINES: &str = "/v2/organizations/acme/pipelines";
const WEB: &str = "/v2/organizations/acme/pipelines/web";
const YAML: &str = "steps:\n  - label: \"Build\"\n    command: \"make\"\n  - wait\n";

/// A request for a pipeline that is sound, with these fields, too.
async fn create(caller: &Caller, fields: Value) -> Answer {
    let mut body = json!({
        "name": "My Pipeline: X", "repository": "git@github.com:acme/x.git",
        "configuration": YAML, "cluster_id": null,
    });
    for (key, value) in fields.as_object().expect("fields") {
        body[key] = value.clone();
    }
    caller.write(Method::POST, PIPELINES, &body).await
}

async fn patch(caller: &Caller, body: Value) -> Answer {
    caller.write(Method::PATCH, WEB, &body).await
}

async fn post(caller: &Caller, path: &str) -> Answer {
    caller.write(Method::POST, path, &json!({})).await
}

#[tokio::test]
async fn a_pipeline_is_made_with_a_slug_of_its_name_and_builds_its_steps() {
    let (_server, caller) = fake().await;
    let fields = json!({
        "description": "All of it", "tags": ["a"], "skip_queued_branch_builds": true,
        "provider_settings": {"trigger_mode": "none"}, "default_command_step_timeout": 10,
    });
    let answer = create(&caller, fields).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    assert_eq!(made["slug"], "my-pipeline-x");
    assert_eq!(made["name"], "My Pipeline: X");
    assert_eq!(made["configuration"], YAML);
    assert_eq!(made["steps"][0]["command"], "make");
    assert_eq!(made["steps"][1], json!({"type": "waiter"}));
    assert_eq!(made["description"], "All of it");
    assert_eq!(made["skip_queued_branch_builds"], true);
    assert_eq!(made["provider"]["settings"]["trigger_mode"], "none");
    assert_eq!(made["provider"]["settings"]["repository"], "acme/x");
    assert_eq!(made["created_by"]["name"], "Demo User");
    let read = caller.get(&format!("{PIPELINES}/my-pipeline-x")).await;
    assert_eq!(read.json(), made);
    let builds = format!("{PIPELINES}/my-pipeline-x/builds");
    let body = json!({"commit": "HEAD", "branch": "main", "ignore_pipeline_branch_filters": true});
    let build = caller.write(Method::POST, &builds, &body).await.json();
    assert_eq!(build["jobs"][0]["name"], "Build");
}

#[tokio::test]
async fn a_pipeline_without_what_it_needs_is_refused() {
    let (server, caller) = fake().await;
    let configuration = "Step configuration is missing, expected `steps: { yaml: \"...\" }`";
    let taken = "has already been taken";
    for (fields, field, code) in [
        (json!({"name": null}), "name", "missing"),
        (json!({"name": 7}), "name", "invalid"),
        (json!({"name": "web"}), "name", taken),
        (json!({"slug": "web"}), "slug", taken),
        (json!({"repository": ""}), "repository", "missing"),
        (
            json!({"configuration": " "}),
            "configuration",
            configuration,
        ),
        (
            json!({"configuration": null}),
            "configuration",
            configuration,
        ),
        (json!({"visibility": "secret"}), "visibility", "invalid"),
        (json!({"allow_rebuilds": []}), "allow_rebuilds", "invalid"),
    ] {
        let answer = create(&caller, fields.clone()).await;
        assert_eq!(answer.status, 422, "{fields}");
        assert_eq!(answer.message(), "Validation Failed");
        assert_eq!(
            answer.json()["errors"],
            json!([{"field": field, "code": code}]),
            "{fields}"
        );
    }
    server.with_world(|world| world.require_clusters("acme"));
    assert!(
        create(&caller, json!({}))
            .await
            .text()
            .contains("Cluster must be specified")
    );
    assert_eq!(
        create(&caller, json!({"cluster_id": "c-1"})).await.status,
        201
    );
    assert_eq!(
        server.with_world(|world| world.pipeline_slugs("acme").len()),
        2
    );
}

#[tokio::test]
async fn a_new_name_moves_the_slug_and_the_addresses_and_the_old_ones_are_gone() {
    let (_server, caller) = fake().await;
    trigger(&caller, json!({})).await;
    let before = caller.get(WEB).await.json();
    let moved = patch(&caller, json!({"name": "Web Site"})).await;
    assert_eq!(moved.status, 200);
    let moved = moved.json();
    assert_eq!(
        (&moved["name"], &moved["slug"]),
        (&json!("Web Site"), &json!("web-site"))
    );
    assert_eq!(moved["id"], before["id"]);
    assert!(
        moved["url"]
            .as_str()
            .unwrap()
            .ends_with("/pipelines/web-site")
    );
    assert_eq!(caller.get(WEB).await.message(), "No pipeline found");
    assert_eq!(patch(&caller, json!({})).await.status, 404);
    let build = caller
        .get(&format!("{PIPELINES}/web-site/builds/1"))
        .await
        .json();
    assert!(
        build["url"]
            .as_str()
            .unwrap()
            .contains("/pipelines/web-site/")
    );
}

#[tokio::test]
async fn a_name_with_a_slug_and_the_same_name_leave_the_address() {
    let (_server, caller) = fake().await;
    let named = patch(&caller, json!({"name": "Web Site", "slug": "web"}))
        .await
        .json();
    assert_eq!(
        (&named["name"], &named["slug"]),
        (&json!("Web Site"), &json!("web"))
    );
    let same = patch(&caller, json!({"name": "Web Site", "description": "d"}))
        .await
        .json();
    assert_eq!(same["slug"], "web");
}

#[tokio::test]
async fn a_change_replaces_what_it_names_and_leaves_the_rest() {
    let (_server, caller) = fake().await;
    let fields = json!({
        "configuration": YAML, "steps": [{"type": "script", "command": "ignored"}],
        "env": {"A": "b"}, "provider_settings": {"build_tags": true},
        "branch_configuration": "main", "cluster_id": "c-1",
    });
    let changed = patch(&caller, fields).await.json();
    assert_eq!(changed["configuration"], YAML);
    assert_eq!(changed["steps"][0]["command"], "make");
    assert_eq!(
        changed["env"],
        Value::Null,
        "ignored where the steps are YAML"
    );
    let settings = json!({"trigger_mode": "code", "build_tags": true});
    assert_eq!(changed["provider"]["settings"], settings);
    assert!(
        changed["cluster_url"]
            .as_str()
            .unwrap()
            .ends_with("/acme/clusters/c-1")
    );
    let freed = patch(&caller, json!({"cluster_id": null})).await.json();
    assert_eq!(
        (&freed["cluster_id"], &freed["cluster_url"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(freed["branch_configuration"], "main");
}

#[tokio::test]
async fn a_change_that_is_refused_changes_nothing() {
    let (_server, caller) = fake().await;
    create(&caller, json!({})).await;
    let before = caller.get(WEB).await.json();
    for fields in [
        json!({"steps": [{"type": "script", "command": "x"}]}),
        json!({"configuration": ""}),
        json!({"name": ""}),
        json!({"name": "My Pipeline: X"}),
        json!({"slug": "my-pipeline-x"}),
        json!({"description": "new", "tags": "a"}),
    ] {
        assert_eq!(patch(&caller, fields.clone()).await.status, 422, "{fields}");
        assert_eq!(caller.get(WEB).await.json(), before, "{fields}");
    }
}

#[tokio::test]
async fn a_pipeline_is_archived_and_brought_back_once_each() {
    let (_server, caller) = fake().await;
    let archive = format!("{WEB}/archive");
    let archived = post(&caller, &archive).await;
    assert_eq!(archived.status, 200);
    assert_eq!(archived.json()["archived_at"], "2026-08-20T12:00:00.000Z");
    let again = post(&caller, &archive).await;
    assert_eq!(
        (again.status, &*again.message()),
        (422, "Pipeline could not be archived.")
    );
    assert_eq!(trigger(&caller, json!({})).await.status, 422);
    let unarchive = format!("{WEB}/unarchive");
    assert_eq!(
        post(&caller, &unarchive).await.json()["archived_at"],
        Value::Null
    );
    let again = post(&caller, &unarchive).await;
    assert_eq!(
        (again.status, &*again.message()),
        (422, "Pipeline could not be unarchived.")
    );
}

#[tokio::test]
async fn a_deleted_pipeline_takes_its_builds_with_it() {
    let (server, caller) = fake().await;
    trigger(&caller, json!({})).await;
    let deleted = caller.delete(WEB).await;
    assert_eq!((deleted.status, deleted.text().as_str()), (204, ""));
    assert_eq!(caller.get(BUILDS).await.status, 404);
    assert!(server.with_world(|world| world.build_ids()).is_empty());
    assert_eq!(caller.delete(WEB).await.status, 404);
}

#[tokio::test]
async fn who_may_only_read_a_pipeline_changes_nothing_of_it() {
    let (server, _) = fake().await;
    server.add_token(Token::new("reader").read_only_pipeline("acme", "web"));
    let caller = Caller::with_token(server.uri(), "reader");
    let before = caller.get(WEB).await.json();
    let refused = patch(&caller, json!({"description": "x"})).await;
    assert_eq!(
        (refused.status, &*refused.message()),
        (403, "You're not allowed to do that")
    );
    assert_eq!(caller.delete(WEB).await.status, 403);
    let archived = post(&caller, &format!("{WEB}/archive")).await;
    assert_eq!((archived.status, &*archived.message()), (403, "Forbidden"));
    assert_eq!(caller.get(WEB).await.json(), before);
    assert_eq!(create(&caller, json!({})).await.status, 201);
    server.add_token(Token::new("reader").cannot_create_pipelines("acme"));
    assert_eq!(create(&caller, json!({"name": "other"})).await.status, 403);
    server.add_token(Token::new("reader").scopes(["read_pipelines"]));
    let refused = patch(&caller, json!({})).await;
    assert_eq!(
        refused.message(),
        "Your access token doesn't have the write_pipelines scope"
    );
}
