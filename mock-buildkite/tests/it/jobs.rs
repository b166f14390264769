//! The jobs list with its cursors, and the single job by both routes.

use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite};
use serde_json::Value;

use crate::caller::{Answer, BUILDS, Caller, build, keys, texts, world};

/// A build of seven script jobs, `job-0` to `job-6`.
fn seven() -> BuildFixture {
    let job = |at| JobFixture::script("Test").id(&format!("job-{at}"));
    (0..7).fold(build(), |build, at| build.job(job(at)))
}

fn ids(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    texts(body["items"].as_array().expect("items"), "id")
}

fn link(answer: &Answer, rel: &str) -> Option<String> {
    answer.json()["links"][rel].as_str().map(str::to_owned)
}

#[tokio::test]
async fn following_next_shows_every_job_once_in_the_order_of_the_build() {
    let server = MockBuildkite::start(world([seven()])).await;
    let caller = Caller::new(&server);
    let mut answer = caller.get(&format!("{BUILDS}/1/jobs?per_page=3")).await;
    let mut pages = vec![ids(&answer)];
    assert_eq!(keys(&answer.json()["links"]), ["self", "first", "next"]);
    for _ in 0..10 {
        let Some(next) = link(&answer, "next") else {
            break;
        };
        assert!(next.starts_with(&format!("{}{BUILDS}/1/jobs?", server.uri())));
        answer = caller.follow(&next).await;
        pages.push(ids(&answer));
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let whole = caller
        .get(&format!("{BUILDS}/1?include_retried_jobs=true"))
        .await
        .json();
    assert_eq!(
        pages.concat(),
        texts(whole["jobs"].as_array().unwrap(), "id")
    );

    let back = caller.follow(&link(&answer, "prev").unwrap()).await;
    assert_eq!(ids(&back), pages[1]);
    let first = caller.follow(&link(&answer, "first").unwrap()).await;
    assert_eq!(ids(&first), pages[0]);
    let again = caller.follow(&link(&answer, "self").unwrap()).await;
    assert_eq!(ids(&again), pages[2]);
    assert_eq!(answer.header("link"), None);
}

#[tokio::test]
async fn a_page_holds_30_jobs_unless_asked_otherwise() {
    let many = (0..40).fold(build(), |build, _| build.job(JobFixture::script("Test")));
    let server = MockBuildkite::start(world([many])).await;
    let caller = Caller::new(&server);
    for (query, count) in [("", 30), ("per_page=1", 1), ("per_page=100", 40)] {
        let answer = caller.get(&format!("{BUILDS}/1/jobs?{query}")).await;
        assert_eq!(ids(&answer).len(), count, "{query}");
    }
}

#[tokio::test]
async fn what_the_jobs_list_does_not_take_is_refused() {
    let server = MockBuildkite::start(world([seven()])).await;
    let caller = Caller::new(&server);
    for query in [
        "per_page=0",
        "per_page=101",
        "per_page=-3",
        "per_page=x",
        "after=none",
        "before=none",
        "after=job-1&before=job-3",
        "state[]=finished",
        "state[]=passed&state[]=foo",
    ] {
        let answer = caller.get(&format!("{BUILDS}/1/jobs?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(!answer.message().is_empty());
    }
}

#[tokio::test]
async fn the_jobs_list_shows_retried_jobs_unless_they_are_refused() {
    let server = MockBuildkite::start(world([build()
        .job(
            JobFixture::script("a")
                .id("old")
                .state("failed")
                .retried_in("new"),
        )
        .job(JobFixture::script("a").id("new"))]))
    .await;
    let caller = Caller::new(&server);
    for (query, expected) in [
        ("", vec!["old", "new"]),
        ("include_retried_jobs=true", vec!["old", "new"]),
        ("include_retried_jobs=false", vec!["new"]),
    ] {
        let answer = caller.get(&format!("{BUILDS}/1/jobs?{query}")).await;
        assert_eq!(ids(&answer), expected, "{query}");
    }
}

#[tokio::test]
async fn jobs_are_found_by_state_step_and_group() {
    let server = MockBuildkite::start(world([build()
        .job(
            JobFixture::script("a")
                .id("a")
                .step_key("lint")
                .group_key("checks"),
        )
        .job(JobFixture::waiter().id("w"))
        .job(
            JobFixture::script("b")
                .id("b")
                .state("failed")
                .group_key("checks"),
        )
        .job(JobFixture::manual("go").id("m").state("blocked"))]))
    .await;
    let caller = Caller::new(&server);
    for (query, expected) in [
        ("state[]=passed", vec!["a", "w"]),
        ("state[]=failed&state[]=blocked", vec!["b", "m"]),
        ("state[]=limited", vec![]),
        ("step_key=lint", vec!["a"]),
        ("step_key=none", vec![]),
        ("group_key=checks", vec!["a", "b"]),
        ("group_key=checks&state[]=failed", vec!["b"]),
    ] {
        let answer = caller.get(&format!("{BUILDS}/1/jobs?{query}")).await;
        assert_eq!(ids(&answer), expected, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_stays_good_when_its_job_no_longer_matches_the_filter() {
    let server = MockBuildkite::start(world([seven()])).await;
    let caller = Caller::new(&server);
    let first = caller
        .get(&format!("{BUILDS}/1/jobs?per_page=2&state[]=passed"))
        .await;
    assert_eq!(ids(&first), ["job-0", "job-1"]);
    server.with_world(|world| {
        let id = world.build_ids().remove(0);
        world.change_build(&id, |build| {
            build.job_mut("job-1").unwrap().set("state", "running");
        });
    });
    let second = caller.follow(&link(&first, "next").unwrap()).await;
    assert_eq!(ids(&second), ["job-2", "job-3"]);
}

#[tokio::test]
async fn a_job_is_the_same_by_both_routes_and_has_no_group_key_there() {
    let job = JobFixture::script("a").id("job-a").group_key("checks");
    let server = MockBuildkite::start(world([build().job(job), build()])).await;
    let caller = Caller::new(&server);
    let by_build = caller.get(&format!("{BUILDS}/1/jobs/job-a")).await;
    let by_organization = caller.get("/v2/organizations/acme/jobs/job-a").await;
    assert_eq!(by_build.status, 200);
    assert_eq!(by_build.body, by_organization.body);
    assert_eq!(by_build.json()["id"], "job-a");
    assert_eq!(by_build.json().get("group_key"), None);
    let within = &caller.get(&format!("{BUILDS}/1")).await.json()["jobs"][0];
    assert_eq!(within["group_key"], "checks");
    assert_eq!(
        caller.get(&format!("{BUILDS}/2/jobs/job-a")).await.status,
        404
    );
}

#[tokio::test]
async fn a_fixture_job_has_the_times_of_its_state() {
    let states = ["scheduled", "running", "passed", "canceled", "blocked"];
    let jobs = states.iter().fold(build(), |build, state| {
        build.job(JobFixture::script(state).state(state))
    });
    let server = MockBuildkite::start(world([jobs])).await;
    let answer = Caller::new(&server)
        .get(&format!("{BUILDS}/1/jobs"))
        .await
        .json();
    let set = |job: &Value| {
        ["runnable_at", "started_at", "finished_at", "exit_status"].map(|key| !job[key].is_null())
    };
    let items = answer["items"].as_array().unwrap();
    let actual: Vec<_> = items.iter().map(set).collect();
    assert_eq!(
        actual,
        [
            [true, false, false, false],
            [true, true, false, false],
            [true, true, true, true],
            [false, false, true, false],
            [false, false, false, false],
        ]
    );
}

#[tokio::test]
async fn a_blocked_block_step_can_be_unblocked_and_a_released_one_cannot() {
    let server = MockBuildkite::start(world([build()
        .job(JobFixture::manual("Go?").state("blocked"))
        .job(JobFixture::manual("Gone"))]))
    .await;
    let answer = Caller::new(&server)
        .get(&format!("{BUILDS}/1/jobs"))
        .await
        .json();
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items[0]["unblockable"], true);
    assert!(items[0]["unblocked_at"].is_null());
    assert_eq!(items[1]["unblockable"], false);
    assert!(items[1]["unblocked_at"].is_string());
}
