//! A listing is complete: every build once, newest first, with all of its jobs.

use std::time::Duration;

use buildkite_client::BuildQuery;
use chrono::{DateTime, Utc};
use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, World};

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
async fn every_build_comes_once_with_all_of_its_jobs_as_the_text_it_has() {
    let bench = Bench::new(World::seeded(&seed(1_500, 3))).await;
    let expected = world(&bench.server, "acme-inc");

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_same(&found, &expected, "1,500 builds");
}

#[tokio::test]
async fn attempts_that_were_retried_are_among_the_jobs() {
    let bench = Bench::new(with_a_retried_job(World::seeded(&seed(60, 25)))).await;
    let expected = world(&bench.server, "acme-inc");
    let retried = |build: &&Build| {
        build
            .jobs
            .iter()
            .any(|job| job.contains("\"retried\":true"))
    };
    assert!(expected.iter().any(|build| retried(&build)));

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_same(&found, &expected, "retried jobs");
}

#[tokio::test]
async fn a_listing_needs_three_per_cent_more_requests_than_the_least() {
    let bench = Bench::new(World::seeded(&seed(3_000, 0))).await;

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_eq!(found.len(), 3_000);
    let requests = bench.server.requests().len() as f64;
    assert!(requests <= 30.0 * 1.03 + 1.0, "{requests} requests");
}

#[tokio::test]
async fn without_jobs_the_server_is_asked_to_leave_them_out() {
    let bench = Bench::new(World::seeded(&seed(250, 3))).await;
    let expected: Vec<_> = world(&bench.server, "acme-inc")
        .into_iter()
        .map(Build::without_jobs)
        .collect();
    let query = BuildQuery {
        with_jobs: false,
        ..all("acme-inc")
    };

    let found = bench.read(query).await.unwrap();

    assert_same(&found, &expected, "without jobs");
    for request in bench.server.requests() {
        assert!(
            request.query.contains("exclude_jobs=true"),
            "{}",
            request.query
        );
        assert!(!request.query.contains("include_retried_jobs"));
    }
}

#[tokio::test]
async fn one_pipeline_gives_its_builds_and_no_others() {
    let bench = Bench::new(World::seeded(&seed(900, 2))).await;
    let pipeline = bench
        .server
        .with_world(|world| world.pipeline_slugs("acme-inc")[2].clone());
    let mut expected = world(&bench.server, "acme-inc");
    expected.retain(|build| build.pipeline_slug == pipeline);
    let query = BuildQuery {
        pipeline: Some(pipeline),
        ..all("acme-inc")
    };

    let found = bench.read(query).await.unwrap();

    assert!(!expected.is_empty());
    assert_same(&found, &expected, "one pipeline");
}

#[tokio::test]
async fn one_organization_gives_its_builds_and_no_others() {
    let seed = Seed {
        organizations: 2,
        ..seed(400, 1)
    };
    let bench = Bench::new(World::seeded(&seed)).await;

    let found = bench.read(all("acme-inc-2")).await.unwrap();

    assert!((1..400).contains(&found.len()));
    assert_same(
        &found,
        &world(&bench.server, "acme-inc-2"),
        "the second organization",
    );
}

#[tokio::test]
async fn bounds_take_what_was_created_at_the_first_and_before_the_second() {
    let bench = Bench::new(World::seeded(&seed(700, 1))).await;
    let all_builds = world(&bench.server, "acme-inc");
    let at = |build: &Build| -> DateTime<Utc> { build.created_at.parse().unwrap() };
    let (from, to) = (at(&all_builds[600]), at(&all_builds[50]));
    let mut expected = all_builds.clone();
    expected.retain(|build| (from..to).contains(&at(build)));
    let query = BuildQuery {
        created_from: Some(from),
        created_to: Some(to),
        ..all("acme-inc")
    };

    let found = bench.read(query).await.unwrap();

    assert!(expected.len() > 500);
    assert_same(&found, &expected, "between two builds");
}

#[tokio::test]
async fn more_than_a_page_of_builds_in_one_millisecond_are_complete() {
    let mut many = World::seeded(&seed(150, 1));
    let moment = many.now() - Duration::from_secs(86_400);
    for number in 0..250 {
        let fixture = BuildFixture::new("acme-inc", "burst").created_at(moment);
        many.create_build(fixture.number(number + 1).job(JobFixture::script("Test")));
    }
    let bench = Bench::new(many).await;

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_same(
        &found,
        &world(&bench.server, "acme-inc"),
        "250 builds at once",
    );
}

#[tokio::test]
async fn a_low_limit_for_deep_pages_is_never_reached() {
    let builder = MockBuildkite::builder(World::seeded(&seed(600, 1))).deep_page_limit(200);
    let bench = Bench::with(builder, |_| {}).await;

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_eq!(found.len(), 600);
}

#[tokio::test]
async fn what_is_left_shrinks_with_every_page_and_ends_with_nothing() {
    let bench = Bench::new(World::seeded(&seed(450, 1))).await;
    let now = bench.server.clock().now();
    let mut pages = Vec::new();

    let found = bench
        .read_with(all("acme-inc"), |_, page| pages.push(page))
        .await
        .unwrap();

    let left: Vec<_> = pages.iter().map(|page| page.remaining_to).collect();
    let (last, others) = left.split_last().unwrap();
    assert_eq!(*last, None);
    assert!(others.iter().all(Option::is_some));
    assert!(others.is_sorted_by(|a, b| a > b), "{others:?}");
    assert!(pages.iter().all(|page| page.server_time == Some(now)));
    assert_eq!(pages[0].estimate, Some(400));
    assert_eq!(found.len(), 450);
}

#[tokio::test]
async fn an_organization_without_builds_is_one_request_and_an_empty_list() {
    let mut empty = World::empty();
    empty.add_organization("acme-inc");
    let bench = Bench::new(empty).await;

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_eq!(found, []);
    assert_eq!(bench.server.requests().len(), 1);
}
