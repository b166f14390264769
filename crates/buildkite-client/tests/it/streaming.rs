//! Builds are yielded while their page arrives, and dropping the listing ends it.

use std::io::Write;
use std::sync::Mutex;

use buildkite_client::Listed;
use mock_buildkite::{Seed, World};

use crate::bench::{Bench, all, next};
use crate::scripted::{ENDLESS, Scripted, build};

#[tokio::test]
async fn builds_are_given_before_their_page_has_ended() {
    let (first_was_read, rest_may_come) = std::sync::mpsc::channel();
    let rest_may_come = Mutex::new(rest_may_come);
    let server = Scripted::start(move |_, _, connection| {
        connection.write_all(format!("{ENDLESS}[{},", build(9, 9)).as_bytes())?;
        let signal = rest_may_come.lock().unwrap().recv();
        signal.expect("the test sends it");
        connection.write_all(format!("{}]", build(7, 7)).as_bytes())
    });
    let client = server.client();
    let mut listing = Box::pin(client.builds(all("acme-inc"), |build| build.number));

    let first = next(&mut listing).await.unwrap().unwrap();
    first_was_read.send(()).unwrap();
    let second = next(&mut listing).await.unwrap().unwrap();

    assert_eq!((first, second), (Listed::Build(9), Listed::Build(7)));
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
