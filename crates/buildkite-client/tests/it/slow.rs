//! Answers that take too long, and lists that never end.

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use buildkite_client::{BuildQuery, Client, Error, Options, Paging, Verb};
use futures::{StreamExt, TryStreamExt};

use crate::scripted::{ENDLESS, Scripted, answer, build, json, next_link};

const PATH: [&str; 4] = ["v2", "organizations", "acme", "pipelines"];
/// A test that takes longer hangs.
const SOON: Duration = Duration::from_secs(20);

/// Sends one byte at a time, each well before a read times out, for about a minute.
fn trickle(connection: &mut TcpStream, beginning: &str) -> io::Result<()> {
    connection.write_all(beginning.as_bytes())?;
    for _ in 0..3_000 {
        connection.write_all(b" ")?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn short(options: &mut Options) {
    options.limits.answer_time = Duration::from_millis(300);
    options.limits.write_time = Duration::from_millis(300);
}

fn query() -> BuildQuery {
    BuildQuery {
        organization: "acme".to_owned(),
        ..BuildQuery::default()
    }
}

async fn count_builds(client: &Client) -> Result<usize, Error> {
    let builds = client.builds(query(), |build| build.number);
    let listed: Vec<_> = builds.try_collect().await?;
    Ok(listed.len())
}

#[tokio::test]
async fn an_answer_that_trickles_ends_when_its_time_is_spent() {
    let heads = [ENDLESS, "HTTP/1.1 200 OK\r\nX-Long:"];
    for head in heads {
        let server = Scripted::start(move |_, _, connection| trickle(connection, head));
        let client = server.client_with(short);
        let start = Instant::now();

        let object = client.object(&PATH).await.unwrap_err();
        let builds = count_builds(&client).await.unwrap_err();

        for error in [object, builds] {
            let is_given_up = matches!(error, Error::Unavailable { attempts: 3, .. });
            assert!(is_given_up, "{error}");
            assert!(
                error.to_string().contains("not complete after 0 s"),
                "{error}"
            );
        }
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_write_whose_answer_trickles_has_an_unknown_outcome_within_its_time() {
    let server = Scripted::start(|_, _, connection| trickle(connection, ENDLESS));
    let client = server.client_with(|options| {
        options.limits.write_time = Duration::from_millis(300);
    });
    let start = Instant::now();

    let outcome = client.write(Verb::Post, &PATH, &[], Some("{}".to_owned()));
    let error = outcome.await.unwrap_err();

    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
    assert!(start.elapsed() < SOON);
}

#[tokio::test]
async fn content_that_trickles_is_given_up_for_good() {
    let server = Scripted::start(|_, _, connection| trickle(connection, ENDLESS));
    let client = server.client_with(short);
    let mut download = client.retrieval(&PATH).from(0).await.unwrap();

    let error = loop {
        match download.next().await {
            Ok(part) => assert!(part.is_some(), "it does not end"),
            Err(error) => break error,
        }
    };

    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(error.to_string().contains("less than 1 MiB"), "{error}");
}

#[tokio::test]
async fn the_time_that_the_caller_takes_does_not_count() {
    let builds: Vec<_> = (0..60)
        .map(|n| build(1_000 - n, 1_000 - n as u32))
        .collect();
    // More than the buffers between server and caller hold, so that the server has to wait.
    let padded = builds.join(",").replace("passed", &"p".repeat(200_000));
    let page = json("", &format!("[{padded}]"));
    let server = Scripted::always(page);
    let client = server.client_with(short);
    let mut builds = Box::pin(client.builds(query(), |build| build.number));

    let first = builds.next().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let rest: Vec<_> = builds.try_collect().await.unwrap();

    assert!(first.is_some());
    assert_eq!(rest.len(), 60, "59 builds and the end of the page");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn links_in_a_circle_are_an_error_after_one_turn() {
    let server = Scripted::start(|_, line, connection| {
        let (page, next) = if line.contains("page=2") {
            (2, 1)
        } else {
            (1, 2)
        };
        let link = next_link(&format!("/v2/organizations/acme/pipelines?page={next}"));
        connection.write_all(json(&link, &format!("[{page}]")).as_bytes())
    });
    let client = server.client();

    let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;

    let error = list.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(error.to_string().contains("circle"), "{error}");
    assert_eq!(error.path(), Some("/v2/organizations/acme/pipelines"));
    assert!(server.requests().len() <= 3, "{:?}", server.requests());
}

#[tokio::test]
async fn a_page_that_repeats_under_new_addresses_ends_within_the_budget_of_requests() {
    for items in ["[1,2,3]", "[]"] {
        let server = Scripted::start(move |count, _, connection| {
            let link = next_link(&format!("/v2/organizations/acme/pipelines?page={count}"));
            connection.write_all(json(&link, items).as_bytes())
        });
        let client = server.client();

        let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;

        let error = list.unwrap_err();
        assert!(
            matches!(error, Error::NoProgress { requests: 20, .. }),
            "{error}"
        );
        assert!(server.requests().len() <= 41, "{items}");
    }
}

#[tokio::test]
async fn one_build_for_ever_ends_within_the_budget_of_requests() {
    let next = next_link("/v2/organizations/acme/builds?page=2");
    let same = Scripted::always(json(&next, &format!("[{}]", build(7, 7))));
    let older = Scripted::start(move |count, _, connection| {
        let claimed = build(7, 3_000_u32.saturating_sub(2 * count as u32));
        connection.write_all(json(&next, &format!("[{claimed}]")).as_bytes())
    });
    for server in [same, older] {
        let error = count_builds(&server.client()).await.unwrap_err();

        assert!(matches!(error, Error::NoProgress { .. }), "{error}");
        assert_eq!(error.path(), Some("/v2/organizations/acme/builds"));
        assert!(server.requests().len() < 30, "{}", server.requests().len());
    }
}

#[tokio::test]
async fn a_page_that_breaks_off_after_the_same_build_for_ever_is_given_up() {
    let server = Scripted::start(move |count, _, connection| {
        let claimed = build(7, 3_000_u32.saturating_sub(2 * count as u32));
        let cut = answer(
            "200 OK",
            "Content-Type: application/json\r\n",
            &format!("[{claimed},"),
        );
        connection.write_all(cut.as_bytes())
    });

    let error = count_builds(&server.client()).await.unwrap_err();

    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(server.requests().len() <= 5);
}
