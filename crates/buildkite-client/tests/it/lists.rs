//! Plain lists, paged by number and by cursor.

use buildkite_client::{Client, Error, Paging};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, Fault, JobFixture, LinkStyle, MockBuildkite, World};
use serde_json::Value;

use crate::bench::Bench;

/// The values of `key` of every item of a list, in order.
async fn values(
    client: &Client,
    segments: &[&str],
    paging: Paging,
    key: &str,
) -> Result<Vec<String>, Error> {
    let list = client.list(segments, &[], paging).map_ok(|raw| {
        let item: Value = serde_json::from_str(raw.get()).expect("an item is JSON");
        item[key].as_str().expect("a text").to_owned()
    });
    list.try_collect().await
}

fn many(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("number-{number}"))
        .collect()
}

#[tokio::test]
async fn organizations_and_pipelines_of_several_pages_are_complete() {
    let mut world = World::empty();
    for slug in many(250) {
        world.add_organization(&slug);
    }
    for slug in many(201) {
        world.add_pipeline("number-7", &slug);
    }
    let bench = Bench::new(world).await;

    let organizations = values(
        &bench.client,
        &["v2", "organizations"],
        Paging::Number,
        "slug",
    );
    assert_eq!(organizations.await.unwrap(), many(250));
    let path = ["v2", "organizations", "number-7", "pipelines"];
    let pipelines = values(&bench.client, &path, Paging::Number, "slug").await;

    assert_eq!(pipelines.unwrap(), many(201));
    assert_eq!(bench.server.requests().len(), 6);
}

#[tokio::test]
async fn a_link_header_without_a_value_means_a_single_page() {
    let mut world = World::empty();
    for slug in many(100) {
        world.add_pipeline("acme-inc", &slug);
    }
    let builder = MockBuildkite::builder(world).link_style(LinkStyle::Empty);
    let bench = Bench::with(builder, |_| {}).await;

    let path = ["v2", "organizations", "acme-inc", "pipelines"];
    let found = values(&bench.client, &path, Paging::Number, "slug")
        .await
        .unwrap();

    assert_eq!(found, many(100));
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn jobs_come_page_by_page_from_cursor_to_cursor() {
    let mut world = World::empty();
    let job = |id: String| JobFixture::script("Test").id(&id);
    let build = many(205).into_iter().fold(
        BuildFixture::new("acme-inc", "widgets").number(3),
        |build, id| build.job(job(id)),
    );
    world.create_build(build);
    let bench = Bench::new(world).await;

    let path = "v2/organizations/acme-inc/pipelines/widgets/builds/3/jobs";
    let path: Vec<_> = path.split('/').collect();
    let found = values(&bench.client, &path, Paging::Cursor, "id")
        .await
        .unwrap();

    assert_eq!(found, many(205));
    assert_eq!(bench.server.requests().len(), 3);
}

#[tokio::test]
async fn a_page_that_breaks_is_asked_for_again_and_nothing_comes_twice() {
    let mut world = World::empty();
    for slug in many(250) {
        world.add_pipeline("acme-inc", &slug);
    }
    let bench = Bench::new(world).await;
    for fault in [
        Fault::status(502),
        Fault::TruncatedBody(2_000),
        Fault::TruncatedGzip,
        Fault::ResetMidBody(500),
    ] {
        bench.server.fail_next(fault);
    }

    let path = ["v2", "organizations", "acme-inc", "pipelines"];
    let found = values(&bench.client, &path, Paging::Number, "slug")
        .await
        .unwrap();

    assert_eq!(found, many(250));
    assert_eq!(bench.server.requests().len(), 7);
}

#[tokio::test]
async fn an_empty_page_with_a_next_link_does_not_end_a_list() {
    let mut world = World::empty();
    for slug in many(250) {
        world.add_pipeline("acme-inc", &slug);
    }
    let bench = Bench::new(world).await;
    bench.server.fail_next(Fault::EmptyPage);

    let path = ["v2", "organizations", "acme-inc", "pipelines"];
    let found = values(&bench.client, &path, Paging::Number, "slug")
        .await
        .unwrap();

    assert_eq!(found, many(250));
}
