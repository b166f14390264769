//! Incremental reads: what they find, and what they cost.

use std::time::Duration;

use connector_core::{ErrorKind, Message, ReadRequest, Selection, Source, State};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, World};
use serde_json::json;

use crate::bench::{Bench, checkpoints, records, seeded};
use crate::truth::truth;

fn request(streams: &[&str], state: Option<State>) -> ReadRequest {
    ReadRequest::new(streams.iter().map(|name| Selection::incremental(*name))).with_state(state)
}

/// One sync of builds and jobs: what it yielded, and the state that it left.
async fn sync(bench: &Bench, state: Option<State>) -> (Vec<Message>, Option<State>) {
    sync_of(&*bench.source, state).await
}

async fn sync_of(source: &dyn Source, state: Option<State>) -> (Vec<Message>, Option<State>) {
    let reading = source.read(request(&["builds", "jobs"], state.clone()));
    let messages: Vec<_> = reading.try_collect().await.expect("a sync that succeeds");
    let last = checkpoints(&messages).pop().map(|(_, state)| state);
    (messages, last.or(state))
}

fn last_state(messages: &[Message]) -> Option<State> {
    checkpoints(messages).pop().map(|(_, state)| state)
}

async fn requests_of(bench: &Bench, state: Option<State>) -> (usize, usize, Option<State>) {
    let before = bench.paths().len();
    let (messages, state) = sync(bench, state).await;
    let builds = records(&messages, "builds").len();
    (bench.paths().len() - before, builds, state)
}

/// Why and what is gone.
fn gone(messages: &[Message]) -> Vec<(&str, &str)> {
    let records = messages.iter().filter_map(|message| match message {
        Message::Record(record) => Some((record.removal_reason()?, record.data.as_str())),
        _ => None,
    });
    records.collect()
}

/// Time passes at the fake.
fn pass(server: &MockBuildkite, minutes: u64) {
    server.clock().advance(Duration::from_secs(60 * minutes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_organization_costs_four_requests_if_nothing_changed_and_six_if_a_hundred_did() {
    let world = World::seeded(&Seed {
        pipelines: 500,
        builds: 20_000,
        jobs_per_build: 0,
        ..Seed::default()
    });
    let bench = Bench::new(world).await;
    let (first, builds, state) = requests_of(&bench, None).await;
    assert_eq!(builds, 20_000);
    assert!(first <= 212, "{first} requests for 200 pages");

    pass(&bench.server, 30);
    let (second, _, state) = requests_of(&bench, state).await;
    assert_eq!(second, 4, "requests for nothing new");

    bench.server.with_world(|world| {
        let ids = world.build_ids();
        for id in &ids[500..550] {
            world.change_build(id, |build| {
                build.set("state", "running");
                build.set("finished_at", serde_json::Value::Null);
            });
        }
        for id in &ids[1_000..1_040] {
            let now = world.now().to_rfc3339();
            world.change_build(id, |build| build.set("finished_at", now));
        }
        for _ in 0..10 {
            world.create_build(BuildFixture::new("acme-inc", "new"));
        }
    });
    let (third, builds, _) = requests_of(&bench, state).await;
    assert!(builds >= 100, "{builds} builds");
    assert!(third <= 6, "{third} requests for 100 changes");
}

#[tokio::test]
async fn a_hundred_open_builds_that_are_skipped_together_cost_a_handful_of_requests() {
    let bench = Bench::new(World::empty()).await;
    bench.server.with_world(|world| {
        world.skipped_builds_have_no_end(true);
        for _ in 0..100 {
            world.create_build(BuildFixture::new("acme-inc", "web").state("scheduled"));
            world.clock().advance(Duration::from_secs(1));
        }
    });
    let (_, state) = sync(&bench, None).await;
    pass(&bench.server, 30);
    bench.server.with_world(|world| {
        for id in world.build_ids() {
            assert!(world.skip_build(&id));
        }
    });

    let (requests, builds, _) = requests_of(&bench, state).await;

    assert!(builds >= 100, "{builds} builds");
    assert!(requests <= 8, "{requests} requests");
}

#[tokio::test]
async fn a_stream_selected_later_backfills_what_it_misses_and_the_other_nothing() {
    let bench = Bench::new(seeded(350, 2)).await;
    let reading = bench.source.read(request(&["builds"], None));
    let builds: Vec<_> = reading.try_collect().await.unwrap();

    let (both, _) = sync(&bench, last_state(&builds)).await;

    let expected = truth(&bench.server, "acme-inc");
    let mut jobs = records(&both, "jobs");
    jobs.sort_unstable();
    jobs.dedup();
    let mut expected_jobs = expected.jobs;
    expected_jobs.sort_unstable();
    assert_eq!(jobs, expected_jobs);
    let again = records(&both, "builds").len();
    assert!(again < 40, "{again} builds came again");
}

#[tokio::test]
async fn an_earlier_start_backfills_what_lies_before() {
    let world = seeded(400, 1);
    let middle = world.build_json(&world.build_ids()[200]).unwrap();
    let middle: serde_json::Value = serde_json::from_str(&middle).unwrap();
    let start = middle["created_at"].as_str().unwrap();
    let late = Bench::with(world, json!({ "start_date": start })).await;
    let (messages, state) = sync(&late, None).await;
    assert_eq!(records(&messages, "builds").len(), 201);

    let all = late.open(json!({})).await;
    let (messages, _) = sync_of(&*all, state).await;

    let builds = records(&messages, "builds").len();
    assert!((199..240).contains(&builds), "{builds} builds");
}

#[tokio::test]
async fn a_build_that_aged_out_while_it_was_open_is_said_to_be_gone() {
    let bench = Bench::new(World::empty()).await;
    let (kept, lost) = bench.server.with_world(|world| {
        let fixture = || BuildFixture::new("acme-inc", "web").state("running");
        let lost = world.create_build(fixture()).id;
        world.clock().advance(Duration::from_secs(600));
        (world.create_build(fixture()).id, lost)
    });
    let (_, state) = sync(&bench, None).await;
    bench.server.with_world(|world| world.remove_build(&lost));

    let (messages, state) = sync(&bench, state).await;

    assert_eq!(
        gone(&messages),
        [("aged_out", &*format!(r#"{{"id":"{lost}"}}"#))]
    );
    assert!(!state.unwrap().to_json().unwrap().contains(&lost), "{kept}");
}

#[tokio::test]
async fn builds_of_a_pipeline_that_vanished_are_not_said_to_have_aged_out() {
    let bench = Bench::new(World::empty()).await;
    bench.server.with_world(|world| {
        for pipeline in ["web", "api"] {
            let fixture = BuildFixture::new("acme-inc", pipeline).state("running");
            world.create_build(fixture.job(JobFixture::script("test")));
            world.clock().advance(Duration::from_secs(600));
        }
    });
    let (_, state) = sync(&bench, None).await;
    bench
        .server
        .with_world(|world| world.delete_pipeline("acme-inc", "web"));

    let (messages, _) = sync(&bench, state).await;

    let gone = gone(&messages).into_iter().map(|(why, _)| why);
    let why = "pipeline_deleted_or_hidden";
    assert_eq!(
        gone.collect::<Vec<_>>(),
        [why, why],
        "the build and its job"
    );
}

#[tokio::test]
async fn a_pipeline_that_vanished_is_said_to_be_gone_once() {
    let bench = Bench::new(seeded(60, 1)).await;
    let streams = || {
        [
            Selection::full_refresh("pipelines"),
            Selection::incremental("builds"),
        ]
    };
    let read = async |state| -> Vec<Message> {
        let request = ReadRequest::new(streams()).with_state(state);
        let messages = bench.source.read(request).try_collect().await;
        messages.expect("a read that succeeds")
    };
    let first = read(None).await;
    let slug = bench.server.with_world(|world| {
        let slug = world.pipeline_slugs("acme-inc").remove(1);
        assert!(world.hide_pipeline("acme-inc", &slug));
        slug
    });

    let second = read(last_state(&first)).await;
    let third = read(last_state(&second)).await;
    bench
        .server
        .with_world(|world| world.show_pipeline("acme-inc", &slug));
    let fourth = read(last_state(&third)).await;

    let of_pipelines = gone(&second);
    let of_pipelines = of_pipelines
        .iter()
        .filter(|(why, _)| *why == "deleted_or_hidden");
    assert_eq!(of_pipelines.count(), 1);
    assert_eq!(gone(&third), []);
    let came_back = records(&fourth, "pipelines");
    assert!(
        came_back
            .iter()
            .any(|pipeline| pipeline.contains(&format!("\"{slug}\"")))
    );
}

#[tokio::test]
async fn a_state_ahead_of_the_servers_clock_is_refused() {
    let bench = Bench::new(seeded(10, 1)).await;
    let (_, state) = sync(&bench, None).await;
    let clock = bench.server.clock();
    clock.set(clock.now() - chrono::TimeDelta::days(40));

    let mut reading = bench.source.read(request(&["builds"], state));
    let error = loop {
        match reading.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it was read"),
            Err(error) => break error,
        }
    };

    assert_eq!(error.kind(), ErrorKind::State);
}
