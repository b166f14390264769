//! Lists that the token, or the plan, does not allow.

use connector_core::{ErrorKind, Message, Status};
use mock_buildkite::{MockBuildkite, Token};
use serde_json::json;

use super::world::world;
use crate::bench::{Bench, records};

#[tokio::test]
async fn a_token_for_builds_alone_reads_builds_and_reports_every_other_stream_with_its_scope() {
    let builder = MockBuildkite::builder(world());
    let settings = json!({"organizations": ["acme"]});
    let bench = Bench::started(builder, "bkua_narrow", settings).await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds"]));
    let catalog = bench.source.discover().await.unwrap();
    let names: Vec<_> = catalog.streams.iter().map(|s| s.name.as_str()).collect();

    let (messages, error) = bench.attempt(&names, None).await;

    let error = error.expect("streams that cannot be read");
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(records(&messages, "builds").len(), 1);
    assert_eq!(records(&messages, "jobs").len(), 1);
    assert_eq!(records(&messages, "annotations").len(), 2);
    let text = error.to_string();
    for stream in &catalog.streams {
        let name = &stream.name;
        let needs = stream.scopes.first();
        let is_open = stream.scopes.iter().all(|scope| scope == "read_builds");
        let is_complete = messages.contains(&Message::Status(name.clone(), Status::Complete));
        assert_eq!(is_complete, is_open, "{name}");
        if let Some(scope) = needs.filter(|_| !is_open) {
            assert!(
                text.contains(&format!("{name} (takes ")),
                "{name} in {text}"
            );
            assert!(text.contains(scope.as_str()), "{scope} in {text}");
        }
    }
}

#[tokio::test]
async fn the_catalog_says_for_each_stream_whether_the_token_can_read_it() {
    let builder = MockBuildkite::builder(world());
    let bench = Bench::started(builder, "bkua_narrow", json!({})).await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds", "read_agents"]));

    let catalog = bench.source.discover().await.unwrap();
    let marked = bench
        .source
        .permission_aware()
        .unwrap()
        .mark_readable(catalog)
        .await
        .unwrap();

    for (stream, is_readable) in [
        ("builds", true),
        ("agents", true),
        ("emojis", true),
        ("teams", false),
    ] {
        assert_eq!(
            marked.stream(stream).unwrap().is_readable,
            Some(is_readable),
            "{stream}"
        );
    }
    assert_eq!(bench.paths(), ["/v2/access-token"]);
}

#[tokio::test]
async fn a_plan_without_a_feature_stops_neither_the_rest_nor_other_organizations() {
    let mut world = world();
    world.add_organization("other");
    world.put(
        "audit_events",
        &[("organization_slug", "other")],
        json!({"uuid": "ev-9"}),
    );
    world.without_feature(
        "acme",
        "audit_events",
        403,
        "Your plan doesn't include audit events.",
    );
    world.without_feature("acme", "portals", 404, "Not Found");
    let bench = Bench::new(world).await;

    let (messages, error) = bench
        .attempt(&["audit_events", "portals", "teams"], None)
        .await;

    let text = error.expect("two streams that are not there").to_string();
    assert!(
        text.contains("audit_events (takes read_audit_events): ") && text.contains("Your plan"),
        "{text}"
    );
    assert!(
        text.contains("portals (takes read_portals): ") && text.contains("not enabled"),
        "{text}"
    );
    assert_eq!(records(&messages, "audit_events").len(), 1);
    assert_eq!(records(&messages, "teams").len(), 1);
}
