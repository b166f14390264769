//! The rate limiter end to end: no request too many, no window wasted, every wait announced.

use std::time::Duration;

use buildkite_client::{Error, Event};
use mock_buildkite::{Fault, LimitHeaders, LimitScope, MockBuildkite, Seed, World};

use crate::bench::{Bench, all};
use crate::expected::{assert_same, world};

const WINDOW: Duration = Duration::from_secs(60);

/// Twelve pages and a bit.
fn thirteen_pages() -> World {
    World::seeded(&Seed {
        builds: 1_210,
        jobs_per_build: 0,
        ..Seed::default()
    })
}

async fn assert_complete(bench: &Bench) {
    let found = bench.read(all("acme-inc")).await.expect("a whole listing");
    assert_same(
        &found,
        &world(&bench.server, "acme-inc"),
        "a limited listing",
    );
}

/// The announced waits are the real ones, and no window was wasted.
fn assert_paced(bench: &Bench, least: Duration) {
    let passed = bench.clock.passed();
    assert_eq!(bench.announced(), passed, "every wait is announced, once");
    assert!(
        passed >= least - WINDOW,
        "the limit was never reached: {passed:?}"
    );
    assert!(passed <= least.mul_f64(1.05) + WINDOW, "{passed:?}");
}

#[tokio::test]
async fn the_limit_of_a_user_is_used_up_in_every_window_and_never_exceeded() {
    let builder = MockBuildkite::builder(thirteen_pages()).rate_limit_user(5);
    let bench = Bench::with(builder, |_| {}).await;

    assert_complete(&bench).await;

    assert_eq!(bench.refusals(), 0);
    assert_eq!(bench.server.requests().len(), 13);
    assert_paced(&bench, 2 * WINDOW);
    let names_user = |event: &Event| match event {
        Event::RateLimitWait { limit, .. } => limit == "rest_user, 5 a minute",
        _ => true,
    };
    assert!(bench.events().iter().all(names_user));
}

#[tokio::test]
async fn the_reserve_of_an_organization_is_left_to_others() {
    let builder = MockBuildkite::builder(thirteen_pages()).rate_limit_organization(20);
    let bench = Bench::with(builder, |options| options.reserve = 0.8).await;

    assert_complete(&bench).await;

    assert_eq!(bench.refusals(), 0);
    let waits = bench.events();
    let waits = waits
        .iter()
        .filter(|event| matches!(event, Event::RateLimitWait { .. }));
    assert_eq!(
        waits.count(),
        3,
        "four of twenty requests are taken in each window"
    );
    assert_paced(&bench, 3 * WINDOW);
}

#[tokio::test]
async fn the_tighter_of_both_limits_binds() {
    let builder = MockBuildkite::builder(thirteen_pages())
        .rate_limit_user(5)
        .rate_limit_organization(20);
    let bench = Bench::with(builder, |options| options.reserve = 0.9).await;

    assert_complete(&bench).await;

    assert_eq!(bench.refusals(), 0);
    assert_paced(&bench, 6 * WINDOW);
}

#[tokio::test]
async fn a_limit_that_others_use_up_costs_one_refusal_a_window_at_most() {
    let builder = MockBuildkite::builder(thirteen_pages())
        .rate_limit_user(5)
        .limit_headers(LimitHeaders::Organization);
    let bench = Bench::with(builder, |_| {}).await;

    assert_complete(&bench).await;

    assert!((1..=4).contains(&bench.refusals()), "{}", bench.refusals());
    assert_eq!(bench.announced(), bench.clock.passed());
}

#[tokio::test]
async fn the_old_spelling_of_the_headers_is_enough() {
    let builder = MockBuildkite::builder(thirteen_pages())
        .rate_limit_organization(5)
        .limit_headers(LimitHeaders::Old);
    let bench = Bench::with(builder, |options| options.reserve = 0.0).await;

    assert_complete(&bench).await;

    assert_eq!(bench.refusals(), 0);
    assert_paced(&bench, 2 * WINDOW);
}

#[tokio::test]
async fn without_any_header_a_refusal_tells_how_long_to_wait() {
    for retry_after in [false, true] {
        let builder = MockBuildkite::builder(thirteen_pages())
            .rate_limit_organization(5)
            .limit_headers(LimitHeaders::Absent)
            .retry_after(retry_after);
        let bench = Bench::with(builder, |_| {}).await;

        assert_complete(&bench).await;

        assert!((2..=4).contains(&bench.refusals()), "{}", bench.refusals());
        assert!(
            bench.clock.passed() <= 4 * WINDOW,
            "{:?}",
            bench.clock.passed()
        );
    }
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_an_error_that_tells_how_long() {
    let builder = MockBuildkite::builder(thirteen_pages()).rate_limit_user(5);
    let set = |options: &mut buildkite_client::Options| {
        options.max_rate_limit_wait = Duration::from_secs(10);
    };
    let bench = Bench::with(builder, set).await;

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    let Error::RateLimited { path, scope, wait } = error else {
        panic!("{error}");
    };
    assert_eq!(path, "/v2/organizations/acme-inc/builds");
    assert_eq!(scope, "rest_user");
    assert!(
        wait > Duration::from_secs(10) && wait <= WINDOW + Duration::from_secs(1),
        "{wait:?}"
    );
    assert_eq!(bench.server.requests().len(), 5);
    assert_eq!(bench.clock.passed(), Duration::ZERO);
}

#[tokio::test]
async fn a_refusal_for_an_hour_is_an_error_at_once() {
    let bench = Bench::new(thirteen_pages()).await;
    bench.server.fail_next(Fault::RateLimited {
        scope: LimitScope::Organization,
        reset: 3_600,
        has_details: true,
    });

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    let Error::RateLimited { scope, wait, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((scope.as_str(), wait.as_secs() / 10), ("rest", 360));
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn a_reset_of_zero_neither_spins_nor_ends_the_listing() {
    let bench = Bench::new(thirteen_pages()).await;
    let fault = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 0,
        has_details: true,
    };
    bench.server.fail(fault, 5, "builds");

    assert_complete(&bench).await;

    assert_eq!(bench.refusals(), 5);
    assert!(bench.clock.passed() >= Duration::from_secs(5));
}
