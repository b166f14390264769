//! What holds for all moves, in whatever order.

use std::time::Duration;

use mock_buildkite::{JobFixture, MockBuildkite, World};
use serde_json::Value;

use super::{Life, with_jobs};
use crate::caller::{BUILDS, Caller, build, texts, world};

#[test]
fn no_move_is_made_by_a_build_that_is_not_there() {
    let mut world = world([build()]);
    let moves: [fn(&mut World, &str) -> bool; 11] = [
        World::schedule_build,
        World::start_build,
        World::start_job,
        World::pass_job,
        World::fail_job,
        World::block_build,
        World::unblock_build,
        World::cancel_build,
        World::finish_canceling,
        World::skip_build,
        World::not_run_build,
    ];
    for step in moves {
        assert!(!step(&mut world, "none"));
    }
    assert_eq!(world.retry_first_failed_job("none"), None);
}

#[tokio::test]
async fn a_build_moves_from_filter_to_filter_as_it_lives() {
    let server = MockBuildkite::start(world([with_jobs("scheduled", ["scheduled"]).id("b")])).await;
    let caller = Caller::new(&server);
    let step = |step: fn(&mut World, &str) -> bool| {
        server.clock().advance(Duration::from_secs(60));
        assert!(server.with_world(|world| step(world, "b")));
    };
    assert_eq!(caller.numbers("state=scheduled").await, [1]);
    step(World::start_build);
    assert_eq!(caller.numbers("state=running").await, [1]);
    step(World::fail_job);
    assert_eq!(
        caller
            .numbers("state=failed&finished_from=2026-08-20T12:02:00Z")
            .await,
        [1]
    );
    assert!(server.with_world(|world| world.retry_first_failed_job("b").is_some()));
    let found = caller.numbers("finished_from=2000-01-01").await;
    assert!(found.is_empty(), "it has no end any more: {found:?}");
    step(World::start_job);
    step(World::cancel_build);
    assert_eq!(caller.numbers("state=canceling").await, [1]);
    step(World::finish_canceling);
    assert_eq!(
        caller.items(BUILDS).await[0]["finished_at"],
        "2026-08-20T12:05:00.000Z"
    );
}

/// Any moves in any order: after each, the build says nothing that the API would never say.
#[test]
fn no_order_of_moves_leads_to_a_build_that_contradicts_itself() {
    let moves: [fn(&mut World, &str) -> bool; 16] = [
        World::schedule_build,
        World::start_build,
        World::start_job,
        World::pass_job,
        World::fail_job,
        World::start_job,
        World::pass_job,
        World::block_build,
        World::unblock_build,
        World::cancel_build,
        World::finish_canceling,
        World::skip_build,
        World::not_run_build,
        |world, id| world.retry_first_failed_job(id).is_some(),
        |world, id| world.retry_job_automatically(id).is_some(),
        |world, id| world.finish_build(id, "passed"),
    ];
    let mut rng: u64 = 7;
    for history in 0..50 {
        let mut life = Life::of(
            with_jobs("creating", ["scheduled", "scheduled"])
                .job(JobFixture::waiter())
                .job(JobFixture::script("c").state("waiting"))
                .job(JobFixture::manual("Go?").state("blocked"))
                .job(JobFixture::script("e").state("blocked")),
        );
        for _ in 0..40 {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(rng >> 33).unwrap() % moves.len();
            let before = life.build();
            let is_done = life.step(moves[at]);
            let after = life.build();
            assert_eq!(is_done, before != after, "{history}: move {at}: {after}");
            agrees_with_itself(&after);
        }
    }
}

fn agrees_with_itself(build: &Value) {
    let state = build["state"].as_str().expect("a state");
    let is_open = matches!(
        state,
        "creating" | "scheduled" | "running" | "failing" | "canceling"
    );
    assert_eq!(build["finished_at"].is_null(), is_open, "{build}");
    let is_new = matches!(state, "creating" | "scheduled" | "skipped" | "not_run");
    assert!(!is_new || build["started_at"].is_null(), "{build}");
    assert!(
        is_new || state == "canceled" || build["started_at"].is_string(),
        "{build}"
    );
    assert!(
        state != "failing" || build["failing_at"].is_string(),
        "{build}"
    );
    assert!(build["blocked"] == false || state == "passed", "{build}");
    let jobs = build["jobs"].as_array().expect("jobs");
    let states = texts(jobs, "state");
    let has = |one: &str| states.iter().any(|state| state == one);
    assert!(is_open || !(has("running") || has("canceling")), "{build}");
    assert!(state == "canceling" || !has("canceling"), "{build}");
    assert_eq!(state == "not_run", has("broken"), "{build}");
    for job in jobs.iter().filter(|job| job["type"] == "script") {
        let state = job["state"].as_str().expect("a state");
        let is_over = matches!(state, "passed" | "failed" | "canceled");
        assert_eq!(job["finished_at"].is_string(), is_over, "{job}");
        assert_eq!(job["retried"] == true, job["retried_in_job_id"].is_string());
    }
}
