//! Lists of builds and jobs.

use std::time::Duration;

use connector_core::{Event, Message, ReadRequest, Selection, State};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, MockBuildkite, Token, World};
use serde_json::json;

use super::object;
use super::world::{ACME, world};
use crate::bench::{Bench, checkpoints, records};

#[tokio::test]
async fn only_the_end_of_a_long_log_is_read_and_that_is_reported() {
    let mut world = world();
    world.clear("job_logs", &[ACME]);
    let job = object(&world.builds_json()[0])["jobs"][0]["id"].clone();
    let parents = [ACME, ("job_id", job.as_str().unwrap())];
    world.put(
        "job_logs",
        &parents,
        json!({"content": format!("{}é the end", "x".repeat(2000))}),
    );
    let bench = Bench::with(world, json!({"log_limit_bytes": 1024})).await;

    let messages = bench.read(&["job_logs"]).await;

    let log = object(records(&messages, "job_logs")[0]);
    let content = log["content"].as_str().unwrap();
    assert!(
        content.ends_with("xé the end") && content.len() == 1024,
        "{content}"
    );
    assert_eq!(log["size"], 2010);
    assert_eq!(log["content_truncated"], true);
    assert_eq!(log["job_id"], job);
    let is_reported = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("log_limit_bytes (1024)"));
    assert!(bench.events().iter().any(is_reported));
}

/// Reads streams incrementally; what was read, and the state that it left.
async fn sync(
    bench: &Bench,
    streams: &[&str],
    state: Option<State>,
) -> (Vec<Message>, Option<State>) {
    let selections = streams.iter().map(|name| Selection::incremental(*name));
    let request = ReadRequest::new(selections).with_state(state);
    let messages: Vec<_> = bench
        .source
        .read(request)
        .try_collect()
        .await
        .expect("a sync that succeeds");
    let state = checkpoints(&messages).pop().map(|(_, state)| state);
    (messages, state)
}

#[tokio::test]
async fn artifacts_cost_a_request_for_each_changed_build_and_none_for_others() {
    let mut world = World::empty();
    for _ in 0..50 {
        world.create_build(BuildFixture::new("acme", "web").state("passed"));
    }
    let bench = Bench::with(world, json!({"organizations": ["acme"]})).await;
    let requests = |bench: &Bench| {
        let paths = bench.paths().into_iter();
        paths.filter(|path| path.ends_with("/artifacts")).count()
    };

    let (_, state) = sync(&bench, &["builds", "artifacts"], None).await;
    assert_eq!(requests(&bench), 50);

    bench.server.clock().advance(Duration::from_secs(3600));
    let (_, state) = sync(&bench, &["builds", "artifacts"], state).await;
    assert_eq!(requests(&bench), 50, "nothing changed");

    let build = BuildFixture::new("acme", "web").state("passed");
    bench.server.with_world(|world| world.create_build(build));
    let number = [ACME, ("pipeline_slug", "web"), ("build_number", "51")];
    bench
        .server
        .with_world(|world| world.put("artifacts", &number, json!({"id": "a-51"})));
    let (messages, _) = sync(&bench, &["builds", "artifacts"], state).await;
    assert_eq!(requests(&bench), 51);
    assert_eq!(records(&messages, "artifacts").len(), 1);
}

#[tokio::test]
async fn the_checkpoint_of_a_page_comes_after_the_lists_of_its_builds() {
    let bench = Bench::new(world()).await;
    let (messages, _) = sync(&bench, &["builds", "artifacts", "job_logs"], None).await;
    let is_listed = |message: &Message| match message {
        Message::Record(record) => record.stream == "artifacts" || record.stream == "job_logs",
        _ => false,
    };
    let last = messages.iter().rposition(is_listed).unwrap();
    let first = checkpoints(&messages)[0].0;
    assert!(last < first, "{last} {first}");
}

#[tokio::test]
async fn a_list_that_is_refused_midway_keeps_its_state() {
    let settings = json!({"organizations": ["acme"]});
    let bench = Bench::started(MockBuildkite::builder(world()), "bkua_narrow", settings).await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds"]));
    let selections = ["builds", "artifacts"].map(Selection::incremental);
    let mut states = Vec::new();
    let mut reading = bench.source.read(ReadRequest::new(selections.clone()));
    while let Ok(Some(message)) = reading.try_next().await {
        if let Message::Checkpoint(state) = message {
            states.push(state);
        }
    }

    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds", "read_artifacts"]));
    let request = ReadRequest::new(selections).with_state(states.pop());
    let messages: Vec<_> = bench.source.read(request).try_collect().await.unwrap();

    assert_eq!(
        records(&messages, "artifacts").len(),
        2,
        "they are read now"
    );
}
