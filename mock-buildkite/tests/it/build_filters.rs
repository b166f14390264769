//! Every filter and every switch of the build lists and of the single build.

use mock_buildkite::{JobFixture, MockBuildkite};
use serde_json::json;

use crate::caller::{BUILDS, Caller, build, keys, texts, time, world};

#[tokio::test]
async fn created_from_takes_its_own_millisecond_and_created_to_leaves_it_out() {
    let at = |text| build().created_at(time(text));
    let server = MockBuildkite::start(world([
        at("2026-03-01T09:59:59.999Z"),
        at("2026-03-01T10:00:00.000Z"),
        at("2026-03-01T10:00:00.001Z"),
        at("2026-03-01T10:00:00.002Z"),
    ]))
    .await;
    let caller = Caller::new(&server);
    for (query, expected) in [
        ("created_from=2026-03-01T10:00:00.001Z", vec![4, 3]),
        ("created_to=2026-03-01T10:00:00.001Z", vec![2, 1]),
        (
            "created_from=2026-03-01T10:00:00Z&created_to=2026-03-01T10:00:00.002Z",
            vec![3, 2],
        ),
        (
            "created_from=2026-03-01T10:00:00.001Z&created_to=2026-03-01T10:00:00.001Z",
            vec![],
        ),
        ("created_from=2026-03-01T12:00:00.001%2B02:00", vec![4, 3]),
        ("created_from=2026-03-01T10:00:00.0011Z", vec![4]),
        ("created_to=2026-03-01T10:00:00.0011Z", vec![3, 2, 1]),
        ("created_from=2026-03-02", vec![]),
        ("created_from=2026-03-01", vec![4, 3, 2, 1]),
    ] {
        assert_eq!(caller.numbers(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn finished_from_takes_its_own_millisecond_and_drops_unfinished_builds() {
    let end = |text| build().finished_at(time(text));
    let server = MockBuildkite::start(world([
        end("2026-03-01T10:00:00.000Z"),
        end("2026-03-01T10:00:00.001Z"),
        build().state("running"),
        build().blocked().finished_at(time("2026-03-01T11:00:00Z")),
    ]))
    .await;
    let caller = Caller::new(&server);
    assert_eq!(
        caller
            .numbers("finished_from=2026-03-01T10:00:00.001Z")
            .await,
        [4, 2]
    );
    assert_eq!(
        caller.numbers("finished_from=2026-01-01T00:00:00Z").await,
        [4, 2, 1]
    );
}

#[tokio::test]
async fn a_malformed_time_is_refused() {
    let server = MockBuildkite::start(world([build()])).await;
    let caller = Caller::new(&server);
    for key in ["created_from", "created_to", "finished_from"] {
        for value in ["yesterday", "", "2026-13-01", "2026-03-01T10:00:00+02:00"] {
            let answer = caller.get(&format!("{BUILDS}?{key}={value}")).await;
            assert_eq!(answer.status, 422, "{key}={value}");
            assert!(answer.message().contains(key));
        }
    }
}

#[tokio::test]
async fn each_state_is_a_filter_and_an_unknown_one_is_refused() {
    let states = [
        "creating",
        "scheduled",
        "running",
        "passed",
        "failing",
        "failed",
        "canceling",
        "canceled",
        "skipped",
        "not_run",
    ];
    let server = MockBuildkite::start(world(states.map(|state| build().state(state)))).await;
    let caller = Caller::new(&server);
    for state in states {
        let items = caller.items(&format!("{BUILDS}?state={state}")).await;
        assert_eq!(texts(&items, "state"), [state]);
    }
    let items = caller
        .items(&format!("{BUILDS}?state[]=failing&state[]=running"))
        .await;
    assert_eq!(texts(&items, "state"), ["failing", "running"]);
    let items = caller.items(&format!("{BUILDS}?state=finished")).await;
    assert_eq!(texts(&items, "state"), ["canceled", "failed", "passed"]);
    for query in ["state=foo", "state[]=passed&state[]=foo", "state=Passed"] {
        assert_eq!(
            caller.get(&format!("{BUILDS}?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_blocked_build_is_found_as_blocked_as_finished_and_by_its_stored_state() {
    let server = MockBuildkite::start(world([
        build(),
        build().blocked(),
        build().blocked().state("running"),
        build().state("skipped"),
    ]))
    .await;
    let caller = Caller::new(&server);
    for (state, expected) in [
        ("blocked", vec![3, 2]),
        ("finished", vec![3, 2, 1]),
        ("passed", vec![2, 1]),
        ("running", vec![3]),
    ] {
        assert_eq!(
            caller.numbers(&format!("state={state}")).await,
            expected,
            "{state}"
        );
    }
    let blocked = &caller
        .items(&format!("{BUILDS}?state=blocked&state=blocked"))
        .await[1];
    assert_eq!(blocked["state"], "passed");
    assert_eq!(blocked["blocked"], true);
    assert_eq!(blocked["blocked_state"], "");
    assert!(blocked["finished_at"].is_string());
}

#[tokio::test]
async fn branch_is_exact_but_for_stars_and_several_are_alternatives() {
    let branches = ["main", "main-2", "feature/dev-1", "dev", "Main"];
    let server = MockBuildkite::start(world(branches.map(|branch| build().branch(branch)))).await;
    let caller = Caller::new(&server);
    for (query, expected) in [
        ("branch=main", vec![1]),
        ("branch=*dev*", vec![4, 3]),
        ("branch=main*", vec![2, 1]),
        ("branch=*-1", vec![3]),
        ("branch=feature/*-1", vec![3]),
        ("branch%5B%5D=main&branch%5B%5D=dev", vec![4, 1]),
        ("branch[]=none", vec![]),
    ] {
        assert_eq!(caller.numbers(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn commit_is_the_full_sha_and_several_are_alternatives() {
    let server =
        MockBuildkite::start(world(["aaa", "bbb", "ccc"].map(|sha| build().commit(sha)))).await;
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("commit=bbb").await, [2]);
    assert_eq!(caller.numbers("commit=bb").await, Vec::<u64>::new());
    assert_eq!(caller.numbers("commit[]=aaa&commit[]=ccc").await, [3, 1]);
}

#[tokio::test]
async fn creator_is_matched_by_id() {
    let server = MockBuildkite::start(world([
        build().field("creator", json!({"id": "user-1", "name": "Sam"})),
        build(),
    ]))
    .await;
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("creator=user-1").await, [1]);
    assert_eq!(caller.numbers("creator=Sam").await, Vec::<u64>::new());
}

#[tokio::test]
async fn meta_data_is_matched_exactly_and_several_keys_add_up() {
    let server = MockBuildkite::start(world([
        build()
            .meta_data("release", "1")
            .meta_data("a: \"b\"", "x y"),
        build().meta_data("release", "1"),
        build().meta_data("release", "10"),
        build(),
    ]))
    .await;
    let caller = Caller::new(&server);
    for (query, expected) in [
        ("meta_data[release]=1", vec![2, 1]),
        ("meta_data%5Brelease%5D=10", vec![3]),
        (
            "meta_data[release]=1&meta_data[a:%20%22b%22]=x%20y",
            vec![1],
        ),
        ("meta_data[none]=1", vec![]),
    ] {
        assert_eq!(caller.numbers(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn filters_of_different_kinds_add_up_and_unknown_ones_are_ignored() {
    let server = MockBuildkite::start(world([
        build().branch("main").state("failed"),
        build().branch("main"),
        build().branch("dev").state("failed"),
    ]))
    .await;
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("branch=main&state=failed").await, [1]);
    assert_eq!(
        caller
            .numbers("source=api&finished_to=2000-01-01&sort=number")
            .await,
        [3, 2, 1]
    );
}

#[tokio::test]
async fn jobs_and_pipeline_are_left_out_on_request_and_everything_else_stays() {
    let server = MockBuildkite::start(world([build().job(JobFixture::script("a"))])).await;
    let caller = Caller::new(&server);
    for path in [BUILDS.to_owned(), format!("{BUILDS}/1")] {
        let one = async |query: &str| {
            let json = caller.get(&format!("{path}?{query}")).await.json();
            json.get(0).cloned().unwrap_or(json)
        };
        let whole = one("exclude_jobs=false").await;
        let all = keys(&whole);
        assert!(all.contains(&"jobs") && all.contains(&"pipeline"));
        for (query, gone) in [
            ("exclude_jobs=true", vec!["jobs"]),
            ("exclude_pipeline=true", vec!["pipeline"]),
            (
                "exclude_jobs=true&exclude_pipeline=true",
                vec!["jobs", "pipeline"],
            ),
        ] {
            let mut expected = all.clone();
            expected.retain(|key| !gone.contains(key));
            assert_eq!(keys(&one(query).await), expected, "{path} {query}");
        }
    }
}

#[tokio::test]
async fn builds_hide_retried_jobs_unless_they_are_asked_for() {
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
    let jobs = async |query: &str| {
        let list = caller.items(&format!("{BUILDS}?{query}")).await;
        let one = caller.get(&format!("{BUILDS}/1?{query}")).await.json();
        assert_eq!(list[0]["jobs"], one["jobs"]);
        (
            texts(one["jobs"].as_array().unwrap(), "id"),
            one["job_state_counts"].clone(),
        )
    };
    let (ids, counts) = jobs("").await;
    assert_eq!(ids, ["new"]);
    assert_eq!(counts, json!({"total": 1, "states": {"passed": 1}}));
    let (ids, counts) = jobs("include_retried_jobs=true").await;
    assert_eq!(ids, ["old", "new"]);
    assert_eq!(
        counts,
        json!({"total": 2, "states": {"failed": 1, "passed": 1}})
    );
}

#[tokio::test]
async fn include_paused_false_drops_builds_and_jobs_that_wait_on_paused_queues() {
    let job = |queue: &str| JobFixture::script(queue).queue_id(queue);
    let mut world = world([
        build().job(job("fast")),
        build()
            .job(job("fast"))
            .job(job("slow"))
            .job(JobFixture::waiter()),
        build().job(job("slow")).job(JobFixture::waiter()),
        build(),
    ]);
    world.pause_queue("slow");
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("include_paused=true").await, [4, 3, 2, 1]);
    assert_eq!(caller.numbers("").await, [4, 3, 2, 1]);

    let items = caller
        .items(&format!("{BUILDS}?include_paused=false"))
        .await;
    assert_eq!(crate::caller::numbers(&items), [4, 2, 1]);
    assert_eq!(
        texts(items[1]["jobs"].as_array().unwrap(), "type"),
        ["script", "waiter"]
    );
}

#[tokio::test]
async fn only_the_single_build_counts_its_jobs_and_filters_them_by_state() {
    let server = MockBuildkite::start(world([build()
        .state("failed")
        .job(JobFixture::script("a").id("a"))
        .job(JobFixture::waiter().id("w"))
        .job(JobFixture::script("b").id("b").state("failed"))
        .job(JobFixture::waiter().id("v"))
        .job(JobFixture::manual("go").id("m").state("blocked"))]))
    .await;
    let caller = Caller::new(&server);
    let counts = json!({"total": 5, "states":
        {"passed": 2, "failed": 1, "waiting_failed": 1, "blocked": 1}});
    for (query, ids) in [
        ("", vec!["a", "w", "b", "v", "m"]),
        ("job_states[]=passed", vec!["a", "w"]),
        ("job_states[]=failed&job_states[]=blocked", vec!["b", "m"]),
        ("job_states[]=running", vec![]),
    ] {
        let one = caller.get(&format!("{BUILDS}/1?{query}")).await.json();
        assert_eq!(texts(one["jobs"].as_array().unwrap(), "id"), ids, "{query}");
        assert_eq!(one["job_state_counts"], counts, "{query}");
    }
    let bare = caller
        .get(&format!("{BUILDS}/1?exclude_jobs=true"))
        .await
        .json();
    assert_eq!(bare["job_state_counts"], counts);
    let listed = &caller.items(BUILDS).await[0];
    assert!(listed.get("job_state_counts").is_none());
    assert!(listed.get("test_engine").is_none());
    let with = caller
        .get(&format!("{BUILDS}/1?include_test_engine=true"))
        .await
        .json();
    assert_eq!(with["test_engine"], json!({"runs": []}));
}
