//! The token and the address are in no error and no event, whatever the server sends.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use buildkite_client::Credential;
use buildkite_client::Error;
use mock_buildkite::{MockBuildkite, World};

use crate::bench::{Bench, all};

const TOKEN: &str = "bkua_a_very_secret_token";

/// A server that sends each of `answers` once, each on its own connection.
fn canned(answers: Vec<String>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let thread = std::thread::spawn(move || {
        for answer in answers {
            let (mut connection, _) = listener.accept().expect("a client comes");
            let mut head = Vec::new();
            let mut part = [0; 1024];
            while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                let count = connection.read(&mut part).expect("a request");
                assert_ne!(count, 0, "the request is whole");
                head.extend_from_slice(&part[..count]);
            }
            connection
                .write_all(answer.as_bytes())
                .expect("the client reads");
        }
    });
    (address, thread)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

async fn bench(address: &str) -> Bench {
    let builder = MockBuildkite::builder(World::empty());
    Bench::with(builder, |options| {
        options.credential = Credential::ApiKey(TOKEN.into());
        options.base_url = format!("http://{address}");
        options.retry_budget = Duration::ZERO;
    })
    .await
}

fn assert_discreet(error: &Error, bench: &Bench, address: &str) {
    let events = bench.events();
    for text in [
        format!("{error}"),
        format!("{error:?}"),
        format!("{events:?}"),
    ] {
        assert!(!text.contains(TOKEN), "{text}");
        assert!(!text.contains(address), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_token_does_not_bring_it_into_an_error() {
    let echo = format!(r#"{{"message":"the token {TOKEN} is not good:\n Bearer {TOKEN}"}}"#);
    for status in ["400 Bad", "401 No", "403 No", "404 No", "422 No"] {
        let (address, thread) = canned(vec![answer(status, "", &echo)]);
        let bench = bench(&address).await;

        let error = bench.read(all("acme-inc")).await.unwrap_err();

        assert_discreet(&error, &bench, &address);
        let text = error.to_string();
        assert!(
            text.contains("[REDACTED]") && !text.contains('\n'),
            "{text}"
        );
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn the_token_in_a_header_or_a_body_of_any_kind_does_not_come_into_an_error() {
    let location = format!("Location: http://192.0.2.1/?access_token={TOKEN}\r\n");
    let link = format!("Link: <http://192.0.2.1/?access_token={TOKEN}>; rel=\"next\"\r\n");
    let malformed = format!("Link: next={TOKEN}\r\n");
    let scope = format!("X-Accepted-OAuth-Scopes: {TOKEN}\r\n");
    let page = format!("<html>{TOKEN}</html>");
    let build = format!(r#"[{{"id":"{TOKEN}","number":"{TOKEN}","created_at":"{TOKEN}"}}]"#);
    for broken in [
        answer("302 Found", &location, ""),
        answer("200 OK", &link, "[]"),
        answer("200 OK", &malformed, "[]"),
        answer("403 No", &scope, "{}"),
        answer("500 No", "", &page),
        answer("200 OK", "", &page),
        answer("200 OK", "", &build),
        format!("HTTP/1.1 {TOKEN}\r\n\r\n"),
    ] {
        // With a budget of zero, what may be repeated is sent three times.
        let (address, _thread) = canned(vec![broken; 3]);
        let bench = bench(&address).await;

        let error = bench.read(all("acme-inc")).await.unwrap_err();

        assert_discreet(&error, &bench, &address);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_without_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let bench = bench(&address).await;

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    assert!(
        matches!(error, Error::Unavailable { attempts: 3, .. }),
        "{error}"
    );
    assert_discreet(&error, &bench, &address);
}
