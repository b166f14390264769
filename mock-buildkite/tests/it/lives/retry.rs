//! Attempts that take the place of others, and builds made of others.

use mock_buildkite::{JobFixture, World};
use serde_json::{Value, json};

use super::{Life, with_jobs};
use crate::caller::{build, texts};

#[test]
fn an_automatic_retry_is_asked_for_by_nobody() {
    let mut life = Life::of(with_jobs("running", ["running", "running"]));
    assert_eq!(life.step(World::retry_job_automatically), None);
    assert!(life.step(World::fail_job));
    let new = life.step(World::retry_job_automatically).unwrap();
    life.stands("running", &["failed", "scheduled", "running"]);
    assert_eq!(life.second("failing_at"), Some(2), "kept");
    assert_eq!(life.second("started_at"), Some(0), "it had not ended");
    let [old, fresh] = [0, 1].map(|at| life.build()["jobs"][at].clone());
    assert_eq!(old["retry_type"], "automatic");
    assert!(old["retried_by"].is_null());
    assert_eq!(old["retried_in_job_id"], new.as_str());
    let source = json!({"job_id": "j0", "retry_type": "automatic"});
    assert_eq!(fresh["retry_source"], source);
    assert_eq!(life.step(World::retry_job_automatically), None);
}

#[test]
fn a_rule_gives_up_after_ten_attempts_and_a_person_does_not() {
    let mut life = Life::of(with_jobs("running", ["running"]));
    assert!(life.step(World::fail_job));
    for _ in 0..10 {
        assert!(life.step(World::retry_job_automatically).is_some());
        assert!(life.step(World::start_job) && life.step(World::fail_job));
    }
    assert_eq!(life.step(World::retry_job_automatically), None);
    assert!(life.step(World::retry_first_failed_job).is_some());
}

#[test]
fn a_retried_build_ends_again_and_later() {
    let mut life = Life::of(with_jobs("running", ["running", "passed"]));
    assert!(life.step(World::fail_job));
    assert_eq!(life.second("finished_at"), Some(1));
    let new = life.step(World::retry_first_failed_job).unwrap();
    life.stands("running", &["failed", "scheduled", "passed"]);
    assert_eq!(life.second("finished_at"), None);
    assert_eq!(life.second("started_at"), Some(2), "it moves");
    assert_eq!(life.build()["jobs"][0]["retry_type"], "manual");
    let early = life.step(|world, id| world.retry_job(id, &new));
    assert_eq!(early, None, "it has not ended");
    assert!(life.step(World::start_job) && life.step(World::pass_job));
    life.stands("passed", &["failed", "passed", "passed"]);
    assert_eq!(life.second("finished_at"), Some(5));
}

#[test]
fn a_build_with_another_failed_job_is_failing_when_one_is_retried() {
    let mut life = Life::of(with_jobs("failed", ["failed", "failed"]));
    assert!(life.step(World::retry_first_failed_job).is_some());
    life.stands("failing", &["failed", "scheduled", "failed"]);
    assert_eq!(life.second("failing_at"), Some(1));
    assert!(life.step(World::retry_first_failed_job).is_some());
    life.stands("running", &["failed", "scheduled", "failed", "scheduled"]);
    assert_eq!(life.second("failing_at"), Some(1));
}

#[test]
fn a_rebuild_is_a_new_build_of_the_same_commit_without_meta_data() {
    let mut life = Life::of(
        with_jobs("passed", ["passed"])
            .branch("dev")
            .meta_data("release", "1.0")
            .job(
                JobFixture::script("again")
                    .id("j1")
                    .retried_in("j2")
                    .state("failed"),
            )
            .job(JobFixture::waiter())
            .job(JobFixture::script("later").id("j2")),
    );
    life.world.create_build(build());
    let original = life.build();
    let made = life.step(World::rebuild).unwrap();
    assert_eq!(made.number, 3);
    let mut unchanged = life.build();
    // Its pipeline has one more scheduled build now.
    unchanged["pipeline"] = original["pipeline"].clone();
    assert_eq!(unchanged, original);

    let text = life.world.build_json(&made.id).unwrap();
    let new: Value = serde_json::from_str(&text).unwrap();
    let from = json!({"id": "b", "number": 1, "url": original["url"]});
    assert_eq!(new["rebuilt_from"], from);
    assert_eq!(new["meta_data"], json!({}));
    for (key, expected) in [
        ("id", made.id.as_str()),
        ("source", "api"),
        ("state", "scheduled"),
        ("branch", "dev"),
        ("created_at", "2026-08-20T12:00:01.000Z"),
        ("web_url", "https://buildkite.com/acme/web/builds/3"),
    ] {
        assert_eq!(new[key], expected, "{key}");
    }
    assert!(new["started_at"].is_null() && new["finished_at"].is_null());
    let jobs = new["jobs"].as_array().unwrap();
    assert_eq!(texts(jobs, "state"), ["scheduled", "", "waiting"]);
    assert_eq!(jobs[0]["build_url"], new["url"]);
    let log = format!(
        "{}/jobs/{}/log",
        new["url"].as_str().unwrap(),
        jobs[0]["id"].as_str().unwrap()
    );
    assert_eq!(jobs[0]["log_url"], log);
    assert!(jobs[0]["exit_status"].is_null() && jobs[2]["runnable_at"].is_null());
    assert_eq!(life.world.rebuild("none"), None);
}
