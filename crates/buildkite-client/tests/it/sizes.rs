//! Pages shrink when the server cannot handle large ones, down to jobs read from their own list.

use std::time::Duration;

use mock_buildkite::{Fault, MockBuildkite, Seed, World};
use tokio::time::timeout;

use crate::bench::{Bench, all};
use crate::expected::{Build, assert_same, with_a_retried_job, world};

fn seed(builds: usize, jobs_per_build: usize) -> Seed {
    Seed {
        builds,
        jobs_per_build,
        ..Seed::default()
    }
}

#[tokio::test]
async fn a_page_too_heavy_is_asked_for_at_half_the_size_and_the_size_grows_back() {
    let bench = Bench::new(World::seeded(&seed(1_200, 1))).await;
    bench.server.fail(Fault::HeavyPage(25), u32::MAX, "builds");

    let listing = bench.read_with(all("acme-inc"), |page, _| {
        if page == 9 {
            bench.server.clear_faults();
        }
    });
    let found = listing.await.unwrap();

    assert_same(&found, &world(&bench.server, "acme-inc"), "heavy pages");
    let sizes = bench.sizes();
    assert_eq!(sizes[..7], [100, 50, 25, 25, 25, 25, 50], "{sizes:?}");
    assert_eq!(sizes.iter().min(), Some(&25), "{sizes:?}");
    assert_eq!(sizes.last(), Some(&100), "{sizes:?}");
}

/// A server that never includes jobs in lists, and a client with this many requests in flight.
async fn read_without_jobs_in_lists(max_concurrency: usize) {
    let seeded = with_a_retried_job(World::seeded(&seed(6, 130)));
    let builder = MockBuildkite::builder(seeded);
    let set = |options: &mut buildkite_client::Options| options.max_concurrency = max_concurrency;
    let bench = Bench::with(builder, set).await;
    bench
        .server
        .fail(Fault::HeavyPage(0), u32::MAX, "/acme-inc/builds");
    let expected = world(&bench.server, "acme-inc");
    let jobs = expected.iter().flat_map(|build| &build.jobs);
    assert!(jobs.into_iter().any(|job| job.contains("\"retried\":true")));

    let found = bench.read(all("acme-inc")).await.expect("a whole list");

    let plain = |builds: Vec<Build>| -> Vec<Build> {
        builds.into_iter().map(Build::without_group_keys).collect()
    };
    assert_same(&plain(found), &plain(expected), "jobs apart");
    let requests = bench.server.requests();
    let of_jobs = requests.iter().filter(|one| one.path.ends_with("/jobs"));
    assert_eq!(of_jobs.count(), 12, "two pages of jobs for each build");
    let is_sound =
        |one: &&mock_buildkite::SeenRequest| one.status == 200 && one.path.ends_with("/builds");
    for request in requests.iter().filter(is_sound) {
        assert!(
            request.query.contains("exclude_jobs=true"),
            "{}",
            request.query
        );
    }
}

#[tokio::test]
async fn builds_that_no_list_gives_with_jobs_come_with_the_jobs_of_their_own_list() {
    read_without_jobs_in_lists(4).await;
}

#[tokio::test]
async fn one_request_at_a_time_is_enough_to_read_jobs_apart() {
    let reading = read_without_jobs_in_lists(1);
    timeout(Duration::from_secs(30), reading).await.unwrap();
}

#[tokio::test]
async fn a_build_that_is_gone_before_its_jobs_are_read_ends_nothing() {
    let bench = Bench::new(World::seeded(&seed(4, 3))).await;
    bench
        .server
        .fail(Fault::HeavyPage(0), u32::MAX, "/acme-inc/builds");
    let ids = bench.server.with_world(|world| world.build_ids());
    // Seven page sizes fail, then the build arrives without jobs, then its jobs are requested.
    let newest = ids[0].clone();
    bench.server.on_request(move |count, world| {
        if count == 9 {
            world.remove_build(&newest);
        }
    });

    let found = bench.read(all("acme-inc")).await.unwrap();

    let found: Vec<_> = found.into_iter().map(|build| build.id).collect();
    assert_eq!(found, ids[1..]);
    let requests = bench.server.requests();
    assert!(requests.iter().any(|one| one.status == 404), "{requests:?}");
}
