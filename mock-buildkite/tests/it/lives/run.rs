//! From the first job to the end of a build.

use mock_buildkite::{JobFixture, World};
use serde_json::Value;

use super::{Life, seconds, with_jobs};

#[test]
fn a_build_passes_from_its_creation_to_its_end_job_by_job() {
    let mut life = Life::new("creating");
    assert!(life.step(World::schedule_build));
    life.stands("scheduled", &["scheduled", "scheduled"]);
    assert_eq!(life.second("started_at"), None);
    assert!(!life.step(World::schedule_build));

    assert!(life.step(World::start_build));
    life.stands("running", &["running", "scheduled"]);
    assert_eq!(life.second("started_at"), Some(3));
    assert!(!life.step(World::start_build), "it runs already");

    assert!(life.step(World::start_job));
    assert!(!life.step(World::start_job), "none is due any more");
    assert!(life.step(World::pass_job));
    life.stands("running", &["passed", "running"]);
    assert_eq!(life.second("finished_at"), None);
    assert!(life.step(World::pass_job));
    life.stands("passed", &["passed", "passed"]);
    assert_eq!(life.second("started_at"), Some(3));
    assert_eq!(life.second("finished_at"), Some(8));
    let last = &life.build()["jobs"][1];
    assert_eq!(seconds(&last["started_at"]), Some(5));
    assert_eq!(seconds(&last["finished_at"]), Some(8));
    assert!(!life.step(World::pass_job));
    assert!(!life.step(World::start_build), "it has ended");
}

#[test]
fn a_new_build_and_one_without_jobs_may_start_at_once() {
    for jobs in [vec!["scheduled"], vec![]] {
        let mut life = Life::of(with_jobs("creating", jobs));
        assert!(life.step(World::start_build));
        assert_eq!(life.states().0, "running");
        assert_eq!(life.second("started_at"), Some(1));
    }
}

#[test]
fn a_failed_job_lets_the_build_fail_while_others_are_open_and_then_for_good() {
    let mut life = Life::of(with_jobs("running", ["running", "running", "scheduled"]));
    assert!(life.step(World::fail_job));
    life.stands("failing", &["failed", "running", "scheduled"]);
    assert_eq!(life.second("failing_at"), Some(1));
    assert_eq!(life.second("finished_at"), None);
    assert_eq!(life.build()["jobs"][0]["exit_status"], 1);

    assert!(life.step(World::fail_job));
    assert_eq!(life.second("failing_at"), Some(1), "set once");
    assert!(!life.step(World::fail_job), "none runs");
    assert!(life.step(World::start_job));
    assert!(life.step(World::pass_job));
    life.stands("failed", &["failed", "failed", "passed"]);
    assert_eq!(life.second("finished_at"), Some(5));
    assert!(!life.step(World::fail_job));
}

#[test]
fn what_waits_behind_a_failed_job_fails_in_place() {
    let mut life = Life::of(
        with_jobs("running", ["running", "waiting"])
            .job(JobFixture::manual("Go?").state("blocked"))
            .job(JobFixture::script("c").state("blocked")),
    );
    assert!(life.step(World::fail_job));
    life.stands(
        "failed",
        &[
            "failed",
            "waiting_failed",
            "blocked_failed",
            "blocked_failed",
        ],
    );
    assert_eq!(life.build()["failing_at"], Value::Null);

    assert!(life.step(World::retry_first_failed_job).is_some());
    let waits = ["failed", "scheduled", "waiting", "blocked", "blocked"];
    life.stands("running", &waits);
    assert_eq!(life.build()["jobs"][3]["unblockable"], true);
}

#[test]
fn a_wait_step_lets_the_jobs_behind_it_run_once_those_before_it_have_passed() {
    let mut life = Life::of(
        with_jobs("running", ["running"])
            .job(JobFixture::waiter())
            .job(JobFixture::script("b").state("waiting"))
            .job(JobFixture::script("c").state("waiting"))
            .job(JobFixture::waiter())
            .job(JobFixture::script("d").state("waiting")),
    );
    assert!(life.step(World::pass_job));
    let jobs = ["passed", "", "scheduled", "scheduled", "", "waiting"];
    life.stands("running", &jobs);
    assert_eq!(seconds(&life.build()["jobs"][2]["runnable_at"]), Some(1));
}

#[test]
fn a_failing_build_does_not_pass_and_one_that_has_ended_does_not_end_again() {
    let mut life = Life::of(with_jobs("failing", ["failed", "running"]));
    let finish =
        |state: &'static str| move |world: &mut World, id: &str| world.finish_build(id, state);
    assert!(!life.step(finish("passed")));
    assert!(!life.step(finish("sleeping")));
    assert!(life.step(finish("failed")));
    assert!(!life.step(finish("failed")));
    assert!(!life.step(finish("canceled")));
    assert_eq!(life.second("finished_at"), Some(3));
}
