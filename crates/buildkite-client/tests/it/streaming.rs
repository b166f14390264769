//! Builds are yielded while their page arrives, and dropping the listing ends it.

use buildkite_client::{Event, Listed};
use futures::StreamExt;
use mock_buildkite::{Fault, Seed, World};

use crate::bench::{Bench, all, next};

#[tokio::test]
async fn builds_are_given_before_their_page_has_ended() {
    let world = World::seeded(&Seed {
        builds: 100,
        jobs_per_build: 40,
        ..Seed::default()
    });
    let bench = Bench::new(world).await;
    // The page is cut off. Builds that are yielded before that is noticed came while it arrived.
    bench.server.fail_next(Fault::ResetMidBody(60_000));
    let mut listing = Box::pin(bench.client.builds(all("acme-inc"), |build| build.number));

    let first = next(&mut listing).await.unwrap().unwrap();

    assert!(matches!(first, Listed::Build(_)), "{first:?}");
    let is_retry = |event: &Event| matches!(event, Event::RetryWait { .. });
    assert!(
        !bench.events().iter().any(is_retry),
        "the cut has not been met yet"
    );
    let rest = listing.count().await;
    assert!(rest >= 99);
    assert!(bench.events().iter().any(is_retry), "it is met later");
}

#[tokio::test]
async fn a_listing_that_is_dropped_sends_nothing_more() {
    let world = World::seeded(&Seed {
        builds: 500,
        jobs_per_build: 1,
        ..Seed::default()
    });
    let bench = Bench::new(world).await;
    let mut listing = Box::pin(bench.client.builds(all("acme-inc"), |build| build.number));
    for _ in 0..150 {
        next(&mut listing).await.unwrap().unwrap();
    }
    assert_eq!(bench.server.requests().len(), 2);

    drop(listing);

    // If the listing were still running, its request would be there too.
    bench.client.access_token().await.unwrap();
    assert_eq!(bench.server.requests().len(), 3);
}

#[tokio::test]
async fn a_listing_sends_nothing_before_it_is_read_nor_ahead_of_its_reader() {
    let world = World::seeded(&Seed {
        builds: 300,
        jobs_per_build: 1,
        ..Seed::default()
    });
    let bench = Bench::new(world).await;
    let mut listing = Box::pin(bench.client.builds(all("acme-inc"), |build| build.number));
    bench.client.access_token().await.unwrap();
    assert_eq!(bench.server.requests().len(), 1);

    let mut pages = 0;
    while let Some(listed) = next(&mut listing).await {
        assert_eq!(bench.server.requests().len(), pages + 2);
        pages += usize::from(matches!(listed.unwrap(), Listed::Page(_)));
    }
    assert!(pages >= 3);
}
