//! Builds that a block step holds.

use mock_buildkite::{JobFixture, MockBuildkite, World};

use super::{Life, with_jobs};
use crate::caller::Caller;

#[test]
fn a_build_that_reaches_its_block_step_is_blocked_and_says_passed() {
    let fixture = with_jobs("running", ["running"])
        .job(JobFixture::manual("Go?").state("blocked"))
        .job(JobFixture::script("c").state("blocked"));
    let moves: [fn(&mut World, &str) -> bool; 2] = [World::pass_job, World::block_build];
    for reach in moves {
        let mut life = Life::of(fixture.clone());
        assert!(life.step(reach));
        life.stands("passed", &["passed", "blocked", "blocked"]);
        let build = life.build();
        assert_eq!(build["blocked"], true);
        assert_eq!(build["blocked_state"], "");
        assert_eq!(life.second("finished_at"), Some(1));
        assert!(!life.step(World::block_build));
        assert!(!life.step(World::cancel_build), "it counts as finished");
        assert!(!life.step(|world, id| world.finish_build(id, "passed")));

        assert!(life.step(World::unblock_build));
        life.stands("running", &["passed", "unblocked", "scheduled"]);
        assert_eq!(life.second("started_at"), Some(5));
        assert_eq!(life.second("finished_at"), None);
        assert!(life.step(World::start_job) && life.step(World::pass_job));
        life.stands("passed", &["passed", "unblocked", "passed"]);
        assert_eq!(life.build()["blocked"], false);
        assert_eq!(life.second("finished_at"), Some(7));
    }
}

#[test]
fn a_build_without_a_block_step_gets_one_to_be_blocked_by() {
    let mut life = Life::of(with_jobs("running", ["running", "scheduled"]));
    assert!(life.step(World::block_build));
    life.stands("passed", &["passed", "passed", "blocked"]);
    let block = &life.build()["jobs"][2];
    let id = block["id"].as_str().unwrap();
    let url = life.build()["url"].as_str().unwrap().to_owned();
    assert_eq!(block["unblock_url"], format!("{url}/jobs/{id}/unblock"));
    assert!(life.step(World::unblock_build));
    assert!(life.step(World::block_build), "and another one");
    life.stands("passed", &["passed", "passed", "unblocked", "blocked"]);
    assert!(!Life::new("scheduled").step(World::block_build));
}

#[tokio::test]
async fn a_blocked_build_may_have_no_end_and_is_still_listed_as_blocked() {
    let mut life = Life::of(with_jobs("running", ["running"]));
    life.world.blocked_builds_have_no_end(true);
    assert!(life.step(World::block_build));
    assert_eq!(life.second("finished_at"), None);

    let server = MockBuildkite::start(life.world).await;
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("state=blocked").await, [1]);
    let none: [u64; 0] = [];
    assert_eq!(caller.numbers("finished_from=2000-01-01").await, none);
    server.with_world(|world| {
        world.blocked_builds_have_no_end(false);
        assert!(world.unblock_build("b") && world.block_build("b"));
    });
    assert_eq!(caller.numbers("finished_from=2000-01-01").await, [1]);
}
