//! A world that changes while it is read.

use std::time::Duration;

use mock_buildkite::{JobFixture, MockBuildkite, World};
use serde_json::Value;

use crate::caller::{BUILDS, Caller, build, numbers, row, texts, time, world};

/// The whole build, retried jobs included.
fn whole(world: &World, id: &str) -> Value {
    serde_json::from_str(&world.build_json(id).expect("the build")).expect("JSON")
}

fn jobs(build: &Value) -> &[Value] {
    build["jobs"].as_array().expect("jobs")
}

#[tokio::test]
async fn a_build_made_between_two_pages_shifts_the_next_page() {
    let server = MockBuildkite::start(row(4)).await;
    server.on_request(|count, world| {
        if count == 2 {
            assert_eq!(world.create_build(build()).number, 5);
        }
    });
    let caller = Caller::new(&server);
    let first = caller.get(&format!("{BUILDS}?per_page=2")).await;
    let second = caller.follow(&first.link("next").unwrap()).await;
    assert_eq!(numbers(&first.items()), [4, 3]);
    assert_eq!(numbers(&second.items()), [3, 2], "the third comes twice");
}

#[tokio::test]
async fn a_build_changed_between_two_pages_leaves_a_filtered_list() {
    let server = MockBuildkite::start(world((0..4).map(|_| build().state("running")))).await;
    server.on_request(|count, world| {
        let newest = world.build_ids().remove(0);
        if count == 2 {
            assert!(world.finish_build(&newest, "failed"));
        }
    });
    let caller = Caller::new(&server);
    let first = caller
        .get(&format!("{BUILDS}?state=running&per_page=2"))
        .await;
    let second = caller.follow(&first.link("next").unwrap()).await;
    assert_eq!(numbers(&first.items()), [4, 3]);
    assert_eq!(numbers(&second.items()), [1], "the second is skipped");
}

#[tokio::test]
async fn a_removed_build_is_gone_everywhere() {
    let server = MockBuildkite::start(world([build().id("gone"), build()])).await;
    let caller = Caller::new(&server);
    assert!(server.with_world(|world| world.remove_build("gone")));
    assert!(!server.with_world(|world| world.remove_build("gone")));
    assert_eq!(caller.numbers("").await, [2]);
    assert_eq!(
        caller.get(&format!("{BUILDS}/1")).await.message(),
        "No build found"
    );
}

#[test]
fn the_number_of_a_removed_build_is_not_given_again() {
    let mut world = world([build().id("gone"), build().id("last")]);
    assert!(world.remove_build("last"));
    assert_eq!(world.create_build(build()).number, 3);
}

#[test]
fn builds_created_before_a_time_age_out_together() {
    let mut world = row(3);
    assert_eq!(world.age_out(time("2026-03-01T00:01:00Z")), 1);
    assert_eq!(world.age_out(time("2026-03-01T00:01:00Z")), 0);
    assert_eq!(world.build_ids().len(), 2);
    assert_eq!(world.age_out(time("2027-01-01T00:00:00Z")), 2);
    assert_eq!(world.create_build(build()).number, 4);
}

#[tokio::test]
async fn a_changed_build_is_filtered_by_what_it_is_now() {
    let server = MockBuildkite::start(world([build().id("one").branch("dev")])).await;
    let caller = Caller::new(&server);
    server.with_world(|world| {
        let is_known = world.change_build("one", |build| {
            build.set("branch", "main");
            build.set("created_at", "2020-01-01T00:00:00.000Z");
            build.set("brand_new", 1.5);
        });
        assert!(is_known);
        assert!(!world.change_build("none", |_| {}));
    });
    assert_eq!(caller.numbers("branch=dev").await, Vec::<u64>::new());
    let list = caller
        .items(&format!("{BUILDS}?branch=main&created_to=2020-01-02"))
        .await;
    assert_eq!(list[0]["brand_new"], 1.5);
}

#[test]
fn a_build_gets_the_next_number_and_its_own_addresses() {
    let mut world = world([build().number(41)]);
    let made = world.create_build(build().job(JobFixture::script("a")));
    assert_eq!(made.number, 42);
    let build = whole(&world, &made.id);
    let address = "https://api.buildkite.com/v2/organizations/acme/pipelines/web/builds/42";
    assert_eq!(build["url"], address);
    assert_eq!(jobs(&build)[0]["build_url"], address);
    assert_eq!(build["pipeline"]["slug"], "web");
    let web = jobs(&build)[0]["web_url"].as_str().unwrap();
    let id = jobs(&build)[0]["id"].as_str().unwrap();
    assert_eq!(
        web,
        format!("https://buildkite.com/acme/web/builds/42#{id}")
    );
}

#[test]
fn a_retry_puts_a_new_job_right_after_the_old_one_and_reopens_the_build() {
    let mut world = world([build()
        .id("b")
        .state("failed")
        .created_at(time("2026-01-01T00:00:00Z"))
        .job(JobFixture::script("a").id("a").state("failed"))
        .job(JobFixture::script("b").id("1"))]);
    world.create_build(build());
    let before = whole(&world, "b");
    let new = world.retry_job("b", "a").unwrap();

    let after = whole(&world, "b");
    assert_eq!(after["state"], "running");
    assert!(after["finished_at"].is_null());
    assert_eq!(after["created_at"], before["created_at"]);
    assert_ne!(after["started_at"], before["started_at"]);
    assert_eq!(texts(jobs(&after), "id"), ["a", &new, "1"]);
    let [old, fresh] = [&jobs(&after)[0], &jobs(&after)[1]];
    assert_eq!(
        (&old["retried"], &old["retried_in_job_id"]),
        (&true.into(), &new.clone().into())
    );
    assert_eq!(
        (&old["retry_type"], &old["state"]),
        (&"manual".into(), &"failed".into())
    );
    assert!(old["retried_by"]["id"].is_string());
    assert_eq!(
        fresh["retry_source"],
        serde_json::json!({"job_id": "a", "retry_type": "manual"})
    );
    assert_eq!(
        (&fresh["retries_count"], &fresh["state"]),
        (&1.into(), &"scheduled".into())
    );
    assert_eq!(fresh["scheduled_at"], old["scheduled_at"]);
    assert_ne!(fresh["created_at"], old["created_at"]);
    for key in [
        "exit_status",
        "agent",
        "started_at",
        "finished_at",
        "retried_by",
        "retry_type",
    ] {
        assert!(fresh[key].is_null(), "{key}");
    }
    assert_eq!(
        (&fresh["command"], &fresh["step"]),
        (&old["command"], &old["step"])
    );
    assert!(
        fresh["log_url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/jobs/{new}/log"))
    );
    assert!(
        fresh["web_url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("#{new}"))
    );

    assert_eq!(world.retry_job("b", "a"), None, "a job is retried once");
    assert_eq!(world.retry_job("b", "none"), None);
    assert_eq!(world.retry_job("b", &new), None, "it has not ended");
    assert!(world.start_job("b") && world.fail_job("b"));
    let third = world.retry_job("b", &new).unwrap();
    let last = whole(&world, "b");
    assert_eq!(jobs(&last)[2]["id"], third.as_str());
    assert_eq!(jobs(&last)[2]["retries_count"], 2);
    assert_eq!(jobs(&last)[2]["retry_source"]["job_id"], new.as_str());
}

#[test]
fn an_unblocked_build_runs_again_from_now_on() {
    let mut world = world([build()
        .id("b")
        .blocked()
        .created_at(time("2026-01-01T00:00:00Z"))
        .job(JobFixture::script("a"))
        .job(JobFixture::manual("Go?").state("blocked"))
        .job(JobFixture::script("c").state("blocked"))]);
    assert!(world.unblock_build("b"));

    let build = whole(&world, "b");
    assert_eq!(
        (&build["state"], &build["blocked"]),
        (&"running".into(), &false.into())
    );
    assert!(build["finished_at"].is_null());
    assert_eq!(
        texts(jobs(&build), "state"),
        ["passed", "unblocked", "scheduled"]
    );
    assert_eq!(jobs(&build)[1]["unblocked_at"], build["started_at"]);
    assert_eq!(jobs(&build)[1]["unblockable"], false);
    assert!(!world.unblock_build("b"), "nothing is blocked any more");
}

#[tokio::test]
async fn a_finished_build_is_found_by_its_new_end() {
    let server = MockBuildkite::start(world([build()
        .id("b")
        .state("running")
        .job(JobFixture::script("a").state("running"))
        .job(JobFixture::script("b").state("scheduled"))]))
    .await;
    server.clock().advance(Duration::from_secs(90));
    assert!(server.with_world(|world| world.finish_build("b", "passed")));
    let caller = Caller::new(&server);
    assert_eq!(
        caller.numbers("finished_from=2026-08-20T12:01:30Z").await,
        [1]
    );
    let build = &caller.items(BUILDS).await[0];
    assert_eq!(build["finished_at"], "2026-08-20T12:01:30.000Z");
    for job in jobs(build) {
        assert_eq!(
            (&job["state"], &job["exit_status"]),
            (&"passed".into(), &0.into())
        );
        assert!(job["started_at"].is_string());
        assert_eq!(job["finished_at"], build["finished_at"]);
    }
    assert!(!server.with_world(|world| world.finish_build("none", "passed")));
}

#[test]
fn what_had_not_run_when_a_build_ended_says_so() {
    for (state, expected) in [
        (
            "failed",
            [
                "passed",
                "waiting_failed",
                "blocked_failed",
                "blocked_failed",
            ],
        ),
        (
            "canceled",
            ["canceled", "canceled", "blocked_failed", "canceled"],
        ),
    ] {
        let mut world = world([build()
            .id("b")
            .state("running")
            .job(JobFixture::script("a").state("running"))
            .job(JobFixture::script("b").state("waiting"))
            .job(JobFixture::manual("Go?").state("blocked"))
            .job(JobFixture::script("d").state("blocked"))]);
        assert!(world.finish_build("b", state));
        let build = whole(&world, "b");
        assert_eq!(build["state"], state);
        assert_eq!(texts(jobs(&build), "state"), expected);
        assert_eq!(jobs(&build)[2]["unblockable"], false);
        let has_end: Vec<_> = jobs(&build)
            .iter()
            .map(|job| job["finished_at"].is_string())
            .collect();
        assert_eq!(
            has_end,
            [true, state == "canceled", false, state == "canceled"]
        );
    }
}
