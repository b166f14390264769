//! Builds made, canceled and made again over the API.

use mock_buildkite::{JobFixture, MockBuildkite, Token, World};
use reqwest::Method;
use serde_json::{Value, json};

use super::{fake, put, states, trigger};
use crate::caller::{BUILDS, Caller, build, world};

#[tokio::test]
async fn a_build_is_made_with_the_next_number_and_what_was_asked_for() {
    let server = MockBuildkite::start(world([build()])).await;
    let caller = Caller::new(&server);
    let asked = json!({
        "message": "By hand",
        "env": {"A": "b"},
        "meta_data": {"key": "k-1", "attempt": 1, "dry": true, "none": null},
        "pull_request_id": 42, "pull_request_base_branch": "main",
    });
    let answer = trigger(&caller, asked).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    assert_eq!(made["number"], 2);
    assert_eq!(made["state"], "scheduled");
    assert_eq!(made["source"], "api");
    assert_eq!(made["message"], "By hand");
    assert_eq!(made["commit"], "HEAD");
    assert_eq!(made["env"], json!({"A": "b"}));
    let meta_data = json!({"key": "k-1", "attempt": "1", "dry": "true", "none": ""});
    assert_eq!(made["meta_data"], meta_data);
    assert_eq!(made["pull_request"]["id"], "42");
    assert_eq!(made["creator"]["name"], "Demo User");
    assert_eq!(made["author"]["name"], "Demo User");
    assert_eq!(made["pipeline"]["slug"], "web");
    assert_eq!(states(&made), ["scheduled"]);
    assert_eq!(made["jobs"][0]["command"], "make test");
    for key in ["started_at", "finished_at"] {
        assert_eq!(made[key], Value::Null, "{key}");
    }
    let read = caller.get(&format!("{BUILDS}/2")).await.json();
    assert_eq!(read["id"], made["id"]);
}

#[tokio::test]
async fn the_same_request_twice_makes_two_builds() {
    let (server, caller) = fake().await;
    for number in [1, 2] {
        let made = trigger(&caller, json!({"meta_data": {"key": "same"}})).await;
        assert_eq!(made.json()["number"], number);
    }
    let ids = server.with_world(|world| world.builds_with_meta_data("acme", "web", "key", "same"));
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn jobs_come_from_the_steps_and_stand_behind_waits_and_blocks() {
    let (server, caller) = fake().await;
    let steps = json!([
        {"label": "Build", "command": "make", "key": "make"}, "wait", {"command": "make test"},
        {"block": "Release?", "key": "release"}, {"trigger": "deploy"},
    ]);
    server.with_world(|world| assert!(world.set_steps("acme", "web", &steps)));
    let made = trigger(&caller, json!({})).await.json();
    assert_eq!(
        states(&made),
        ["scheduled", "", "waiting", "blocked", "blocked"]
    );
    assert_eq!(made["jobs"][0]["step_key"], "make");
    assert_eq!(made["jobs"][3]["type"], "manual");
    assert_eq!(made["jobs"][4]["type"], "trigger");
}

#[tokio::test]
async fn a_build_without_a_commit_or_a_branch_is_refused() {
    let (server, caller) = fake().await;
    let missing = |field: &str| json!({"field": field, "code": "missing"});
    for (body, expected) in [
        (json!({"branch": "main"}), json!([missing("commit")])),
        (
            json!({"commit": "HEAD", "branch": ""}),
            json!([missing("branch")]),
        ),
        (json!({}), json!([missing("commit"), missing("branch")])),
        (
            json!({"commit": null, "branch": "main"}),
            json!([missing("commit")]),
        ),
    ] {
        let answer = caller.write(Method::POST, BUILDS, &body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.message(), "Validation Failed");
        assert_eq!(answer.json()["errors"], expected);
    }
    assert!(server.with_world(|world| world.build_ids()).is_empty());
}

#[tokio::test]
async fn fields_of_the_wrong_type_are_refused_and_none_is_used() {
    let (server, caller) = fake().await;
    for (field, value) in [
        ("commit", json!(1)),
        ("env", json!("A=b")),
        ("env", json!({"A": 1})),
        ("meta_data", json!(["a"])),
        ("message", json!({})),
        ("ignore_pipeline_branch_filters", json!(["yes"])),
        ("pull_request_id", json!("42")),
    ] {
        let answer = trigger(&caller, json!({ field: value })).await;
        assert_eq!(answer.status, 422, "{field}");
        assert_eq!(
            answer.json()["errors"],
            json!([{"field": field, "code": "invalid"}])
        );
    }
    for body in ["{", "[]", "null", "\"text\""] {
        let answer = caller.try_write(Method::POST, BUILDS, body).await.unwrap();
        assert_eq!(answer.status, 400, "{body}");
        assert!(!answer.message().is_empty());
    }
    assert!(server.with_world(|world| world.build_ids()).is_empty());
}

#[tokio::test]
async fn a_pipeline_refuses_branches_that_it_does_not_build_unless_its_filters_are_ignored() {
    let disabled = "Branches have been disabled for this pipeline";
    let condition = "Build does not match the pipeline's filter condition";
    let other = json!({"filter_enabled": true, "filter_condition": "build.branch == \"x\""});
    let all = "";
    let some = "release/* !release/old";
    let rules = [
        (json!({"trigger_mode": "none"}), all, disabled),
        (json!({"build_branches": false}), all, disabled),
        (other, all, condition),
        (
            json!({}),
            some,
            "Branch does not match the pipeline's branch filter",
        ),
    ];
    for (settings, filter, message) in rules {
        let (server, caller) = fake().await;
        server.with_world(|world| {
            assert!(world.set_provider_settings("acme", "web", &settings));
            assert!(world.set_branch_filter("acme", "web", filter));
        });
        let refused = trigger(&caller, json!({})).await;
        assert_eq!((refused.status, refused.message().as_str()), (422, message));
        let ignoring = json!({"ignore_pipeline_branch_filters": true});
        assert_eq!(trigger(&caller, ignoring).await.status, 201, "{message}");
    }
}

#[tokio::test]
async fn an_archived_pipeline_takes_no_build_until_it_is_back() {
    let (server, caller) = fake().await;
    server.with_world(|world| world.set_archived("acme", "web", true));
    let ignoring = json!({"ignore_pipeline_branch_filters": true});
    assert_eq!(trigger(&caller, ignoring).await.status, 422);
    server.with_world(|world| world.set_archived("acme", "web", false));
    assert_eq!(trigger(&caller, json!({})).await.status, 201);
}

#[tokio::test]
async fn a_build_needs_the_scope_the_pipeline_and_the_right_in_this_order() {
    let (server, _) = fake().await;
    let with = |token: Token| {
        server.add_token(token);
        Caller::with_token(server.uri(), "other")
    };
    let other = || Token::new("other");
    let caller = with(other().scopes(["read_builds"]));
    let answer = trigger(&caller, json!({})).await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.message(),
        "Your access token doesn't have the write_builds scope"
    );
    let caller = with(other().hide_pipeline("acme", "web"));
    assert_eq!(
        trigger(&caller, json!({})).await.message(),
        "No pipeline found"
    );
    let caller = with(other().read_only_pipeline("acme", "web"));
    let answer = caller.write(Method::POST, BUILDS, &json!({})).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.message(), "You're not allowed to do that");
    let stranger = Caller::with_token(server.uri(), "unknown");
    assert_eq!(trigger(&stranger, json!({})).await.status, 401);
}

#[tokio::test]
async fn older_builds_of_the_branch_give_way_if_the_pipeline_says_so() {
    let (server, caller) = fake().await;
    server.with_world(|world| {
        world.hold_builds();
        world.change_pipeline("acme", "web", |pipeline| {
            pipeline.set("skip_queued_branch_builds", true);
            pipeline.set("cancel_running_branch_builds", true);
            pipeline.set("cancel_running_branch_builds_filter", "!other");
        });
    });
    let running = trigger(&caller, json!({})).await.json()["id"].clone();
    server.with_world(|world| assert!(world.start_build(running.as_str().unwrap())));
    for branch in ["main", "other", "main"] {
        trigger(&caller, json!({ "branch": branch })).await;
    }
    let builds = caller.items(BUILDS).await;
    let states: Vec<&str> = builds
        .iter()
        .filter_map(|build| build["state"].as_str())
        .collect();
    assert_eq!(states, ["scheduled", "scheduled", "skipped", "canceling"]);
}

#[tokio::test]
async fn a_build_is_canceled_once_and_a_finished_one_is_not() {
    let (server, caller) = fake().await;
    server.with_world(World::hold_builds);
    let id = trigger(&caller, json!({})).await.json()["id"].clone();
    let cancel = format!("{BUILDS}/1/cancel");
    server.with_world(|world| world.start_build(id.as_str().unwrap()));
    let canceled = put(&caller, &cancel, json!({})).await;
    assert_eq!(canceled.status, 200);
    assert_eq!(canceled.json()["state"], "canceling");
    assert_eq!(canceled.json()["finished_at"], Value::Null);
    server.with_world(|world| world.finish_canceling(id.as_str().unwrap()));
    let again = put(&caller, &cancel, json!({})).await;
    assert_eq!(again.status, 422);
    assert_eq!(
        again.message(),
        "Build can't be canceled because it's already finished."
    );
    assert_eq!(
        put(&caller, &format!("{BUILDS}/9/cancel"), json!({}))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_rebuild_is_a_build_of_its_own_unless_the_pipeline_allows_none() {
    let (server, _) = fake().await;
    server.add_token(Token::new("sam").user("Sam Rivers"));
    let caller = Caller::with_token(server.uri(), "sam");
    let first = trigger(&caller, json!({"meta_data": {"key": "k"}}))
        .await
        .json();
    let rebuild = format!("{BUILDS}/1/rebuild");
    let answer = put(&caller, &rebuild, json!({})).await;
    assert_eq!(answer.status, 200);
    let made = answer.json();
    assert_eq!(
        (&made["number"], &made["state"]),
        (&json!(2), &json!("scheduled"))
    );
    assert_eq!(made["rebuilt_from"]["id"], first["id"]);
    assert_eq!(made["meta_data"], json!({}));
    assert_eq!(made["creator"]["name"], "Sam Rivers");
    server.with_world(|world| {
        world.change_pipeline("acme", "web", |pipeline| {
            pipeline.set("allow_rebuilds", false)
        })
    });
    assert_eq!(put(&caller, &rebuild, json!({})).await.status, 422);
    assert_eq!(server.with_world(|world| world.build_ids().len()), 2);
}

/// A failed build with a job in each of some states.
fn failed() -> World {
    let job = |id: &str, state: &str| JobFixture::script(id).id(id).state(state);
    world([build()
        .id("b")
        .state("failed")
        .job(job("hard", "failed"))
        .job(job("soft", "failed").field("soft_failed", true))
        .job(job("late", "timed_out"))
        .job(job("good", "passed"))])
}

#[tokio::test]
async fn failed_jobs_are_retried_after_the_answer_that_counts_them() {
    for (body, expected) in [
        (json!({}), 3),
        (json!({"states": "failed"}), 1),
        (json!({"states": "failed, soft_failed"}), 2),
        (json!({"states": "canceled"}), 0),
    ] {
        let server = MockBuildkite::start(failed()).await;
        let caller = Caller::new(&server);
        let answer = put(&caller, &format!("{BUILDS}/1/retry_failed_jobs"), body).await;
        assert_eq!(answer.status, 202);
        assert_eq!(answer.json()["retried_jobs_count"], expected);
        assert_eq!(answer.json()["state"], "failed");
        let jobs = caller.get(&format!("{BUILDS}/1/jobs")).await.json();
        assert_eq!(jobs["items"].as_array().unwrap().len(), 4 + expected);
    }
}

#[tokio::test]
async fn states_that_cannot_be_retried_are_named() {
    let server = MockBuildkite::start(failed()).await;
    let caller = Caller::new(&server);
    let path = format!("{BUILDS}/1/retry_failed_jobs");
    let answer = put(&caller, &path, json!({"states": "invalid,failed"})).await;
    assert_eq!(answer.status, 400);
    let expected = "Invalid states: invalid. Valid states are canceled, expired, failed, \
                    soft_failed, timed_out.";
    assert_eq!(answer.message(), expected);
}
