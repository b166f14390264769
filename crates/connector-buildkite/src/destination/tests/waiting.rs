use std::time::Duration;

use connector_core::{ActingDestination, Destination};
use serde_json::json;

use super::{Bench, build};

/// Builds of `web` and `api` that run for a minute; some fail.
async fn running(records: usize) -> (Bench, Vec<serde_json::Value>) {
    let bench = Bench::new().await.with("wait", "finished");
    bench.server.with_world(|world| {
        world.set_steps(
            "acme",
            "web",
            &json!([{"label": "Make", "command": "make"}]),
        );
        world.set_steps(
            "acme",
            "api",
            &json!([{"label": "Make", "command": "make"}]),
        );
    });
    let records = (0..records).map(|number| {
        let mut record = build(number);
        record["pipeline"] = ["web", "api"][number % 2].into();
        record
    });
    (bench, records.collect())
}

#[tokio::test]
async fn what_became_of_a_build_is_in_its_result() {
    let (bench, records) = running(6).await;
    bench.server.with_world(|world| {
        world.set_build_timing(Duration::from_secs(5), Duration::from_secs(20));
        world.fail_jobs("Make", 1);
    });

    bench.write("builds", &records).await.unwrap();

    let rows = bench.results();
    assert_eq!(rows.len(), 6, "one row per record");
    let state = |state: &str| rows.iter().filter(|row| row["state"] == state).count();
    assert_eq!((state("passed"), state("failed")), (5, 1));
    for row in &rows {
        assert!(row["duration_seconds"].as_f64().unwrap() > 0.0, "{row}");
        assert_eq!(row["outcome"], "created");
        let failed = &row["failed_jobs"];
        if row["state"] == "failed" {
            assert_eq!(*failed, json!(["Make"]));
        } else {
            assert!(failed.is_null(), "{row}");
        }
    }
}

#[tokio::test]
async fn two_hundred_builds_are_waited_for_with_four_requests_a_round() {
    let (bench, records) = running(200).await;
    let bench = bench.with("poll_seconds", 15);
    bench.server.with_world(|world| {
        world.set_build_timing(Duration::from_secs(40), Duration::from_secs(30));
        world.fail_jobs("Make", 150);
    });
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let batch = records
        .iter()
        .map(|one| super::record("builds", one))
        .collect();
    destination.write(batch).await.unwrap();
    let before = bench.server.requests().len();
    let started = bench.time.passed.lock().unwrap().as_secs();

    while destination.follow().await.unwrap() {}
    bench.take_results(&mut destination);

    let requests = bench.server.requests().len() - before;
    let rounds = usize::try_from((bench.time.passed.lock().unwrap().as_secs() - started) / 15);
    let rounds = rounds.unwrap() + 1;
    assert!(
        requests <= 4 * rounds,
        "{requests} requests in {rounds} rounds"
    );
    let rows = bench.results();
    assert_eq!(
        rows.iter().filter(|row| row["state"] == "failed").count(),
        150
    );
    assert_eq!(
        rows.iter().filter(|row| row["state"] == "passed").count(),
        50
    );
    assert!(
        rows.iter()
            .all(|row| row["state"] != "failed" || row["failed_jobs"] == json!(["Make"]))
    );
}

#[tokio::test]
async fn a_build_that_does_not_end_is_given_up_at_the_deadline() {
    let (bench, records) = running(1).await;
    let bench = bench.with("wait_minutes", 2);
    bench.write("builds", &records).await.unwrap();
    assert_eq!(bench.results()[0]["state"], "timed_out");
}

#[tokio::test]
async fn a_deadline_is_not_put_off_by_rare_polls() {
    let (bench, records) = running(1).await;
    let bench = bench.with("wait_minutes", 1).with("poll_seconds", 3_600);
    bench.write("builds", &records).await.unwrap();
    assert_eq!(bench.results()[0]["state"], "timed_out");
    let passed = *bench.time.passed.lock().unwrap();
    assert!(passed < Duration::from_secs(120), "{passed:?}");
}

#[tokio::test]
async fn a_block_is_an_end_of_its_own() {
    let (bench, records) = running(1).await;
    bench.server.with_world(|world| {
        world.set_steps("acme", "web", &json!([{"block": "Go?"}, "make"]));
        world.set_build_timing(Duration::from_secs(5), Duration::from_secs(20));
    });
    bench.write("builds", &records).await.unwrap();
    assert_eq!(bench.results()[0]["state"], "blocked");
}

#[tokio::test]
async fn a_run_that_ends_early_reports_what_is_known_of_builds_that_still_run() {
    let (bench, records) = running(2).await;
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let batch = records.iter().map(|one| super::record("builds", one));
    destination.write(batch.collect()).await.unwrap();
    assert_eq!(destination.take_results(), []);
    let known = destination.unfinished_results();
    let known: Vec<_> = known.iter().map(super::value).collect();
    assert!(known.iter().all(|row| row["number"].is_u64()), "{known:?}");
    assert_eq!(known.len(), 2);
}
