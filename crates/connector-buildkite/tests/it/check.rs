//! `check` and `discover`: what a user learns before anything is read.

use connector_buildkite::Buildkite;
use connector_core::{Configuration, Connector, ErrorKind, Event, Setup};
use mock_buildkite::{MockBuildkite, Token};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, seeded};

async fn with_token(token: Token, secret: &str, settings: Value) -> Bench {
    let bench = Bench::started(MockBuildkite::builder(seeded(5, 1)), secret, settings).await;
    bench.server.add_token(token);
    bench
}

#[tokio::test]
async fn a_sound_token_passes_with_two_requests() {
    let bench = Bench::new(seeded(5, 1)).await;

    bench.source.check().await.unwrap();

    assert_eq!(bench.paths(), ["/v2/access-token", "/v2/organizations"]);
    assert_eq!(bench.server.unknown_requests(), []);
    let is_notice = |event: &Event| matches!(event, Event::Notice { .. });
    assert!(!bench.events().iter().any(is_notice));
}

#[tokio::test]
async fn an_unknown_token_is_an_error_of_the_credential() {
    let builder = MockBuildkite::builder(seeded(5, 1));
    let bench = Bench::started(builder, "bkua_nobody", json!({})).await;

    let error = bench.source.check().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error}{error:?}").contains("bkua_nobody"));
}

#[tokio::test]
async fn a_missing_scope_is_named_with_the_streams_that_need_it() {
    for (granted, lacking, streams) in [
        (
            ["read_organizations", "read_pipelines"],
            "read_builds",
            "builds, jobs",
        ),
        (
            ["read_organizations", "read_builds"],
            "read_pipelines",
            "pipelines",
        ),
        (
            ["read_pipelines", "read_builds"],
            "read_organizations",
            "organizations",
        ),
    ] {
        let token = Token::new("bkua_narrow").scopes(granted);
        let bench = with_token(token, "bkua_narrow", json!({})).await;

        let error = bench.source.check().await.unwrap_err();

        assert_eq!(error.kind(), ErrorKind::Permission, "{lacking}");
        let text = error.to_string();
        assert!(text.contains(lacking) && text.contains(streams), "{text}");
    }
}

#[tokio::test]
async fn named_organizations_need_not_be_seen_as_objects() {
    let token = Token::new("bkua_narrow").scopes(["read_pipelines", "read_builds"]);
    let settings = json!({"organizations": ["acme-inc"]});
    let bench = with_token(token, "bkua_narrow", settings).await;

    bench.source.check().await.unwrap();

    let says_so = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("read_organizations"));
    assert!(bench.events().iter().any(says_so), "{:?}", bench.events());
    let messages = bench.read(&["pipelines", "builds", "jobs"]).await;
    assert!(!messages.is_empty());
}

#[tokio::test]
async fn an_unknown_organization_is_refused_by_key_and_the_allowed_ones_are_listed() {
    let settings = json!({"organizations": ["nobodys-s3cret", "acme-inc"]});
    let bench = Bench::with(seeded(5, 1), settings).await;

    let error = bench.source.check().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(
        text.contains("organizations[0]") && text.contains("acme-inc"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn an_unknown_pipeline_is_refused_by_key() {
    let bench = Bench::with(seeded(5, 1), json!({"pipelines": ["nothing-s3cret"]})).await;

    let error = bench.source.check().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(
        text.contains("pipelines[0]") && !text.contains("s3cret"),
        "{text}"
    );
}

#[tokio::test]
async fn a_token_that_sees_no_organization_is_told_so() {
    let token = Token::new("bkua_lonely").organizations(Vec::<String>::new());
    let bench = with_token(token, "bkua_lonely", json!({})).await;

    let error = bench.source.check().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Permission);
}

#[tokio::test]
async fn discovery_gives_the_same_catalog_each_time_without_a_request() {
    let bench = Bench::new(seeded(5, 1)).await;

    let catalog = bench.source.discover().await.unwrap();

    assert_eq!(bench.source.discover().await.unwrap(), catalog);
    assert_eq!(bench.paths(), Vec::<String>::new());
    let default = catalog.streams.iter().filter(|stream| stream.is_default);
    let names: Vec<_> = default.map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, STREAMS);
    for stream in catalog.streams {
        let schema = &stream.json_schema;
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["type"], "object");
        assert!(!schema.to_string().contains("$ref"), "{}", stream.name);
        for key in &stream.primary_key {
            assert!(schema["properties"][key].is_object(), "{}", stream.name);
        }
    }
}

#[tokio::test]
async fn a_source_without_a_key_or_with_an_address_that_is_not_safe_is_not_opened() {
    for (settings, key) in [
        (json!({}), "api_key"),
        (
            json!({"api_key": "s3cret", "base_url": "http://192.0.2.1"}),
            "base_url",
        ),
        (
            json!({"api_key": "s3cret\n", "base_url": "https://192.0.2.1"}),
            "api_key",
        ),
    ] {
        let setup = Setup::new(Configuration::new(settings).unwrap());
        assert!(!format!("{setup:?}").contains("s3cret"));

        let opened = Buildkite.source().unwrap().open(setup).await;

        let error = opened.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{key}");
        let text = format!("{error}{error:?}");
        assert!(text.contains(key) && !text.contains("s3cret"), "{text}");
    }
}
