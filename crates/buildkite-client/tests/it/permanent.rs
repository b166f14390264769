//! Failures that do not pass by themselves end at once, with the cause and what to do. Those that do
//! pass are repeated, and change the page size only if it may matter.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use buildkite_client::{BuildQuery, Client, Clock, Error, Event, Options, Paging, Verb};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::child;
use crate::scripted::{NoWait, Scripted, answer, build, json, next_link, observed};

const PATH: [&str; 4] = ["v2", "organizations", "acme", "pipelines"];
const CERTIFICATE: &str = include_str!("keys/tls_only_for_tests.cert.pem");
const KEY: &str = include_str!("keys/tls_only_for_tests.pem");

async fn list_builds(client: &Client) -> Result<usize, Error> {
    let query = BuildQuery {
        organization: "acme".to_owned(),
        ..BuildQuery::default()
    };
    let builds = client.builds(query, |build| build.number);
    Ok(builds.try_collect::<Vec<_>>().await?.len())
}

/// The error of each kind of read, none of which may wait.
async fn read_all(client: &Client) -> [Error; 3] {
    let (client, events) = observed(client);
    let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;
    let errors = [
        client.object(&PATH).await.expect_err("it fails"),
        list.expect_err("it fails"),
        list_builds(&client).await.expect_err("it fails"),
    ];
    let is_retry = |event: &Event| matches!(event, Event::RetryWait { .. });
    assert!(
        !events
            .lock()
            .expect("nothing panics here")
            .iter()
            .any(is_retry),
        "{errors:?}"
    );
    errors
}

fn patient(options: &mut Options) {
    options.retry_budget = Duration::from_secs(180);
    options.clock = Arc::new(NoWait::default());
}

#[tokio::test]
async fn a_web_page_is_an_error_at_once_that_names_the_setting() {
    let page = "<!doctype html><title>Sign in</title>";
    for kind in ["Content-Type: text/html; charset=utf-8\r\n", ""] {
        let server = Scripted::always(answer("200 OK", kind, page));
        let client = server.client_with(patient);

        for error in read_all(&client).await {
            assert!(matches!(error, Error::Protocol { .. }), "{error}");
            assert!(error.to_string().contains("`base_url`"), "{error}");
        }
        assert_eq!(server.requests().len(), 3);
    }
    let server = Scripted::always(answer("200 OK", "Content-Type: text/html\r\n", page));
    let client = server.client_with(patient);
    let text = client.end_of_text(&PATH, 100).await.unwrap_err();
    assert!(matches!(text, Error::Protocol { .. }), "{text}");
    let written = client
        .write(Verb::Post, &PATH, &[], None)
        .await
        .unwrap_err();
    assert!(matches!(written, Error::OutcomeUnknown { .. }), "{written}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_web_page_with_an_error_of_the_server_is_requested_again() {
    let page = answer("502 Bad Gateway", "Content-Type: text/html\r\n", "<html>");
    let server = Scripted::start(move |count, _, connection| {
        let sent = if count == 1 {
            page.clone()
        } else {
            json("", "{}")
        };
        connection.write_all(sent.as_bytes())
    });
    server
        .client()
        .object(&PATH)
        .await
        .expect("the second time");
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_an_error_at_once() {
    let server = Scripted::always("SSH-2.0-OpenSSH_9.6\r\n");
    for error in read_all(&server.client_with(patient)).await {
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("`base_url`"), "{error}");
    }
}

/// A server with a certificate that nobody trusts.
fn tls_server() -> SocketAddr {
    let certificate =
        CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a test needs it");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a test needs it");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("a test needs it")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a test needs it");
    let (config, listener) = (
        Arc::new(config),
        TcpListener::bind("127.0.0.1:0").expect("a test needs it"),
    );
    let address = listener.local_addr().expect("a test needs it");
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let mut tls =
                rustls::ServerConnection::new(Arc::clone(&config)).expect("a test needs it");
            let mut stream = rustls::Stream::new(&mut tls, &mut connection);
            // A client that does not trust the certificate hangs up.
            let _heard = stream.read(&mut [0; 1024]);
            let _sent = stream.write_all(json("", "{}").as_bytes());
        }
    });
    address
}

/// A server that does not understand what a TLS client sends.
fn plain_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a test needs it");
    let address = listener.local_addr().expect("a test needs it");
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let _heard = connection.read(&mut [0; 1024]);
            let _sent = connection.write_all(answer("400 Bad Request", "", "").as_bytes());
        }
    });
    address
}

#[tokio::test]
async fn an_untrusted_certificate_is_an_error_at_once_that_says_what_to_do() {
    let address = tls_server();
    let client = Scripted::always("").client_with(|options| {
        patient(options);
        options.base_url = format!("https://{address}");
    });
    for error in read_all(&client).await {
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("certificate") && text.contains("SSL_CERT_FILE"),
            "{text}"
        );
    }
    let written = client
        .write(Verb::Post, &PATH, &[], None)
        .await
        .unwrap_err();
    assert!(
        matches!(written, Error::Unreachable { .. }),
        "nothing was sent: {written}"
    );
}

#[tokio::test]
async fn the_wrong_scheme_is_an_error_at_once_in_both_directions() {
    let client_of = |base_url: String| {
        Scripted::always("").client_with(|options| {
            patient(options);
            options.base_url = base_url;
        })
    };
    let https = client_of(format!("https://{}", plain_server()));
    let http = client_of(format!("http://{}", tls_server()));
    for client in [https, http] {
        for error in read_all(&client).await {
            assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        }
    }
}

#[test]
fn a_proxy_that_refuses_is_an_error_at_once_that_names_the_variables() {
    for status in ["407 Proxy Authentication Required", "403 Forbidden"] {
        let proxy = Scripted::always(answer(status, "", ""));
        let address = format!("http://user:s3cret@{}", proxy.address);
        let test = "permanent::behind_a_proxy_that_refuses";
        child::assert_passes(test, &[("HTTPS_PROXY", &address)]);
        assert!(
            proxy.requests()[0].starts_with("CONNECT"),
            "{:?}",
            proxy.requests()
        );
    }
}

#[tokio::test]
#[ignore = "needs a process of its own"]
async fn behind_a_proxy_that_refuses() {
    let client = Scripted::always("").client_with(|options| {
        patient(options);
        options.base_url = "https://buildkite.invalid".to_owned();
    });
    for error in read_all(&client).await {
        let text = error.to_string();
        assert!(matches!(error, Error::Unreachable { .. }), "{text}");
        assert!(
            text.contains("HTTPS_PROXY") && text.contains("NO_PROXY"),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_next_link_to_another_origin_is_an_error_at_once_that_names_it() {
    for link in [
        "//192.0.2.1/v2?page=2&access_token=s3cret",
        "https://192.0.2.1/v2?page=2&access_token=s3cret",
        "javascript:alert(1)",
    ] {
        let server = Scripted::always(json(&next_link(link), &format!("[{}]", build(1, 1))));
        let client = server.client_with(patient);
        let list: Result<Vec<_>, _> = client.list(&PATH, &[], Paging::Number).try_collect().await;
        for error in [list.unwrap_err(), list_builds(&client).await.unwrap_err()] {
            let text = error.to_string();
            assert!(matches!(error, Error::Protocol { .. }), "{text}");
            assert!(
                text.contains("`base_url`") && !text.contains("s3cret"),
                "{text}"
            );
            assert_eq!(
                text.contains("192.0.2.1"),
                link.contains("192.0.2.1"),
                "{text}"
            );
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_link_header_that_cannot_be_read_is_an_error_at_once() {
    for link in [
        "next=2",
        "<https://[>; rel=\"next\"",
        "<https://a b/>; rel=next",
    ] {
        let server = Scripted::always(json(&format!("Link: {link}\r\n"), "[]"));
        let error = list_builds(&server.client_with(patient)).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{link}: {error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_relative_next_link_is_followed() {
    let server = Scripted::start(|_, line, connection| {
        let is_second = line.contains("page=2");
        let link = if is_second {
            String::new()
        } else {
            next_link("?page=2")
        };
        connection.write_all(json(&link, "[1]").as_bytes())
    });
    let client = server.client();
    let list: Vec<_> = client
        .list(&PATH, &[], Paging::Number)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(list.len(), 2);
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a test needs it");
    listener.local_addr().expect("a test needs it")
}

#[tokio::test]
async fn without_connection_retries_a_refused_connection_is_an_error_at_once() {
    let client = Scripted::always("").client_with(|options| {
        patient(options);
        options.base_url = format!("http://{}", nobody());
    });
    for error in read_all(&client.without_connection_retries()).await {
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("refused") && text.contains("`base_url`"),
            "{text}"
        );
    }
    let error = client.object(&PATH).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(
        error.to_string().contains("refused"),
        "the cause is kept: {error}"
    );
}

/// Starts a server when the client has waited for the second time.
struct Starter {
    clock: NoWait,
    waits: Mutex<u32>,
    start: Box<dyn Fn() + Send + Sync>,
}

impl Clock for Starter {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut waits = self.waits.lock().expect("nothing panics here");
        *waits += 1;
        if *waits == 2 {
            (self.start)();
        }
        self.clock.sleep(duration)
    }
}

#[tokio::test]
async fn a_refused_connection_does_not_shrink_pages() {
    let address = nobody();
    let server = Arc::new(Mutex::new(None));
    let started = Arc::clone(&server);
    let starter = Starter {
        clock: NoWait::default(),
        waits: Mutex::new(0),
        start: Box::new(move || {
            let page = json("", &format!("[{}]", build(1, 1)));
            let scripted = Scripted::start_at(address, move |_, _, connection| {
                connection.write_all(page.as_bytes())
            });
            *started.lock().unwrap() = Some(scripted);
        }),
    };
    let client = Scripted::always("").client_with(|options| {
        options.retry_budget = Duration::from_secs(180);
        options.clock = Arc::new(starter);
        options.base_url = format!("http://{address}");
    });

    list_builds(&client).await.expect("the server has started");

    let server = server.lock().unwrap();
    let requests = server.as_ref().unwrap().requests();
    assert!(requests[0].contains("per_page=100"), "{requests:?}");
}

#[tokio::test]
async fn only_failures_that_a_smaller_page_may_avoid_shrink_pages() {
    let json_type = "Content-Type: application/json\r\n";
    for (fault, second_size) in [
        (json("", "[{} {}]"), 100),
        (json(&next_link("?page=2"), "[]"), 100),
        (answer("500 No", "", ""), 50),
        (answer("200 OK", json_type, "["), 50),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[".to_owned(),
            50,
        ),
    ] {
        let first = fault.clone();
        let server = Scripted::start(move |count, _, connection: &mut TcpStream| {
            let sent = if count == 1 {
                first.clone()
            } else {
                json("", "[]")
            };
            connection.write_all(sent.as_bytes())
        });
        list_builds(&server.client_with(patient)).await.unwrap();
        let requests = server.requests();
        let expected = format!("per_page={second_size} ");
        assert!(requests[1].contains(&expected), "{fault}: {requests:?}");
    }
}
