//! Elements that are not what the API documents: reported and left out, and never sent for twice.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use buildkite_client::{BuildQuery, Client, Error, Event, Listed, Paging, Unusable};
use futures::TryStreamExt;

use crate::scripted::{NoWait, Scripted, answer, build, json, next_link, observed};

const PATH: [&str; 4] = ["v2", "organizations", "acme", "pipelines"];

async fn listed(client: &Client) -> Result<(Vec<u64>, Vec<Unusable>), Error> {
    let query = BuildQuery {
        organization: "acme".to_owned(),
        with_jobs: true,
        ..BuildQuery::default()
    };
    let mut listing = Box::pin(client.builds(query, |build| build.number));
    let (mut builds, mut unusable) = (Vec::new(), Vec::new());
    while let Some(listed) = listing.try_next().await? {
        match listed {
            Listed::Build(number) => builds.push(number),
            Listed::Unusable(found) => unusable.push(found),
            Listed::Page(_) => {}
        }
    }
    Ok((builds, unusable))
}

#[tokio::test]
async fn one_odd_build_is_reported_and_all_others_are_read_with_one_request() {
    let good = build(7, 7);
    for (odd, reason) in [
        (
            good.replace(r#"{"id":"p","slug":"web"}"#, r#""web""#),
            "pipeline",
        ),
        (good.replace("\"number\":7", "\"number\":\"7\""), "number"),
        (good.replace("2026-01-01", "yesterday"), "created_at"),
        (good.replace("\"jobs\":[]", "\"jobs\":[{},7]"), "jobs"),
        (good.replace("\"jobs\":[]", "\"jobs\":{}"), "jobs"),
        (good.replace("\"id\":\"b-7\",", ""), "id"),
        ("null".to_owned(), "not an object"),
        ("\"a, text]\"".to_owned(), "not an object"),
        ("[[{}]]".to_owned(), "not an object"),
        ("-1.5".to_owned(), "not an object"),
    ] {
        let page = format!("[{},{odd},{}]", build(9, 9), build(6, 6));
        let server = Scripted::always(json("", &page));

        let (builds, unusable) = listed(&server.client()).await.expect(reason);

        assert_eq!(builds, [9, 6], "{odd}");
        let [found] = &unusable[..] else {
            panic!("{odd}: {unusable:?}");
        };
        assert!(found.reason.contains(reason), "{odd}: {found:?}");
        assert_eq!(found.position, 2);
        assert_eq!(found.path, "/v2/organizations/acme/builds");
        assert_eq!(server.requests().len(), 1, "{odd}");
    }
}

#[tokio::test]
async fn what_can_be_read_of_an_odd_build_is_in_its_report() {
    let odd = build(7, 7).replace("\"jobs\":[]", "\"jobs\":7");
    let server = Scripted::always(json("", &format!("[{odd}]")));

    let (_, unusable) = listed(&server.client()).await.unwrap();

    let found = &unusable[0];
    assert_eq!(found.id.as_deref(), Some("b-7"));
    assert_eq!(
        (found.number, found.pipeline_slug.as_deref()),
        (Some(7), Some("web"))
    );
    assert!(found.created_at.is_some());
}

/// Serves builds as the API does: newest first, before `created_to`, by page number within that.
fn serve(builds: Vec<(u32, String)>) -> Scripted {
    Scripted::start(move |_, line, connection| {
        let pairs = line
            .split(['?', '&', ' '])
            .filter_map(|pair| pair.split_once('='));
        let pairs: Vec<_> = pairs.collect();
        let value = |key| Some(pairs.iter().find(|(name, _)| *name == key)?.1);
        // The seconds of `created_to=2026-01-01T00%3A00%3A07.001Z`.
        let to = value("created_to").map(|to| {
            to[to.len() - 7..to.len() - 5]
                .parse()
                .expect("a test needs it")
        });
        let number = |key, default| {
            value(key).map_or(default, |text: &str| text.parse().expect("a test needs it"))
        };
        let (page, size): (usize, usize) = (number("page", 1), number("per_page", 30));
        if size > 10 {
            return connection.write_all(answer("502 Bad Gateway", "", "").as_bytes());
        }
        let matching = builds
            .iter()
            .filter(|(second, _)| to.is_none_or(|to: u32| *second <= to));
        let matching: Vec<_> = matching.map(|(_, build)| build.as_str()).collect();
        let first = (page - 1) * size;
        let on_page: Vec<_> = matching.iter().skip(first).take(size).copied().collect();
        let has_more = matching.len() > first + size;
        let link = has_more.then(|| next_link("/v2/organizations/acme/builds?page=2"));
        let body = format!("[{}]", on_page.join(","));
        connection.write_all(json(&link.unwrap_or_default(), &body).as_bytes())
    })
}

#[tokio::test]
async fn an_odd_build_is_reported_once_wherever_it_stands_between_pages() {
    for odd in [
        build(50, 50).replace("\"number\":50", "\"number\":null"),
        build(50, 50).replace("2026", "later"),
        "null".to_owned(),
    ] {
        let mut builds: Vec<_> = (1..59).rev().map(|n| (n, build(u64::from(n), n))).collect();
        builds[8].1 = odd;
        let server = serve(builds);
        let client = server.client_with(|options| {
            options.retry_budget = Duration::from_secs(180);
            options.clock = Arc::new(NoWait::default());
        });

        let (builds, unusable) = listed(&client).await.unwrap();

        assert_eq!(builds.len(), 57);
        assert_eq!(unusable.len(), 1, "{unusable:?}");
    }
}

#[tokio::test]
async fn a_build_of_damaged_json_is_requested_once_more_and_then_reported() {
    let mismatched = build(7, 7).replace("\"jobs\":[]", "\"jobs\":[{]}]");
    for damaged in [mismatched, build(7, 7).replace("\"passed\"", "NaN")] {
        let page = format!("[{},{damaged},{}]", build(9, 9), build(6, 6));
        let server = Scripted::always(json("", &page));
        let (client, events) = observed(&server.client());

        let (builds, unusable) = listed(&client).await.unwrap();

        assert_eq!(builds, [9, 6]);
        assert!(
            unusable[0].reason.contains("not valid JSON"),
            "{unusable:?}"
        );
        assert_eq!(unusable.len(), 1);
        assert_eq!(server.requests().len(), 2);
        let events = events.lock().unwrap();
        let is_retry = |event: &&Event| matches!(event, Event::RetryWait { .. });
        assert_eq!(events.iter().filter(is_retry).count(), 1);
    }
}

#[tokio::test]
async fn a_build_that_was_damaged_on_its_way_is_read_the_second_time() {
    let server = Scripted::start(|count, _, connection| {
        let good = build(7, 7);
        let sent = if count == 1 {
            good.replace(":7,", ":,")
        } else {
            good
        };
        connection.write_all(json("", &format!("[{},{sent}]", build(9, 9))).as_bytes())
    });

    let (builds, unusable) = listed(&server.client()).await.unwrap();

    assert_eq!((builds, unusable), (vec![9, 7], vec![]));
}

#[tokio::test]
async fn an_answer_of_another_shape_is_an_error_after_one_request() {
    let object = json("", r#"{"message":"hello"}"#);
    let server = Scripted::always(object);
    let client = server.client();

    let builds = listed(&client).await.unwrap_err();
    let numbered: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;
    let by_cursor: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Cursor).try_collect().await;
    let token = client.access_token().await.unwrap_err();
    let count = client.count(&PATH).await.unwrap_err();

    for error in [
        builds,
        numbered.unwrap_err(),
        by_cursor.unwrap_err(),
        token,
        count,
    ] {
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn json_that_ends_early_is_requested_again() {
    let server = Scripted::always(answer(
        "200 OK",
        "Content-Type: application/json\r\n",
        r#"{"uuid":"#,
    ));
    let error = server.client().access_token().await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { attempts: 3, .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
}
