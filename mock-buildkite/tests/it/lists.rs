//! Lists paged by number: pages, links, order.

use mock_buildkite::{BuildFixture, LinkStyle, MockBuildkite, World};

use crate::caller::{BUILDS, Caller, build, numbers, row, texts, time, world};

#[tokio::test]
async fn the_first_a_middle_and_the_last_page_carry_their_links_in_order() {
    let server = MockBuildkite::start(row(5)).await;
    let caller = Caller::new(&server);
    for (page, rels, expected) in [
        (1, vec!["next", "last"], vec![5, 4]),
        (2, vec!["first", "prev", "next", "last"], vec![3, 2]),
        (3, vec!["first", "prev"], vec![1]),
    ] {
        let answer = caller
            .get(&format!("{BUILDS}?per_page=2&page={page}"))
            .await;
        assert_eq!(answer.rels(), rels, "page {page}");
        assert_eq!(numbers(&answer.items()), expected, "page {page}");
    }
}

#[tokio::test]
async fn a_link_header_is_spelled_as_the_api_spells_it() {
    let server = MockBuildkite::start(row(3)).await;
    let answer = Caller::new(&server)
        .get(&format!("{BUILDS}?per_page=2"))
        .await;
    let base = format!("{}{BUILDS}", server.uri());
    let expected = format!(
        "<{base}?page=2&per_page=2>; rel=\"next\", <{base}?page=2&per_page=2>; rel=\"last\""
    );
    assert_eq!(answer.header("link"), Some(expected.as_str()));
}

#[tokio::test]
async fn links_keep_all_filters_with_keys_sorted_and_encoded_and_add_no_page_size() {
    let server = MockBuildkite::start(row(31)).await;
    let caller = Caller::new(&server);
    let query = "unknown=a%20b&branch[]=main&created_from=2026-01-01T00:00:00%2B01:00&branch[]=x";
    let answer = caller.get(&format!("{BUILDS}?{query}")).await;
    let url = answer.link("next").unwrap();
    let expected = "branch%5B%5D=main&branch%5B%5D=x&created_from=2026-01-01T00%3A00%3A00%2B01%3A00\
                    &page=2&unknown=a+b";
    assert_eq!(url, format!("{}{BUILDS}?{expected}", server.uri()));
    assert_eq!(numbers(&caller.follow(&url).await.items()), [1]);
}

#[tokio::test]
async fn following_next_shows_every_build_once_newest_first() {
    let server = MockBuildkite::start(row(23)).await;
    let caller = Caller::new(&server);
    let mut answer = caller.get(&format!("{BUILDS}?per_page=4")).await;
    let mut seen = numbers(&answer.items());
    for _ in 0..20 {
        let Some(next) = answer.link("next") else {
            break;
        };
        answer = caller.follow(&next).await;
        seen.extend(numbers(&answer.items()));
    }
    assert_eq!(seen, (1..=23).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_list_of_one_page_has_no_link_or_an_empty_one() {
    let server = MockBuildkite::start(row(3)).await;
    assert_eq!(Caller::new(&server).get(BUILDS).await.header("link"), None);

    let builder = MockBuildkite::builder(row(3)).link_style(LinkStyle::Empty);
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    assert_eq!(caller.get(BUILDS).await.header("link"), Some(""));
    let answer = caller.get(&format!("{BUILDS}?per_page=2")).await;
    assert_eq!(answer.rels(), ["next", "last"]);
}

#[tokio::test]
async fn a_page_beyond_the_last_is_empty_and_links_back() {
    let server = MockBuildkite::start(row(3)).await;
    let caller = Caller::new(&server);
    let answer = caller.get(&format!("{BUILDS}?page=7&per_page=2")).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "[]"));
    assert_eq!(answer.rels(), ["first", "prev"]);
    assert_eq!(
        caller
            .follow(&answer.link("prev").unwrap())
            .await
            .items()
            .len(),
        1
    );
    assert_eq!(
        caller
            .follow(&answer.link("first").unwrap())
            .await
            .items()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_page_holds_30_items_or_what_is_asked_up_to_100() {
    let server = MockBuildkite::start(row(120)).await;
    let caller = Caller::new(&server);
    for (query, count) in [
        ("", 30),
        ("per_page=7", 7),
        ("per_page=100", 100),
        ("per_page=101", 100),
        ("per_page=999999", 100),
        ("per_page=0", 30),
        ("per_page=-1", 30),
        ("per_page=many", 30),
        ("page=0", 30),
        ("page=x", 30),
        ("page=2&per_page=100", 20),
        ("page=2&per_page=200", 20),
    ] {
        assert_eq!(
            caller.items(&format!("{BUILDS}?{query}")).await.len(),
            count,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_trailing_slash_changes_nothing() {
    let server = MockBuildkite::start(row(3)).await;
    let caller = Caller::new(&server);
    for path in [
        BUILDS,
        "/v2/organizations",
        "/v2/organizations/acme/pipelines/web/builds/1",
    ] {
        let plain = caller.get(path).await;
        let slash = caller.get(&format!("{path}/")).await;
        assert_eq!(plain.status, 200);
        assert_eq!(plain.body, slash.body, "{path}");
    }
}

#[tokio::test]
async fn build_lists_refuse_deep_pages_and_other_lists_do_not() {
    let builder = MockBuildkite::builder(row(12)).deep_page_limit(10);
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    for list in [BUILDS, "/v2/builds", "/v2/organizations/acme/builds"] {
        assert_eq!(
            caller
                .get(&format!("{list}?per_page=5&page=2"))
                .await
                .status,
            200
        );
        let answer = caller.get(&format!("{list}?per_page=5&page=3")).await;
        assert_eq!(answer.status, 400);
        let message = "Listing builds this deep is not supported. Please narrow your query using \
                       filters such as branch or created_from.";
        assert_eq!(answer.message(), message);
    }
    let pipelines = "/v2/organizations/acme/pipelines?per_page=5&page=300";
    assert_eq!(caller.get(pipelines).await.status, 200);
}

#[tokio::test]
async fn the_default_depth_is_10_000_builds() {
    let server = MockBuildkite::start(row(1)).await;
    let caller = Caller::new(&server);
    assert_eq!(
        caller
            .get(&format!("{BUILDS}?per_page=100&page=100"))
            .await
            .status,
        200
    );
    assert_eq!(
        caller
            .get(&format!("{BUILDS}?per_page=100&page=101"))
            .await
            .status,
        400
    );
    let far = format!("{BUILDS}?per_page=100&page=18446744073709551615");
    assert_eq!(caller.get(&far).await.status, 400);
}

#[tokio::test]
async fn builds_come_newest_first_by_time_and_then_by_number() {
    let at = |text| build().created_at(time(text));
    let server = MockBuildkite::start(world([
        at("2026-03-01T00:00:00.002Z").number(5),
        at("2026-03-01T00:00:00.001Z").number(7),
        at("2026-03-01T00:00:00.002Z").number(4),
        at("2026-03-01T00:00:00.003Z").number(1),
    ]))
    .await;
    assert_eq!(Caller::new(&server).numbers("").await, [1, 5, 4, 7]);
}

#[tokio::test]
async fn the_three_build_lists_cover_all_an_organization_and_a_pipeline() {
    let mut world = World::empty();
    for (organization, pipeline) in [("acme", "web"), ("acme", "api"), ("other", "web")] {
        world.create_build(BuildFixture::new(organization, pipeline));
    }
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    for (list, count) in [
        ("/v2/builds", 3),
        ("/v2/organizations/acme/builds", 2),
        (BUILDS, 1),
    ] {
        assert_eq!(caller.items(list).await.len(), count, "{list}");
    }
}

#[tokio::test]
async fn pipelines_are_paged_and_found_by_parts_of_name_and_repository() {
    let mut world = World::empty();
    for slug in ["web-app", "web-api", "docs"] {
        world.add_pipeline("acme", slug);
    }
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    let list = "/v2/organizations/acme/pipelines";
    let page = caller.get(&format!("{list}?per_page=2")).await;
    assert_eq!(page.rels(), ["next", "last"]);
    assert_eq!(texts(&page.items(), "slug"), ["web-app", "web-api"]);
    for (query, found) in [
        ("name=WEB", vec!["web-app", "web-api"]),
        ("repository=docs.git", vec!["docs"]),
        ("name=web&repository=api", vec!["web-api"]),
        ("name=none", vec![]),
    ] {
        let items = caller.items(&format!("{list}?{query}")).await;
        assert_eq!(texts(&items, "slug"), found, "{query}");
    }
}
