//! A read that is divided into parts.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use connector_core::{
    ErrorKind, Message, Partitions, ReadRequest, Result, Selection, Source, State, Status,
};
use futures::TryStreamExt;
use mock_buildkite::{Seed, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, seeded};

/// Plain streams, builds, lists below them, and trees of lists.
const MIXED: [&str; 8] = [
    "organizations",
    "pipelines",
    "builds",
    "jobs",
    "annotations",
    "pipeline_schedules",
    "agents",
    "cluster_queues",
];

/// The texts of records by stream, each once.
type Records = BTreeMap<String, BTreeSet<String>>;

fn request(streams: &[&str]) -> ReadRequest {
    let selection = |name: &&str| match *name {
        "builds" | "jobs" | "annotations" => Selection::incremental(*name),
        name => Selection::full_refresh(name),
    };
    ReadRequest::new(streams.iter().map(selection))
}

fn records(messages: &[Message]) -> Records {
    let mut records = Records::new();
    for message in messages {
        if let Message::Record(record) = message {
            let of_stream = records.entry(record.stream.to_string()).or_default();
            of_stream.insert(record.data.as_str().to_owned());
        }
    }
    records
}

async fn divide(
    source: &dyn Source,
    request: &ReadRequest,
    at_most: usize,
    end: Option<State>,
) -> Result<Partitions> {
    let at_most = NonZeroUsize::new(at_most).expect("it is not zero");
    let partitioned = source.partitioned().expect("it can be divided");
    partitioned.partitions(request, at_most, end).await
}

/// Reads a part with a fresh source, after it has travelled as text.
async fn read_part(bench: &Bench, settings: &Value, part: &ReadRequest) -> Vec<Message> {
    let text = serde_json::to_string(part).expect("a part has a JSON form");
    assert!(!text.contains(bench.server.token()), "{text}");
    assert!(text.len() < 64 * 1024, "{} bytes", text.len());
    let source = bench.open(settings.clone()).await;
    let part = serde_json::from_str(&text).expect("the JSON form of a part");
    let read = source.read(part).try_collect().await;
    read.expect("a part is read")
}

/// Divides a read and compares the parts with the whole.
async fn assert_parts_are_the_whole(world: World, settings: Value, streams: &[&str]) {
    let bench = Bench::with(world, settings.clone()).await;
    let request = request(streams);
    let whole = bench.source.read(request.clone()).try_collect().await;
    let whole: Vec<_> = whole.expect("the whole is read");
    let whole = records(&whole);
    assert!(whole.values().map(BTreeSet::len).sum::<usize>() > 100);
    for at_most in [1, 4, 16] {
        let divided = divide(&*bench.source, &request, at_most, None).await;
        let mut parts = divided.expect("a read can be divided").parts;
        assert!(parts.len() <= at_most);
        assert!(parts.len() >= at_most.min(4), "{} parts", parts.len());
        fastrand::shuffle(&mut parts);
        let mut together = Records::new();
        for part in &parts {
            assert_eq!(part.state, None);
            let messages = read_part(&bench, &settings, part).await;
            for (stream, of_stream) in records(&messages) {
                together.entry(stream).or_default().extend(of_stream);
            }
        }
        assert!(together == whole, "{at_most} parts");
    }
}

#[tokio::test]
async fn parts_in_any_order_are_together_the_whole() {
    assert_parts_are_the_whole(seeded(450, 2), json!({}), &MIXED).await;
}

#[tokio::test]
async fn parts_of_two_organizations_are_together_the_whole() {
    let world = World::seeded(&Seed {
        organizations: 2,
        builds: 500,
        jobs_per_build: 1,
        ..Seed::default()
    });
    assert_parts_are_the_whole(world, json!({}), &STREAMS).await;
}

#[tokio::test]
async fn parts_of_selected_pipelines_are_together_the_whole() {
    let world = seeded(900, 1);
    let slugs = world.pipeline_slugs("acme-inc");
    let settings = json!({"pipelines": [slugs[0], slugs[1]], "start_date": "2000-01-01"});
    assert_parts_are_the_whole(world, settings, &STREAMS).await;
}

#[tokio::test]
async fn a_full_refresh_divides_too_and_its_end_resumes_nothing() {
    let bench = Bench::new(seeded(600, 1)).await;
    let request = crate::bench::request(&["builds", "jobs"]);
    let whole = records(&bench.read(&["builds", "jobs"]).await);

    let divided = divide(&*bench.source, &request, 4, None).await.unwrap();

    let mut together = Records::new();
    for part in &divided.parts {
        let messages = read_part(&bench, &json!({}), part).await;
        for (stream, of_stream) in records(&messages) {
            together.entry(stream).or_default().extend(of_stream);
        }
    }
    assert!(together == whole);
    let next = bench.resume(&["builds", "jobs"], Some(divided.end)).await;
    assert!(
        records(&next) == whole,
        "the next full refresh reads all of it"
    );
}

#[tokio::test]
async fn a_part_yields_statuses_of_its_streams_and_no_state() {
    let bench = Bench::new(seeded(300, 1)).await;
    let divided = divide(&*bench.source, &request(&MIXED), 4, None)
        .await
        .unwrap();
    for part in &divided.parts {
        let messages = read_part(&bench, &json!({}), part).await;
        for selection in &part.streams {
            for status in [Status::Started, Status::Complete] {
                let status = Message::Status(selection.stream.clone(), status);
                assert!(messages.contains(&status), "{status:?}");
            }
        }
        let is_state = |message: &Message| matches!(message, Message::Checkpoint(_));
        assert!(!messages.iter().any(is_state));
    }
}

#[tokio::test]
async fn the_same_end_gives_the_same_parts_without_a_request() {
    let bench = Bench::new(seeded(900, 1)).await;
    let request = request(&MIXED);
    let divided = divide(&*bench.source, &request, 16, None).await.unwrap();
    let requests = bench.paths().len();
    let end = State::parse(&divided.end.to_json().unwrap()).unwrap();

    let other = bench.open(json!({})).await;
    let again = divide(&*other, &request, 16, Some(end.clone()))
        .await
        .unwrap();
    assert_eq!(again, divided);
    let fewer = divide(&*other, &request, 3, Some(end)).await.unwrap();
    assert_eq!(fewer.parts.len(), 3);
    assert_eq!(bench.paths().len(), requests);
}

#[tokio::test]
async fn planning_and_the_next_read_cost_a_handful_of_requests() {
    let bench = Bench::new(seeded(2_000, 1)).await;
    let request = request(&["builds", "jobs"]);
    let divided = divide(&*bench.source, &request, 4, None).await.unwrap();
    let planning = bench.paths().len();
    assert!(planning <= 40, "{planning} requests");

    let next = request.with_state(Some(divided.end));
    let messages: Vec<_> = bench.source.read(next).try_collect().await.unwrap();
    let requests = bench.paths().len() - planning;
    assert!(requests <= 6, "{requests} requests");
    let read = records(&messages).get("builds").map_or(0, BTreeSet::len);
    assert!(read < 100, "{read} builds are read again");
}

#[tokio::test]
async fn what_is_no_part_of_this_source_is_refused() {
    let bench = Bench::new(seeded(50, 1)).await;
    let divided = divide(&*bench.source, &request(&STREAMS), 1, None)
        .await
        .unwrap();
    let part = divided.parts[0].clone();
    let other_streams = ReadRequest::new([Selection::full_refresh("agents")])
        .with_partition(part.partition.clone().unwrap());
    let foreign = request(&STREAMS).with_partition(json!({"window": [1, 2]}));
    let mut of_other = part.clone();
    of_other.partition.as_mut().unwrap()["base_url"] = "https://api.buildkite.com".into();
    let before = bench.paths().len();
    for request in [other_streams, foreign, of_other] {
        let read: Result<Vec<_>> = bench.source.read(request).try_collect().await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Config);
    }
    let divided = divide(&*bench.source, &part, 2, None).await;
    assert_eq!(divided.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(bench.paths().len(), before);
}

#[tokio::test]
async fn an_end_of_another_read_is_refused() {
    let bench = Bench::new(seeded(50, 1)).await;
    let builds = request(&["builds"]);
    let end = divide(&*bench.source, &builds, 2, None).await.unwrap().end;
    let checkpoint = State::new("buildkite", 2);
    let later = bench.open(json!({"start_date": "2020-01-01"})).await;
    for (source, request, end) in [
        (&bench.source, request(&["builds", "jobs"]), end.clone()),
        (&later, builds.clone(), end),
        (&bench.source, builds.clone(), checkpoint),
    ] {
        let divided = divide(&**source, &request, 2, Some(end)).await;
        assert_eq!(divided.unwrap_err().kind(), ErrorKind::State);
    }
}
