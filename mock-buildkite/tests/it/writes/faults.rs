//! Faults of writes: what was done is done, whether it is told or not.

use std::time::Duration;

use mock_buildkite::{Fault, LimitScope, MockBuildkite, When, World};
use reqwest::Method;
use serde_json::json;

use super::{fake, trigger};
use crate::caller::{BUILDS, Caller};

const BODY: &str = r#"{"commit":"HEAD","branch":"main"}"#;

fn count(server: &MockBuildkite) -> usize {
    server.with_world(|world| world.build_ids().len())
}

#[tokio::test]
async fn a_lost_answer_leaves_a_build_behind_and_a_connection_closed_before_none() {
    for (fault, expected, status) in [(Fault::LostAnswer, 1, 201), (Fault::ClosedBefore, 0, 0)] {
        let (server, caller) = fake().await;
        server.fail_when(fault, When::method("POST").path("/builds"));
        assert!(
            caller.try_get(BUILDS, None).await.is_ok(),
            "a read is not meant"
        );
        assert!(caller.try_write(Method::POST, BUILDS, BODY).await.is_err());
        assert_eq!(count(&server), expected);
        let seen = server.write_requests();
        assert_eq!(seen.len(), 1, "sent once, not again by itself");
        assert_eq!((seen[0].status, seen[0].is_lost), (status, true));
        assert_eq!(trigger(&caller, json!({})).await.status, 201);
    }
}

#[tokio::test]
async fn a_status_comes_before_or_after_the_build_is_made() {
    for (fault, expected) in [(Fault::StatusAfter(502), 1), (Fault::status(502), 0)] {
        let (server, caller) = fake().await;
        server.fail_when(fault, When::write());
        assert_eq!(trigger(&caller, json!({})).await.status, 502);
        assert_eq!(count(&server), expected);
    }
}

#[tokio::test]
async fn a_limit_that_is_reached_by_a_write_makes_nothing() {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    let server = MockBuildkite::builder(world).rate_limit_user(2).start();
    let server = server.await.unwrap();
    let caller = Caller::new(&server);
    for status in [201, 201, 429] {
        assert_eq!(trigger(&caller, json!({})).await.status, status);
    }
    assert_eq!(count(&server), 2);
    let limited = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 7,
        has_details: true,
    };
    server.clock().advance(Duration::from_secs(60));
    server.fail_when(limited, When::write().always().chance(1.0, 1));
    assert_eq!(trigger(&caller, json!({})).await.status, 429);
    assert_eq!(count(&server), 2);
}

#[tokio::test]
async fn chance_strikes_the_same_requests_for_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (server, caller) = fake().await;
        server.fail_when(
            Fault::StatusAfter(503),
            When::write().always().chance(0.5, 3),
        );
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(trigger(&caller, json!({})).await.status);
        }
        assert!(statuses.contains(&201) && statuses.contains(&503));
        assert_eq!(count(&server), 12);
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn the_filter_by_meta_data_finds_a_build_only_after_the_delay() {
    let (server, caller) = fake().await;
    server.set_meta_data_delay(Duration::from_secs(5));
    trigger(&caller, json!({"meta_data": {"key": "k"}})).await;
    let found = || caller.numbers("meta_data[key]=k");
    assert!(found().await.is_empty());
    assert_eq!(caller.numbers("branch=main").await, [1]);
    server.clock().advance(Duration::from_millis(4999));
    assert!(found().await.is_empty());
    server.clock().advance(Duration::from_millis(1));
    assert_eq!(found().await, [1]);
}

#[tokio::test]
async fn requests_are_kept_with_their_bodies_and_reads_are_no_writes() {
    let (server, caller) = fake().await;
    caller.get(BUILDS).await;
    assert_eq!(server.write_requests(), []);
    caller.try_write(Method::POST, BUILDS, BODY).await.unwrap();
    caller.delete("/v2/organizations/acme/pipelines/none").await;
    let writes = server.write_requests();
    let seen: Vec<_> = writes
        .iter()
        .map(|seen| (&*seen.method, &*seen.path, &*seen.body, seen.status))
        .collect();
    let pipeline = "/v2/organizations/acme/pipelines/none";
    assert_eq!(
        seen,
        [("POST", BUILDS, BODY, 201), ("DELETE", pipeline, "", 404)]
    );
    assert_eq!(server.requests().len(), 3);
}
