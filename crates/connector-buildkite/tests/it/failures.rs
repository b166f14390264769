//! How a read fails: which kind, in which stream, and that nothing follows.

use connector_core::{Error, ErrorKind, Message, Retry};
use mock_buildkite::{DEMO_TOKEN, Fault, LimitScope, MockBuildkite, Token};
use serde_json::json;

use crate::bench::{Bench, STREAMS, checkpoints, records, request, seeded};
use crate::truth::truth;

fn stream_of(error: &Error) -> Option<&str> {
    let mut context = error.context();
    context
        .find(|(key, _)| *key == "stream")
        .map(|(_, value)| value)
}

#[tokio::test]
async fn an_error_names_its_stream_and_nothing_follows() {
    for (last, stream) in [(1, "organizations"), (2, "pipelines"), (4, "builds")] {
        let bench = Bench::new(seeded(450, 1)).await;
        bench.server.on_request(move |count, world| {
            if count == last {
                world.revoke_token(DEMO_TOKEN);
            }
        });

        let (messages, error) = bench.attempt(&STREAMS, None).await;

        let error = error.expect(stream);
        assert_eq!(error.kind(), ErrorKind::Auth, "{stream}");
        assert_eq!(stream_of(&error), Some(stream));
        assert_eq!(bench.server.requests().len() as u64, last);
        let is_complete = |message: &Message| matches!(message, Message::Status(of, connector_core::Status::Complete) if *of == stream);
        assert!(!messages.iter().any(is_complete), "{stream}");
    }
}

#[tokio::test]
async fn what_came_before_an_error_is_covered_by_a_checkpoint_to_go_on_from() {
    let bench = Bench::new(seeded(450, 1)).await;
    bench.server.on_request(|count, world| match count {
        4 => world.revoke_token(DEMO_TOKEN),
        5 => world.add_token(Token::new(DEMO_TOKEN)),
        _ => {}
    });

    let (messages, error) = bench.attempt(&["builds"], None).await;
    assert!(error.is_some());
    let (at, state) = checkpoints(&messages).pop().expect("a checkpoint");
    assert_eq!(at + 1, messages.len(), "the page that failed gave nothing");
    let rest = bench.resume(&["builds"], Some(state)).await;

    let mut found = records(&messages, "builds");
    found.extend(records(&rest, "builds"));
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), truth(&bench.server, "acme-inc").builds.len());
}

#[tokio::test]
async fn a_missing_scope_is_named_with_the_stream_that_needs_it() {
    for (scopes, missing, stream) in [
        (
            vec!["read_organizations", "read_pipelines"],
            "read_builds",
            "builds",
        ),
        (
            vec!["read_organizations", "read_builds"],
            "read_pipelines",
            "pipelines",
        ),
        (
            vec!["read_pipelines", "read_builds"],
            "read_organizations",
            "organizations",
        ),
    ] {
        let builder = MockBuildkite::builder(seeded(10, 1));
        let bench = Bench::started(builder, "bkua_narrow", json!({})).await;
        bench
            .server
            .add_token(Token::new("bkua_narrow").scopes(scopes));

        let (_, error) = bench.attempt(&STREAMS, None).await;

        let error = error.expect(missing);
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert_eq!(stream_of(&error), Some(stream));
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_organization_is_refused_by_key_in_every_stream() {
    for stream in STREAMS {
        let settings = json!({"organizations": ["nobodys-s3cret"]});
        let bench = Bench::with(seeded(10, 1), settings).await;

        let (_, error) = bench.attempt(&[stream], None).await;

        let error = error.expect(stream);
        assert_eq!(error.kind(), ErrorKind::Config, "{stream}");
        assert_eq!(stream_of(&error), Some(stream));
        let text = error.to_string();
        assert!(
            text.contains("organizations[0]") && text.contains("acme-inc"),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_limit_used_up_for_an_hour_tells_the_runner_when_to_come_back() {
    let bench = Bench::new(seeded(10, 1)).await;
    bench.server.fail_next(Fault::RateLimited {
        scope: LimitScope::User,
        reset: 3_600,
        has_details: true,
    });

    let (_, error) = bench.attempt(&["builds"], None).await;

    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(matches!(error.retry(), Retry::After(wait) if wait.as_secs() / 10 == 360));
    assert_eq!(stream_of(&error), Some("builds"));
}

#[tokio::test]
async fn one_broken_page_of_each_list_is_mended_unseen() {
    let bench = Bench::new(seeded(120, 2)).await;
    for path in ["/v2/organizations", "/pipelines"] {
        bench.server.fail(Fault::TruncatedGzip, 1, path);
    }

    let messages = bench.read(&STREAMS).await;

    let expected = truth(&bench.server, "acme-inc");
    assert_eq!(records(&messages, "builds"), expected.builds);
    assert_eq!(records(&messages, "jobs"), expected.jobs);
}

#[tokio::test]
async fn an_unknown_stream_or_mode_is_refused_before_any_request() {
    let bench = Bench::new(seeded(10, 1)).await;

    let (messages, error) = bench.attempt(&["builds", "nothing"], None).await;

    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("builds, jobs"), "{error}");
    assert_eq!((messages, bench.paths()), (Vec::new(), Vec::new()));
    let mut incremental = request(&["pipelines"]);
    incremental.streams[0].mode = connector_core::SyncMode::Incremental;
    let refused = futures::TryStreamExt::try_next(&mut bench.source.read(incremental)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn the_token_and_the_address_are_in_nothing_that_comes_out() {
    const SECRET: &str = "bkua_a_very_secret_token";
    let builder = MockBuildkite::builder(seeded(250, 1));
    let bench = Bench::started(builder, SECRET, json!({})).await;
    bench.server.add_token(Token::new(SECRET));
    let address = bench.server.uri().trim_start_matches("http://").to_owned();
    bench.server.on_request(|count, world| {
        if count == 4 {
            world.revoke_token(SECRET);
        }
    });

    let (messages, error) = bench.attempt(&["builds", "jobs"], None).await;

    let error = error.unwrap();
    let states: Vec<_> = checkpoints(&messages)
        .iter()
        .map(|(_, s)| s.to_json().unwrap())
        .collect();
    assert!(!states.is_empty());
    let told = format!("{error} {error:?} {:?}", bench.events());
    assert!(!told.contains(&address));
    for text in [told, format!("{messages:?}"), states.concat()] {
        assert!(!text.contains(SECRET));
    }
}
