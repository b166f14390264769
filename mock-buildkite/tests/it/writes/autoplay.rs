//! Builds made over the API move on as the clock goes.

use std::time::Duration;

use mock_buildkite::MockBuildkite;
use serde_json::{Value, json};

use super::{fake, put, states, trigger};
use crate::caller::{BUILDS, Caller, build, world};

async fn state_after(server: &MockBuildkite, caller: &Caller, seconds: u64) -> Value {
    server.clock().advance(Duration::from_secs(seconds));
    caller.get(&format!("{BUILDS}/1")).await.json()
}

#[tokio::test]
async fn a_build_starts_and_passes_in_its_own_time() {
    let (server, caller) = fake().await;
    let made = trigger(&caller, json!({})).await.json();
    assert_eq!(state_after(&server, &caller, 4).await["state"], "scheduled");
    let running = state_after(&server, &caller, 1).await;
    assert_eq!(running["state"], "running");
    assert_eq!(states(&running), ["running"]);
    let done = state_after(&server, &caller, 3600).await;
    assert_eq!(done["state"], "passed");
    assert_eq!(made["created_at"], "2026-08-20T12:00:00.000Z");
    assert_eq!(done["started_at"], "2026-08-20T12:00:05.000Z");
    assert_eq!(done["finished_at"], "2026-08-20T12:00:25.000Z");
}

#[tokio::test]
async fn jobs_that_are_to_fail_do_so_as_often_as_said() {
    let (server, caller) = fake().await;
    let steps = json!([{"command": "make"}, {"command": "lint"}, "wait", {"command": "deploy"}]);
    server.with_world(|world| {
        world.set_steps("acme", "web", &steps);
        world.fail_jobs("lint", 1);
    });
    trigger(&caller, json!({})).await;
    let failed = state_after(&server, &caller, 60).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(states(&failed), ["passed", "failed", "", "waiting_failed"]);
    let retry = format!("{BUILDS}/1/retry_failed_jobs");
    assert_eq!(put(&caller, &retry, json!({})).await.status, 202);
    let passed = state_after(&server, &caller, 120).await;
    assert_eq!(passed["state"], "passed");
    assert_eq!(states(&passed), ["passed", "passed", "", "passed"]);
}

#[tokio::test]
async fn a_build_stops_at_a_block_step_and_goes_on_once_it_is_released() {
    let (server, caller) = fake().await;
    let steps = json!([
        {"command": "make"},
        {"block": "Release?", "fields": [{"text": "Version", "key": "version", "required": true}]},
        {"command": "deploy"}, "wait", {"command": "smoke"}, {"block": "More?"}, {"command": "more"},
    ]);
    server.with_world(|world| world.set_steps("acme", "web", &steps));
    trigger(&caller, json!({})).await;
    let blocked = state_after(&server, &caller, 60).await;
    assert_eq!(
        (&blocked["blocked"], &blocked["state"]),
        (&json!(true), &json!("passed"))
    );
    let block = blocked["jobs"][1]["id"].as_str().unwrap();
    let unblock = format!("{BUILDS}/1/jobs/{block}/unblock");
    let missing = put(&caller, &unblock, json!({})).await;
    assert_eq!(
        missing.json()["errors"],
        json!([{"field": "version", "code": "missing"}])
    );
    let released = put(&caller, &unblock, json!({"fields": {"version": 7}})).await;
    assert_eq!(released.status, 200);
    let on = state_after(&server, &caller, 0).await;
    assert_eq!(on["meta_data"], json!({"version": "7"}));
    let expected = [
        "passed",
        "unblocked",
        "scheduled",
        "",
        "waiting",
        "blocked",
        "blocked",
    ];
    assert_eq!(states(&on), expected);
    let blocked = state_after(&server, &caller, 120).await;
    assert_eq!(blocked["blocked"], true);
    assert_eq!(states(&blocked)[4..], ["passed", "blocked", "blocked"]);
}

#[tokio::test]
async fn a_canceled_build_comes_to_its_end_by_the_clock() {
    let (server, caller) = fake().await;
    trigger(&caller, json!({})).await;
    assert_eq!(state_after(&server, &caller, 5).await["state"], "running");
    put(&caller, &format!("{BUILDS}/1/cancel"), json!({})).await;
    assert_eq!(state_after(&server, &caller, 4).await["state"], "canceling");
    let canceled = state_after(&server, &caller, 1).await;
    assert_eq!(canceled["state"], "canceled");
    assert_eq!(state_after(&server, &caller, 3600).await, canceled);
}

#[tokio::test]
async fn builds_that_a_test_put_there_stay_as_they_are() {
    let server = MockBuildkite::start(world([build().state("scheduled")])).await;
    let caller = Caller::new(&server);
    assert_eq!(
        state_after(&server, &caller, 3600).await["state"],
        "scheduled"
    );
}

#[tokio::test]
async fn the_pace_can_be_set_and_stopped() {
    let (server, caller) = fake().await;
    server.with_world(|world| world.hold_builds());
    trigger(&caller, json!({})).await;
    assert_eq!(
        state_after(&server, &caller, 3600).await["state"],
        "scheduled"
    );
    let second = Duration::from_secs(1);
    server.with_world(|world| world.set_build_timing(second, second));
    assert_eq!(state_after(&server, &caller, 2).await["state"], "passed");
    server.with_world(|world| world.set_build_timing(Duration::ZERO, Duration::ZERO));
    assert_eq!(
        trigger(&caller, json!({})).await.json()["state"],
        "scheduled"
    );
    let second = caller.get(&format!("{BUILDS}/2")).await.json();
    assert_eq!(second["state"], "passed");
}
