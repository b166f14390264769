//! Answers that are too large end with an error that names the limit, and cost no more memory.

use std::io::Write;
use std::net::TcpStream;

use buildkite_client::{BuildQuery, Client, Error, Event, Listed, Options, Paging};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, TryStreamExt};
use mock_buildkite::{MockBuildkite, Seed, World};

use crate::bench::{Bench, all};
use crate::child;
use crate::expected::{assert_same, world};
use crate::scripted::{ENDLESS, ENDLESS_GZIP, Scripted, build, json, repeat};

const PATH: [&str; 4] = ["v2", "organizations", "acme", "pipelines"];
const MIB: usize = 1 << 20;

/// Small limits, so that a test takes no time.
fn small(options: &mut Options) {
    options.limits.answer_bytes = 2 * MIB;
    options.limits.element_bytes = MIB;
}

fn endless(beginning: &'static str, part: &'static [u8]) -> Scripted {
    Scripted::start(move |_, _, connection| {
        connection.write_all(ENDLESS.as_bytes())?;
        connection.write_all(beginning.as_bytes())?;
        repeat(connection, part)
    })
}

async fn list_builds(client: &Client) -> Result<Vec<Listed<u64>>, Error> {
    let query = BuildQuery {
        organization: "acme".to_owned(),
        with_jobs: true,
        ..BuildQuery::default()
    };
    let builds = client.builds(query, |build| build.number);
    builds.try_collect().await
}

fn assert_too_large(error: &Error, limit: usize, option: &str) {
    let text = error.to_string();
    assert!(matches!(error, Error::TooLarge { .. }), "{text}");
    assert!(
        text.contains(&limit.to_string()) && text.contains(option),
        "{text}"
    );
    assert!(error.path().is_some_and(|path| path.starts_with("/v2/")));
}

#[tokio::test]
async fn a_page_of_builds_that_does_not_end_is_an_error_at_once() {
    let one = build(7, 0);
    let many = format!("{one},").repeat(300);
    let server = Scripted::always(format!("{ENDLESS}[{many}"));
    let unusable = endless("[", b"{},");
    for server in [server, unusable] {
        let error = list_builds(&server.client_with(small)).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        assert!(error.to_string().contains("more than 200"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn blanks_without_an_end_are_an_answer_that_is_too_large() {
    let server = endless("[", b" \n");
    let error = list_builds(&server.client_with(small)).await.unwrap_err();
    assert_too_large(&error, 2 * MIB, "answer_bytes");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_build_or_a_text_without_an_end_is_an_element_that_is_too_large() {
    for (beginning, part) in [
        (r#"[{"id":""#, b"a".as_slice()),
        (r#"[{"a":["#, b"{},"),
        (r#"[""#, b"a"),
        ("[", b"1"),
    ] {
        let server = endless(beginning, part);
        let error = list_builds(&server.client_with(small)).await.unwrap_err();
        assert_too_large(&error, MIB, "element_bytes");
        assert_eq!(server.requests().len(), 1, "{beginning}");
    }
}

#[tokio::test]
async fn a_list_and_an_object_without_an_end_are_answers_that_are_too_large() {
    let server = endless("[", b"{},");
    let client = server.client_with(small);
    let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;
    assert_too_large(&list.unwrap_err(), 2 * MIB, "answer_bytes");

    let server = endless(r#"{"items":["#, b"{},");
    let client = server.client_with(small);
    let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Cursor).try_collect().await;
    assert_too_large(&list.unwrap_err(), 2 * MIB, "answer_bytes");

    let server = endless(r#"{"a":""#, b"a");
    let object = server.client_with(small).object(&PATH).await;
    assert_too_large(&object.unwrap_err(), 2 * MIB, "answer_bytes");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_item_of_a_list_that_is_too_large_is_an_error() {
    let server = Scripted::always(json("", &format!(r#"["{}"]"#, "a".repeat(MIB))));
    let client = server.client_with(small);
    let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;
    assert_too_large(&list.unwrap_err(), MIB, "element_bytes");
}

#[tokio::test]
async fn jobs_without_an_end_are_an_element_that_is_too_large() {
    let server = Scripted::start(|_, line, connection| {
        if !line.contains("/jobs") {
            let build = build(7, 0).replace(r#""jobs":[],"#, "");
            return connection.write_all(json("", &format!("[{build}]")).as_bytes());
        }
        let cursor = line.len();
        let job = format!(r#"{{"id":"{line}","a":"{}"}}"#, "a".repeat(100_000));
        let path = "/v2/organizations/acme/pipelines/web/builds/7/jobs";
        let links = format!(r#"{{"next":"{path}?after={}"}}"#, "x".repeat(cursor));
        let page = format!(r#"{{"items":[{job}],"links":{links}}}"#);
        connection.write_all(json("", &page).as_bytes())
    });
    let error = list_builds(&server.client_with(small)).await.unwrap_err();
    assert_too_large(&error, MIB, "element_bytes");
    assert!(server.requests().len() < 15);
}

#[tokio::test]
async fn a_text_and_a_content_without_an_end_are_too_large() {
    let server = Scripted::start(|_, _, connection| {
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")?;
        repeat(connection, b"line\n")
    });
    let client = server.client_with(|options| {
        options.limits.text_bytes = 4 << 20;
        options.limits.content_bytes = 4 << 20;
    });

    let text = client.end_of_text(&PATH, 100).await;
    assert_too_large(&text.unwrap_err(), 4 * MIB, "text_bytes");

    let mut download = client.retrieval(&PATH).from(0).await.unwrap();
    let error = loop {
        match download.next().await {
            Ok(part) => assert!(part.is_some(), "it does not end"),
            Err(error) => break error,
        }
    };
    assert_too_large(&error, 4 * MIB, "content_bytes");
}

#[tokio::test]
async fn a_page_that_is_too_large_is_read_in_smaller_pages_without_a_wait() {
    let seed = Seed {
        builds: 120,
        jobs_per_build: 10,
        ..Seed::default()
    };
    let builder = MockBuildkite::builder(World::seeded(&seed));
    let set = |options: &mut Options| options.limits.answer_bytes = MIB;
    let bench = Bench::with(builder, set).await;

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_same(&found, &world(&bench.server, "acme-inc"), "large pages");
    let is_retry = |event: &Event| matches!(event, Event::RetryWait { .. });
    assert!(!bench.events().iter().any(is_retry));
    assert!(bench.sizes().contains(&50), "{:?}", bench.sizes());
}

/// Sends this many bytes of `a`, compressed, after a beginning.
fn send_compressed(connection: &mut TcpStream, beginning: &str, mib: usize) -> std::io::Result<()> {
    connection.write_all(ENDLESS_GZIP.as_bytes())?;
    let mut encoder = GzEncoder::new(connection, Compression::fast());
    encoder.write_all(beginning.as_bytes())?;
    for _ in 0..mib {
        encoder.write_all(&[b'a'; MIB])?;
    }
    encoder.finish().map(|_| ())
}

#[test]
fn two_gigabytes_in_one_answer_cost_little_memory() {
    child::assert_passes(
        "large::in_a_process_of_its_own_two_gigabytes_cost_little_memory",
        &[],
    );
}

#[tokio::test]
#[ignore = "needs a process of its own"]
async fn in_a_process_of_its_own_two_gigabytes_cost_little_memory() {
    for (beginning, mib) in [(r#"[""#, 2048), (r#"[{"id":""#, 2048), (r#"{"a":""#, 300)] {
        let server =
            Scripted::start(move |_, _, connection| send_compressed(connection, beginning, mib));
        let client = server.client();
        let error = list_builds(&client).await.unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { .. } | Error::Protocol { .. }),
            "{error}"
        );
        let error = client.object(&PATH).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        let list = client.list(&PATH, &[], Paging::Number);
        let list = list.collect::<Vec<_>>().await;
        assert!(
            matches!(list[..], [Err(Error::TooLarge { .. })]),
            "{list:?}"
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let peak = peak.and_then(|line| line.split_whitespace().nth(1));
    let peak_kib: u64 = peak.and_then(|kib| kib.parse().ok()).expect("a number");
    assert!(peak_kib < 256 * 1024, "{peak_kib} KiB");
}
