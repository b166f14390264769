//! A listing is complete whatever breaks on the way, as long as it does not break forever.

use std::sync::LazyLock;
use std::time::Duration;

use buildkite_client::{Error, Event, Options};
use mock_buildkite::{Builder, Fault, LimitScope, MockBuildkite, Seed, World};

use crate::bench::{Bench, all};
use crate::expected::{Build, assert_same, parse};

/// Two pages of builds, made once.
static BUILDS: LazyLock<Vec<Build>> = LazyLock::new(|| parse(&small(), "acme-inc"));

fn small() -> World {
    World::seeded(&Seed {
        builds: 130,
        jobs_per_build: 1,
        ..Seed::default()
    })
}

/// Its bodies hold the addresses that `BUILDS` has.
fn server() -> Builder {
    MockBuildkite::builder(small()).origin("https://api.buildkite.com")
}

async fn bench() -> Bench {
    Bench::with(server(), |_| {}).await
}

/// Breaks the first or the second page, and expects all builds nevertheless. Returns the number of
/// requests.
async fn assert_survives(fault: &Fault, page: usize) -> usize {
    let what = format!("{fault:?} on page {page}");
    let bench = bench().await;
    if page == 1 {
        bench.server.fail_next(fault.clone());
    }
    let listing = bench.read_with(all("acme-inc"), |number, _| {
        if number + 1 == page {
            bench.server.fail_next(fault.clone());
        }
    });
    let found = listing.await;
    assert_same(&found.expect(&what), &BUILDS, &what);
    bench.server.requests().len()
}

/// The fault must cost at least one request in addition to the two pages.
async fn assert_survives_all(faults: &[Fault]) {
    for fault in faults {
        for page in [1, 2] {
            let requests = assert_survives(fault, page).await;
            assert!(
                (3..10).contains(&requests),
                "{fault:?}: {requests} requests"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_by_either_limit_costs_a_wait_and_no_build() {
    let mut faults = Vec::new();
    for scope in [LimitScope::Organization, LimitScope::User] {
        for has_details in [true, false] {
            faults.push(Fault::RateLimited {
                scope,
                reset: 20,
                has_details,
            });
        }
    }
    assert_survives_all(&faults).await;
}

#[tokio::test]
async fn an_error_of_the_server_costs_a_retry_and_no_build() {
    let mut faults = Vec::new();
    for status in [500, 502, 503] {
        for is_html in [true, false] {
            faults.push(Fault::Status { status, is_html });
        }
    }
    assert_survives_all(&faults).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_costs_a_retry_and_no_build() {
    let cuts = [0, 10, 1_000, 4_000];
    assert_survives_all(&cuts.map(Fault::ResetMidBody)).await;
}

#[tokio::test]
async fn a_text_that_ends_early_costs_a_retry_and_no_build() {
    let cuts = [0, 1, 1_000, 40_000];
    assert_survives_all(&cuts.map(Fault::TruncatedBody)).await;
    assert_survives_all(&[Fault::TruncatedGzip]).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_costs_a_retry_and_no_build() {
    let silence = Duration::from_secs(20);
    for fault in [Fault::SlowHead(silence), Fault::SlowBody(silence)] {
        let set = |options: &mut Options| options.read_timeout = Duration::from_secs(1);
        let bench = Bench::with(server(), set).await;
        bench.server.fail_next(fault.clone());

        let found = bench.read(all("acme-inc")).await.unwrap();

        assert_same(&found, &BUILDS, "a silent server");
        let says_so = |event: &Event| matches!(event, Event::RetryWait { reason, .. } if reason == "no answer in time");
        assert!(bench.events().iter().any(says_so), "{fault:?}");
    }
}

#[tokio::test]
async fn a_slow_body_is_waited_for_as_long_as_it_moves() {
    let requests = assert_survives(&Fault::SlowBody(Duration::from_millis(3)), 2).await;
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn an_item_that_comes_twice_is_given_once() {
    for page in [1, 2] {
        let requests = assert_survives(&Fault::DuplicateItem, page).await;
        assert_eq!(requests, 2);
    }
}

#[tokio::test]
async fn an_empty_page_is_not_the_end_while_there_is_more() {
    assert_survives_all(&[Fault::EmptyPage]).await;
}

#[tokio::test]
async fn every_page_may_break_once() {
    let bench = bench().await;
    bench.server.fail_next(Fault::TruncatedBody(30_000));

    let listing = bench.read_with(all("acme-inc"), |page, _| {
        let fault = match page % 3 {
            0 => Fault::TruncatedBody(30_000),
            1 => Fault::status(503),
            _ => Fault::TruncatedGzip,
        };
        bench.server.fail_next(fault);
    });

    assert_same(&listing.await.unwrap(), &BUILDS, "all pages broken");
}

#[tokio::test]
async fn a_page_that_always_breaks_off_is_read_part_by_part() {
    let bench = bench().await;
    bench
        .server
        .fail(Fault::ResetMidBody(12_000), u32::MAX, "builds");

    let listing = bench.read_with(all("acme-inc"), |page, _| {
        assert!(page < 700, "every part is some builds");
    });

    assert_same(&listing.await.unwrap(), &BUILDS, "parts of pages");
}

#[tokio::test]
async fn a_fault_that_never_ends_is_an_error_that_names_the_path_once_the_budget_is_spent() {
    for fault in [
        Fault::status(500),
        Fault::ResetMidBody(0),
        Fault::TruncatedBody(0),
    ] {
        let bench = bench().await;
        bench.server.fail(fault.clone(), u32::MAX, "builds");

        let error = bench.read(all("acme-inc")).await.unwrap_err();

        assert_eq!(
            error.path(),
            Some("/v2/organizations/acme-inc/builds"),
            "{fault:?}"
        );
        let Error::Unavailable {
            attempts, elapsed, ..
        } = error
        else {
            panic!("{fault:?}: {error}");
        };
        assert!(
            elapsed >= Duration::from_secs(180),
            "{fault:?}: {elapsed:?}"
        );
        assert!((3..30).contains(&attempts), "{fault:?}: {attempts}");
        assert!(bench.server.requests().len() < 100, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_that_never_ends_tells_when_to_come_back() {
    let bench = bench().await;
    let refusal = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 5,
        has_details: false,
    };
    bench.server.fail(refusal, u32::MAX, "builds");

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    assert!(matches!(error, Error::RateLimited { .. }), "{error}");
    assert!(bench.server.requests().len() < 30);
}

#[tokio::test]
async fn a_server_that_is_slow_to_fail_gets_three_tries() {
    let bench = Bench::with(server(), |options| {
        options.read_timeout = Duration::from_millis(100);
        options.retry_budget = Duration::ZERO;
    })
    .await;
    bench
        .server
        .fail(Fault::SlowHead(Duration::from_secs(20)), u32::MAX, "builds");

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    assert!(
        matches!(error, Error::Unavailable { attempts: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn every_retry_is_announced_with_its_reason() {
    let bench = bench().await;
    bench.server.fail(Fault::status(503), 2, "builds");

    bench.read(all("acme-inc")).await.unwrap();

    let retries: Vec<_> = bench
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::RetryWait { duration, reason } => Some((duration, reason)),
            _ => None,
        })
        .collect();
    assert_eq!(retries.len(), 2);
    for (duration, reason) in &retries {
        assert!(duration.as_millis() >= 250, "{duration:?}");
        assert_eq!(reason, "Buildkite answered 503");
    }
    let slept: Duration = retries.iter().map(|(duration, _)| *duration).sum();
    assert_eq!(bench.clock.passed(), slept);
}
