//! Jobs changed over the API, by either path.

use mock_buildkite::{JobFixture, MockBuildkite, Token, World};
use serde_json::{Value, json};

use super::put;
use crate::caller::{BUILDS, Caller, build, world};

/// A job of each kind that the tests ask for, in a build of this state.
fn jobs(build_state: &str) -> World {
    let script = |id: &str, state: &str| JobFixture::script(id).id(id).state(state);
    world([build()
        .id("b")
        .state(build_state)
        .job(script("hard", "failed"))
        .job(script("late", "timed_out"))
        .job(script("good", "passed"))
        .job(JobFixture::waiter().id("wait"))
        .job(JobFixture::manual("Go?").id("block").state("blocked"))
        .job(script("next", "blocked"))
        .job(JobFixture::manual("Done").id("released"))])
}

async fn fake(build_state: &str) -> (MockBuildkite, Caller) {
    let server = MockBuildkite::start(jobs(build_state)).await;
    let caller = Caller::new(&server);
    (server, caller)
}

/// Both paths of a job.
fn paths(job: &str, action: &str) -> [String; 2] {
    let organization = "/v2/organizations/acme";
    [
        format!("{BUILDS}/1/jobs/{job}/{action}"),
        format!("{organization}/jobs/{job}/{action}"),
    ]
}

#[tokio::test]
async fn a_retry_answers_with_the_new_job_and_is_possible_once() {
    for way in 0..2 {
        let (_server, caller) = fake("failed").await;
        let retry = &paths("hard", "retry")[way];
        let answer = put(&caller, retry, json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let new = answer.json();
        assert_ne!(new["id"], "hard");
        assert_eq!(new["state"], "scheduled");
        assert_eq!(new["retries_count"], 1);
        let source = json!({"job_id": "hard", "retry_type": "manual"});
        assert_eq!(new["retry_source"], source);
        let again = put(&caller, retry, json!({})).await;
        assert_eq!(again.status, 400);
        assert_eq!(again.message(), "Jobs can only be retried once");
        let old = caller.get(&format!("{BUILDS}/1/jobs/hard")).await.json();
        assert_eq!(old["retried_in_job_id"], new["id"]);
        assert_eq!(old["retried_by"]["name"], "Demo User");
    }
}

#[tokio::test]
async fn only_what_failed_is_retried_and_nothing_of_a_canceled_build() {
    let only = "Only failed, timed out or canceled jobs can be retried";
    let canceled = "Jobs from canceled builds cannot be retried";
    for (state, job, status, message) in [
        ("failed", "good", 400, only),
        ("failed", "next", 400, only),
        ("failed", "block", 400, only),
        ("failed", "none", 404, "No job found"),
        ("canceled", "hard", 422, canceled),
    ] {
        let (_server, caller) = fake(state).await;
        for path in paths(job, "retry") {
            let answer = put(&caller, &path, json!({})).await;
            assert_eq!(
                (answer.status, &*answer.message()),
                (status, message),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_priority_must_be_an_integer() {
    let (_server, caller) = fake("running").await;
    for path in paths("next", "reprioritize") {
        for body in [
            json!({}),
            json!({"priority": "5"}),
            json!({"priority": 1.5}),
        ] {
            let answer = put(&caller, &path, body).await;
            assert_eq!(answer.status, 400);
            assert_eq!(answer.message(), "Priority must be an integer");
        }
        let answer = put(&caller, &path, json!({"priority": -5})).await;
        assert_eq!(
            (answer.status, &answer.json()["priority"]["number"]),
            (200, &json!(-5))
        );
    }
    let block = &paths("block", "reprioritize")[0];
    assert_eq!(
        put(&caller, block, json!({"priority": 1})).await.status,
        400
    );
}

#[tokio::test]
async fn a_block_step_is_released_by_who_asks_or_who_is_named() {
    let (server, _) = fake("running").await;
    server.add_token(Token::new("sam").user("Sam Rivers"));
    let caller = Caller::with_token(server.uri(), "sam");
    let answer = put(&caller, &paths("block", "unblock")[1], json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let job = answer.json();
    assert_eq!(
        (&job["state"], &job["unblockable"]),
        (&json!("unblocked"), &json!(false))
    );
    assert_eq!(job["unblocked_by"]["name"], "Sam Rivers");
    assert_eq!(job["unblocked_at"], "2026-08-20T12:00:00.000Z");
    let next = caller.get(&format!("{BUILDS}/1/jobs/next")).await.json();
    assert_eq!(next["state"], "scheduled");
    let named = job["unblocked_by"]["id"].clone();

    let (server, caller) = fake("running").await;
    let unblock = &paths("block", "unblock")[0];
    let stranger = put(&caller, unblock, json!({"unblocker": named})).await;
    assert_eq!(stranger.status, 422);
    assert_eq!(
        stranger.message(),
        "Unblocker is not a valid user id for this organization"
    );
    server.add_token(Token::new("sam").user("Sam Rivers"));
    let answer = put(&caller, unblock, json!({"unblocker": named})).await;
    assert_eq!(answer.json()["unblocked_by"]["name"], "Sam Rivers");
}

#[tokio::test]
async fn what_is_not_blocked_is_not_unblocked() {
    let not_blocked = "The job's state must be blocked";
    let canceled = "Jobs from canceled builds cannot be unblocked";
    for (state, job, body, status, message) in [
        (
            "running",
            "hard",
            json!({}),
            400,
            "This job type cannot be unblocked",
        ),
        ("running", "released", json!({}), 422, not_blocked),
        ("canceled", "block", json!({}), 422, canceled),
        (
            "running",
            "block",
            json!([]),
            400,
            "Request body must be a JSON object",
        ),
        (
            "running",
            "block",
            json!({"fields": "a"}),
            422,
            "Validation Failed",
        ),
        ("running", "block", Value::Null, 500, "Something went wrong"),
    ] {
        let (_server, caller) = fake(state).await;
        for path in paths(job, "unblock") {
            let answer = put(&caller, &path, body.clone()).await;
            assert_eq!(
                (answer.status, &*answer.message()),
                (status, message),
                "{path} {body}"
            );
        }
    }
}

#[tokio::test]
async fn who_may_only_read_a_pipeline_changes_none_of_its_jobs_and_builds() {
    let (server, _) = fake("failed").await;
    server.add_token(Token::new("reader").read_only_pipeline("acme", "web"));
    let caller = Caller::with_token(server.uri(), "reader");
    let of_builds = ["cancel", "rebuild", "retry_failed_jobs"];
    let of_builds = of_builds.map(|action| format!("{BUILDS}/1/{action}"));
    let of_jobs = ["retry", "reprioritize", "unblock"].map(|action| paths("hard", action));
    for path in of_builds.into_iter().chain(of_jobs.into_iter().flatten()) {
        let answer = put(&caller, &path, json!({})).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.message(), "You're not allowed to do that");
    }
}
