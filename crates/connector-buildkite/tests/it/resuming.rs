//! Where a read goes on: no checkpoint covers a record that has not been yielded.

use std::collections::BTreeSet;
use std::time::Duration;

use connector_core::{ErrorKind, Message, State};
use mock_buildkite::{BuildFixture, Fault, JobFixture, MockBuildkite, Seed, World};
use serde_json::json;

use crate::bench::{Bench, STREAMS, checkpoints, records, seeded};
use crate::truth::{Truth, ids, truth_of};

fn two_organizations() -> World {
    World::seeded(&Seed {
        organizations: 2,
        pipelines: 4,
        builds: 340,
        jobs_per_build: 2,
        ..Seed::default()
    })
}

/// Ids of all records of `stream` in two parts of a read; repeats are allowed.
fn union(first: &[Message], second: &[Message], stream: &str) -> BTreeSet<String> {
    let repeated = ids(&unique(second, stream));
    ids(&unique(first, stream))
        .union(&repeated)
        .cloned()
        .collect()
}

fn unique<'a>(messages: &'a [Message], stream: &str) -> Vec<&'a str> {
    let records: BTreeSet<_> = records(messages, stream).into_iter().collect();
    records.into_iter().collect()
}

fn everything(server: &MockBuildkite) -> [(&'static str, BTreeSet<String>); 2] {
    let Truth { builds, jobs } = truth_of(server, &["acme-inc", "acme-inc-2"]);
    [("builds", ids(&builds)), ("jobs", ids(&jobs))]
}

#[tokio::test]
async fn from_every_checkpoint_the_rest_is_read_and_nothing_is_skipped() {
    let bench = Bench::new(two_organizations()).await;
    let expected = everything(&bench.server);
    let messages = bench.read(&STREAMS).await;
    let all = checkpoints(&messages);
    assert!(all.len() >= 5, "{}", all.len());

    for (at, state) in all {
        let state = State::parse(&state.to_json().unwrap()).unwrap();
        let rest = bench.resume(&STREAMS, Some(state)).await;

        for (stream, expected) in &expected {
            let found = union(&messages[..at], &rest, stream);
            assert!(found == *expected, "{stream}: checkpoint at message {at}");
        }
    }
}

#[tokio::test]
async fn a_resumed_read_leaves_out_what_is_covered() {
    let bench = Bench::new(seeded(650, 1)).await;
    let messages = bench.read(&["builds", "jobs"]).await;
    let all = checkpoints(&messages);
    let (at, late) = &all[all.len() - 3];
    let read_before = records(&messages[..*at], "builds").len();

    let rest = bench.resume(&["builds", "jobs"], Some(late.clone())).await;

    let read_again = records(&rest, "builds").len();
    assert!(read_before > 400);
    assert!(
        read_again < 650 - read_before + 20,
        "{read_before}, then {read_again}"
    );
}

#[tokio::test]
async fn builds_created_between_two_reads_are_read_from_every_checkpoint() {
    let bench = Bench::new(two_organizations()).await;
    let messages = bench.read(&["builds", "jobs"]).await;

    for (at, state) in checkpoints(&messages) {
        bench.server.clock().advance(Duration::from_secs(300));
        for organization in ["acme-inc", "acme-inc-2"] {
            let build = BuildFixture::new(organization, "new").job(JobFixture::script("Test"));
            bench.server.with_world(|world| world.create_build(build));
        }
        let rest = bench.resume(&["builds", "jobs"], Some(state)).await;

        for (stream, expected) in everything(&bench.server) {
            let found = union(&messages[..at], &rest, stream);
            assert!(found == expected, "{stream}: checkpoint at message {at}");
        }
    }
}

#[tokio::test]
async fn a_read_resumed_twice_skips_nothing_either() {
    let bench = Bench::new(two_organizations()).await;
    let first = bench.read(&["builds", "jobs"]).await;
    let early = checkpoints(&first)[1].clone();
    bench.server.clock().advance(Duration::from_secs(600));
    for number in 0..130 {
        let build = BuildFixture::new("acme-inc", "new").number(number + 1);
        bench.server.with_world(|world| world.create_build(build));
        bench.server.clock().advance(Duration::from_secs(1));
    }
    let second = bench.resume(&["builds", "jobs"], Some(early.1)).await;

    for (at, state) in checkpoints(&second) {
        let third = bench.resume(&["builds", "jobs"], Some(state)).await;

        for (stream, expected) in everything(&bench.server) {
            let known = [&first[..early.0], &second[..at]].concat();
            let found = union(&known, &third, stream);
            assert!(found == expected, "{stream}: checkpoint at message {at}");
        }
    }
}

#[tokio::test]
async fn builds_created_while_a_broken_first_page_is_mended_are_read_by_the_next_read() {
    let settings = json!({"organizations": ["acme-inc"]});
    let bench = Bench::with(seeded(250, 1), settings).await;
    bench.server.fail_next(Fault::TruncatedBody(40_000));
    let clock = bench.server.clock();
    bench.server.on_request(move |count, world| {
        if count == 2 {
            clock.advance(Duration::from_secs(300));
            world.create_build(BuildFixture::new("acme-inc", "new").id("meanwhile"));
            clock.advance(Duration::from_secs(300));
        }
    });
    let messages = bench.read(&["builds"]).await;
    assert!(!ids(&records(&messages, "builds")).contains("meanwhile"));

    for (at, state) in checkpoints(&messages) {
        let rest = bench.resume(&["builds"], Some(state)).await;

        let found = union(&messages[..at], &rest, "builds");
        assert!(found.contains("meanwhile"), "checkpoint at message {at}");
        assert_eq!(found.len(), 251);
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_used_is_refused_before_any_request() {
    let mut damaged = State::new("buildkite", 1);
    damaged.set_stream(
        "builds".into(),
        json!({"partitions": {"acme-inc": {"top": "x"}}}),
    );
    let mut unfamiliar = State::new("buildkite", 1);
    unfamiliar.set_stream(
        "jobs".into(),
        json!({"created_from": null, "partitions": {}, "more": 1}),
    );
    for (streams, state, what) in [
        (&STREAMS[..], State::new("other", 1), "another connector"),
        (&STREAMS, State::new("buildkite", 4), "a newer version"),
        (&STREAMS, damaged, "damaged"),
        (&STREAMS, unfamiliar, "with an unknown key"),
        (
            &["user"],
            State::new("other", 1),
            "another connector, for a list",
        ),
        (
            &["pipelines"],
            State::new("buildkite", 4),
            "a newer version, for a list",
        ),
    ] {
        let bench = Bench::new(seeded(10, 1)).await;

        let (messages, error) = bench.attempt(streams, Some(state)).await;

        assert_eq!(error.expect(what).kind(), ErrorKind::State, "{what}");
        assert_eq!(messages, [], "{what}");
        assert_eq!(bench.paths(), Vec::<String>::new(), "{what}");
    }
}
