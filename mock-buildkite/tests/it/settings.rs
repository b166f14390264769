//! Servers that are set up in their own way: their dates, the order and the filters of lists.

use std::time::Duration;

use chrono::TimeDelta;
use mock_buildkite::{Clock, Fault, MockBuildkite, World};

use crate::caller::{BUILDS, Caller, build, numbers, row, time, world};

#[tokio::test]
async fn the_date_is_ahead_of_the_clock_or_behind_it() {
    let builder = MockBuildkite::builder(row(1)).date_skew(TimeDelta::minutes(5));
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    let answer = caller.get(BUILDS).await;
    assert_eq!(answer.header("date"), Some("Thu, 20 Aug 2026 12:05:00 GMT"));
    assert_eq!(server.clock().now(), time("2026-08-20T12:00:00Z"));

    server.set_date_skew(TimeDelta::seconds(-90));
    let answer = caller.get(BUILDS).await;
    assert_eq!(answer.header("date"), Some("Thu, 20 Aug 2026 11:58:30 GMT"));
}

#[tokio::test]
async fn an_answer_without_a_date_is_whole_otherwise() {
    let builder = MockBuildkite::builder(row(100)).without_date();
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    for fault in [None, Some(Fault::SlowBody(Duration::from_millis(1)))] {
        if let Some(fault) = fault {
            server.fail_next(fault);
        }
        let answer = caller.get(&format!("{BUILDS}?per_page=100")).await;
        assert_eq!(answer.header("date"), None);
        assert_eq!(answer.header("x-mock-dateless"), None);
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(answer.items().len(), 100);
    }
    server.fail_next(Fault::status(502));
    assert_eq!(caller.get(BUILDS).await.header("date"), None);
}

#[tokio::test]
async fn a_clock_may_be_set_back_and_all_follows() {
    let server = MockBuildkite::start(row(1)).await;
    let earlier = time("2026-01-01T00:00:00Z");
    server.clock().set(earlier);
    assert_eq!(server.with_world(|world| world.now()), earlier);
    let made = server.with_world(|world| world.create_build(build()));
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("").await, [1, made.number], "by creation");
    let date = caller.get(BUILDS).await;
    assert_eq!(date.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
}

#[test]
fn a_clock_that_runs_goes_on_from_where_it_is_set() {
    let clock = Clock::real();
    let start = time("2020-01-01T00:00:00Z");
    clock.set(start);
    assert!(clock.now() >= start && clock.now() < start + TimeDelta::hours(1));
}

#[tokio::test]
async fn lists_that_are_cut_to_seconds_take_a_border_for_the_second_it_lies_in() {
    let at = |text: &str| build().created_at(time(text));
    let builds = || {
        [
            at("2026-01-01T00:00:01.300Z"),
            at("2026-01-01T00:00:01.700Z"),
        ]
    };
    let exact = MockBuildkite::start(world(builds())).await;
    let builder = MockBuildkite::builder(world(builds())).lists_are_cut_to_seconds();
    let cut = builder.start().await.unwrap();
    for (query, exactly, roughly) in [
        ("created_to=2026-01-01T00:00:01.500Z", vec![1], vec![]),
        ("created_from=2026-01-01T00:00:01.500Z", vec![2], vec![2, 1]),
        (
            "finished_from=2026-01-01T00:00:01.500Z",
            vec![2],
            vec![2, 1],
        ),
        ("created_to=2026-01-01T00:00:02Z", vec![2, 1], vec![2, 1]),
    ] {
        assert_eq!(Caller::new(&exact).numbers(query).await, exactly, "{query}");
        assert_eq!(Caller::new(&cut).numbers(query).await, roughly, "{query}");
    }
}

#[tokio::test]
async fn disordered_lists_hold_every_build_once_but_not_newest_first() {
    let builder = MockBuildkite::builder(row(5)).disordered_lists();
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    assert_eq!(caller.numbers("").await, [4, 5, 2, 3, 1]);
    assert_eq!(caller.numbers("per_page=3&page=2").await, [3, 1]);
}

#[tokio::test]
async fn lists_without_a_last_link_still_lead_to_the_next_page() {
    let builder = MockBuildkite::builder(row(3)).without_last_link();
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    let answer = caller.get(&format!("{BUILDS}?per_page=1&page=2")).await;
    assert_eq!(answer.rels(), ["first", "prev", "next"]);
    assert_eq!(
        numbers(&caller.follow(&answer.link("next").unwrap()).await.items()),
        [1]
    );
}

#[tokio::test]
async fn a_reset_fake_answers_as_one_just_started_at_the_same_address() {
    let builder = MockBuildkite::builder(row(3)).rate_limit_user(2);
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    server.on_request(|_, world| {
        world.create_build(build());
    });
    server.set_date_skew(TimeDelta::hours(1));
    for _ in 0..3 {
        caller.get(BUILDS).await;
    }
    server.fail(Fault::status(502), 9, "");

    server.reset(row(1));

    assert!(server.requests().is_empty());
    let answer = caller.get(BUILDS).await;
    assert_eq!(answer.status, 200);
    assert_eq!(numbers(&answer.items()), [1]);
    assert_eq!(answer.header("RateLimit-User-Remaining"), Some("1"));
    assert_eq!(answer.header("date"), Some("Thu, 20 Aug 2026 12:00:00 GMT"));
    assert_eq!(server.requests().len(), 1);
    server.reset(World::empty());
    assert_eq!(caller.get(BUILDS).await.message(), "No organization found");
}
