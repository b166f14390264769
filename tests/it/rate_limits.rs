//! The program keeps to both rate limits by itself: it is never refused, and says why it waits.

use std::time::Duration;

use mock_buildkite::{Fault, LimitScope, MockBuildkite};

use crate::support::{Fake, Warehouse, world};

/// Long enough that a busy machine sends `REQUESTS` requests well within it.
const WINDOW: Duration = Duration::from_secs(5);
const REQUESTS: u32 = 4;

fn statuses(fake: &Fake) -> Vec<u16> {
    fake.requests()
        .iter()
        .map(|request| request.status)
        .collect()
}

fn sync_within(fake: &Fake, limit: &str) {
    // Ten requests and more: three windows.
    fake.fail(Fault::HeavyPage(25), 2, "builds");
    let folder = tempfile::tempdir().unwrap();

    let ended = fake.run(folder.path(), &["sync", "-v", "--to", "sqlite:all.db"]);

    ended.assert_code(0).assert_says(&[
        &format!("waiting for the rate limit scope=\"{limit}\""),
        "of it waiting for the rate limit",
    ]);
    let statuses = statuses(fake);
    assert!(statuses.len() > 10, "{statuses:?}");
    assert!(!statuses.contains(&429), "{statuses:?}");
    Warehouse::open(&folder.path().join("all.db")).assert_holds(&fake.expected_builds());
}

#[test]
fn the_limit_of_a_user_is_used_up_and_never_exceeded() {
    let fake = MockBuildkite::builder(world(200, 2, 1));
    let fake = fake.rate_limit_user(REQUESTS).rate_limit_window(WINDOW);
    sync_within(&Fake::with(fake.running_clock()), "rest_user");
}

#[test]
fn the_limit_of_an_organization_is_used_up_and_never_exceeded() {
    let fake = MockBuildkite::builder(world(200, 2, 1));
    let fake = fake
        .rate_limit_organization(REQUESTS)
        .rate_limit_window(WINDOW);
    sync_within(&Fake::with(fake.running_clock()), "rest");
}

#[test]
fn a_refusal_that_others_have_caused_is_waited_out() {
    for scope in [LimitScope::Organization, LimitScope::User] {
        let fake = Fake::start(world(120, 2, 1));
        let refusal = |has_details| Fault::RateLimited {
            scope,
            reset: 1,
            has_details,
        };
        fake.fail(refusal(true), 1, "builds");
        fake.fail(refusal(false), 1, "builds");
        let folder = tempfile::tempdir().unwrap();

        let ended = fake.sync(folder.path(), "sqlite:all.db");

        ended.assert_says(&["of it waiting for the rate limit"]);
        let refused = statuses(&fake).iter().filter(|s| **s == 429).count();
        assert_eq!(
            refused, 2,
            "a request is not repeated before its wait is over"
        );
        Warehouse::open(&folder.path().join("all.db")).assert_holds(&fake.expected());
    }
}
