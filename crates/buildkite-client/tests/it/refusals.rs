//! Answers that another attempt cannot change: an error at once, and no request to another host.

use std::io::ErrorKind;
use std::net::TcpListener;

use buildkite_client::{BuildQuery, Client, Credential, Error, Options};
use mock_buildkite::{Fault, Seed, Token, World};

use crate::bench::{Bench, all};

fn small() -> World {
    World::seeded(&Seed {
        builds: 230,
        jobs_per_build: 1,
        ..Seed::default()
    })
}

async fn with_token(token: &'static str) -> Bench {
    let builder = mock_buildkite::MockBuildkite::builder(small());
    let set = |options: &mut Options| options.credential = Credential::ApiKey(token.into());
    Bench::with(builder, set).await
}

#[tokio::test]
async fn an_unknown_token_is_an_error_after_one_request() {
    let bench = with_token("bkua_nobody").await;

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(error.to_string().contains("401"), "{error}");
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn a_missing_scope_is_named_after_one_request() {
    let bench = with_token("bkua_narrow").await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_pipelines"]));

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    let text = error.to_string();
    assert!(
        text.contains("403") && text.contains("read_builds"),
        "{text}"
    );
    let Error::Forbidden { needed_scope, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(needed_scope.as_deref(), Some("read_builds"));
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_is_an_error_with_its_path_after_one_request() {
    let bench = Bench::new(small()).await;

    let error = bench.read(all("nobody")).await.unwrap_err();

    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    assert_eq!(error.path(), Some("/v2/organizations/nobody/builds"));
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn a_token_revoked_in_the_middle_ends_the_listing_with_an_error() {
    let bench = Bench::new(small()).await;
    let secret = bench.server.token();
    bench.server.on_request(move |count, world| {
        if count == 2 {
            world.revoke_token(secret);
        }
    });
    let mut pages = 0;

    let listing = bench.read_with(all("acme-inc"), |_, _| pages += 1).await;

    assert!(
        matches!(listing, Err(Error::Unauthorized { .. })),
        "{listing:?}"
    );
    assert_eq!(pages, 1);
    assert_eq!(bench.server.requests().len(), 2);
}

/// Another host, which must receive nothing.
fn stranger() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener
        .set_nonblocking(true)
        .expect("a socket can be asked without waiting");
    let address = listener.local_addr().expect("it is bound");
    (listener, format!("http://{address}"))
}

fn assert_silent(listener: &TcpListener) {
    let heard = listener.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(heard, Err(ErrorKind::WouldBlock));
}

#[tokio::test]
async fn a_redirect_is_an_error_and_the_token_does_not_follow_it() {
    let (listener, address) = stranger();
    let bench = Bench::new(small()).await;
    bench
        .server
        .fail_next(Fault::Redirect(format!("{address}/v2")));

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(error.to_string().contains("redirect"), "{error}");
    assert_eq!(bench.server.requests().len(), 1);
    assert_silent(&listener);
}

#[tokio::test]
async fn a_next_link_to_another_host_is_an_error_and_the_token_does_not_follow_it() {
    let (listener, address) = stranger();
    let bench = Bench::new(small()).await;
    bench.server.fail_next(Fault::NextLinkTo(address.clone()));

    let error = bench.read(all("acme-inc")).await.unwrap_err();

    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(error.to_string().contains("next"), "{error}");
    bench.server.fail_next(Fault::NextLinkTo(address));
    let path = ["v2", "organizations", "acme-inc", "pipelines"];
    let list = bench
        .client
        .list(&path, &[], buildkite_client::Paging::Number);
    let listed: Result<Vec<_>, _> = futures::TryStreamExt::try_collect(list).await;
    assert!(matches!(listed, Err(Error::Protocol { .. })));
    assert_eq!(bench.server.requests().len(), 2);
    assert_silent(&listener);
}

#[tokio::test]
async fn a_pipeline_that_does_not_exist_is_an_error_and_no_empty_list() {
    let bench = Bench::new(small()).await;
    let query = BuildQuery {
        pipeline: Some("nothing".to_owned()),
        ..all("acme-inc")
    };

    let error = bench.read(query).await.unwrap_err();

    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[test]
fn a_base_url_without_tls_is_refused_unless_it_is_this_machine() {
    let with = |base_url: &str| {
        let mut options = Options::new(Credential::ApiKey("bkua_secret".into()));
        options.base_url = base_url.to_owned();
        Client::new(options).map(drop)
    };
    for refused in [
        "http://192.0.2.1",
        "http://example.com",
        "ftp://127.0.0.1",
        "",
        "x",
    ] {
        let error = with(refused).unwrap_err();
        assert!(matches!(error, Error::BaseUrl(_)), "{refused}");
    }
    for taken in [
        "https://example.com",
        "http://127.0.0.1:1",
        "http://localhost:1/prefix/",
    ] {
        assert!(with(taken).is_ok(), "{taken}");
    }
}

#[test]
fn a_token_that_no_header_can_carry_is_refused_and_not_repeated() {
    for token in ["", "two\nlines_secret"] {
        let error = Client::new(Options::new(Credential::ApiKey(token.into())))
            .map(drop)
            .unwrap_err();
        assert!(matches!(error, Error::Token(_)), "{error}");
        assert!(!format!("{error}{error:?}").contains("secret"));
    }
}
