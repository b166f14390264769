//! Builds that end before their work is done.

use mock_buildkite::{JobFixture, MockBuildkite, World};

use super::{Life, seconds, with_jobs};
use crate::caller::Caller;

#[test]
fn a_build_is_canceling_until_its_running_jobs_have_stopped() {
    let mut life = Life::of(
        with_jobs("running", ["running", "scheduled", "passed"])
            .job(JobFixture::manual("Go?").state("blocked"))
            .job(JobFixture::script("d").state("blocked")),
    );
    assert!(!life.step(World::finish_canceling));
    assert!(life.step(World::cancel_build));
    let jobs = [
        "canceling",
        "canceled",
        "passed",
        "blocked_failed",
        "canceled",
    ];
    life.stands("canceling", &jobs);
    assert_eq!(life.second("finished_at"), None);
    let build = life.build();
    assert!(build["jobs"][0]["finished_at"].is_null());
    assert_eq!(seconds(&build["jobs"][1]["finished_at"]), Some(2));
    assert!(build["jobs"][1]["exit_status"].is_null());
    assert!(!life.step(World::cancel_build));
    assert!(!life.step(|world, id| world.finish_build(id, "passed")));

    assert!(life.step(World::finish_canceling));
    assert_eq!(life.states().0, "canceled");
    assert_eq!(life.second("finished_at"), Some(5));
    let first = &life.build()["jobs"][0];
    assert_eq!(first["state"], "canceled");
    assert_eq!(first["exit_status"], -1);
    assert_eq!(seconds(&first["finished_at"]), Some(5));
    assert!(!life.step(World::cancel_build));
}

#[test]
fn a_build_canceled_before_its_start_ends_at_once_without_one() {
    let mut life = Life::new("scheduled");
    assert!(life.step(World::cancel_build));
    life.stands("canceled", &["canceled", "canceled"]);
    assert_eq!(life.second("started_at"), None);
    assert_eq!(life.second("finished_at"), Some(1));
    assert!(!life.step(World::finish_canceling));
    assert!(!life.step(World::start_build));
}

#[test]
fn nothing_of_a_canceled_build_is_retried_or_released() {
    let block = JobFixture::manual("Go?").state("blocked");
    let mut life = Life::of(with_jobs("failing", ["failed", "running"]).job(block));
    for end in [World::cancel_build, World::finish_canceling] {
        assert!(life.step(end));
        let before = life.build();
        assert_eq!(life.step(|world, id| world.retry_job(id, "j0")), None);
        assert_eq!(life.step(World::retry_first_failed_job), None);
        assert_eq!(life.step(World::retry_job_automatically), None);
        assert!(!life.step(World::unblock_build));
        assert_eq!(life.build(), before);
    }
}

#[tokio::test]
async fn a_skipped_build_has_an_end_unless_the_world_says_otherwise() {
    for (state, job_state, has_no_end) in [
        ("skipped", "skipped", false),
        ("skipped", "skipped", true),
        ("not_run", "broken", false),
        ("not_run", "broken", true),
    ] {
        let mut life = Life::new("creating");
        life.world.skipped_builds_have_no_end(has_no_end);
        let is_done = match state {
            "skipped" => life.step(World::skip_build),
            _ => life.step(World::not_run_build),
        };
        assert!(is_done);
        life.stands(state, &[job_state, job_state]);
        assert_eq!(life.second("started_at"), None);
        assert_eq!(life.second("finished_at"), (!has_no_end).then_some(1));
        assert!(!life.step(World::skip_build) && !life.step(World::not_run_build));
        let server = MockBuildkite::start(life.world).await;
        let caller = Caller::new(&server);
        let found = caller.numbers("finished_from=2000-01-01");
        assert_eq!(found.await.is_empty(), has_no_end);
    }
}

#[test]
fn only_what_has_not_started_is_skipped() {
    let mut life = Life::new("scheduled");
    assert!(!life.step(World::not_run_build));
    assert!(life.step(World::skip_build));
    let mut life = Life::new("running");
    assert!(!life.step(World::skip_build));
    assert!(!life.step(World::not_run_build));
}
