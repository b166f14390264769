//! The token and the address are in no error and no event, whatever the server sends.

use std::future::ready;
use std::net::TcpListener;
use std::time::Duration;

use buildkite_client::{Credential, Error, Listed, Unusable};
use futures::TryStreamExt;
use mock_buildkite::{MockBuildkite, World};

use crate::bench::{Bench, all};
use crate::scripted::{Scripted, answer};

const TOKEN: &str = "bkua_a_very_secret_token";

async fn bench(address: &str) -> Bench {
    let builder = MockBuildkite::builder(World::empty());
    Bench::with(builder, |options| {
        options.credential = Credential::ApiKey(TOKEN.into());
        options.base_url = format!("http://{address}");
        options.retry_budget = Duration::ZERO;
    })
    .await
}

fn assert_discreet(error: &str, bench: &Bench, address: &str) {
    let events = bench.events();
    for text in [error.to_owned(), format!("{events:?}")] {
        assert!(!text.contains(TOKEN), "{text}");
        assert!(!text.contains(address), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_token_does_not_bring_it_into_an_error() {
    let echo = format!(r#"{{"message":"the token {TOKEN} is not good:\n Bearer {TOKEN}"}}"#);
    for status in ["400 Bad", "401 No", "403 No", "404 No", "422 No"] {
        let server = Scripted::always(answer(status, "", &echo));
        let address = server.address.to_string();
        let bench = bench(&address).await;

        let error = bench.read(all("acme-inc")).await.unwrap_err();

        assert_discreet(&format!("{error} {error:?}"), &bench, &address);
        let text = error.to_string();
        assert!(
            text.contains("[REDACTED]") && !text.contains('\n'),
            "{text}"
        );
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
        let server = Scripted::always(broken);
        let address = server.address.to_string();
        let bench = bench(&address).await;

        let failure = match listed(&bench).await {
            Ok(unusable) => format!("{unusable:?}"),
            Err(error) => format!("{error} {error:?}"),
        };

        assert_discreet(&failure, &bench, &address);
    }
}

/// The elements that cannot be used.
async fn listed(bench: &Bench) -> Result<Vec<Unusable>, Error> {
    let builds = bench.client.builds(all("acme-inc"), |_| ());
    let unusable = |listed| match listed {
        Listed::Unusable(unusable) => Some(unusable),
        _ => None,
    };
    builds
        .try_filter_map(|listed| ready(Ok(unusable(listed))))
        .try_collect()
        .await
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
    assert_discreet(&format!("{error} {error:?}"), &bench, &address);
}
