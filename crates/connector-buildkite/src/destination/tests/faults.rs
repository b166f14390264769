use std::time::Duration;

use connector_core::{Destination, Result};
use mock_buildkite::{Fault, LimitScope, When};

use super::{Bench, build};

/// Answers are lost, fail before and after, and are refused, each by chance.
fn break_down(bench: &Bench, seed: u64) {
    let writes = |seed| When::method("POST").always().chance(0.1, seed);
    let server = &bench.server;
    server.fail_when(Fault::LostAnswer, writes(seed));
    server.fail_when(Fault::StatusAfter(502), writes(seed + 1));
    server.fail_when(Fault::status(503), writes(seed + 2));
    server.fail_when(Fault::ClosedBefore, writes(seed + 3));
    let refused = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 2,
        has_details: true,
    };
    server.fail_when(refused, When::next().always().chance(0.05, seed + 4));
    server.set_meta_data_delay(Duration::from_secs(6));
}

/// Writes all records, and is killed at the `requests`-th request from now.
async fn write_until(bench: &Bench, records: &[serde_json::Value], requests: usize) -> bool {
    let before = bench.server.requests().len();
    let dies = async {
        while bench.server.requests().len() < before + requests {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = dies => false,
        done = bench.write("builds", records) => done.map(drop).is_ok(),
    }
}

/// Writes until nothing fails any more.
async fn write_to_the_end(bench: &Bench, records: &[serde_json::Value]) -> Result<()> {
    loop {
        match bench.write("builds", records).await {
            // A killed run may still hold it for a moment.
            Err(error) if error.to_string().contains("another process") => {
                tokio::task::yield_now().await;
            }
            done => return done.map(drop),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_a_record_is_one_build() {
    for (seed, count) in [(1, 1_000), (2, 200), (3, 200)] {
        let bench = Bench::new().await;
        break_down(&bench, seed * 10);
        let records: Vec<_> = (0..count).map(build).collect();
        for death in 1..=20 {
            write_until(&bench, &records, death * 7 % 60 + 1).await;
        }
        write_to_the_end(&bench, &records).await.unwrap();

        assert_eq!(bench.builds("web"), count, "seed {seed}");
        let rows = bench.results();
        let mut keys: Vec<_> = rows
            .iter()
            .filter(|row| row["outcome"] == "created" || row["outcome"] == "already_there")
            .map(|row| row["key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count, "each record has its outcome");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn also_without_a_journal_a_killed_run_starts_no_build_twice() {
    let bench = Bench::new().await.with("journal", "");
    break_down(&bench, 5);
    let records: Vec<_> = (0..60).map(build).collect();
    for death in 1..=15 {
        write_until(&bench, &records, death * 5 % 30 + 2).await;
    }
    write_to_the_end(&bench, &records).await.unwrap();
    assert_eq!(bench.builds("web"), 60);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_and_is_no_second_build() {
    let bench = Bench::new().await;
    bench.server.set_meta_data_delay(Duration::from_secs(9));
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("POST"));
    let rows = bench.accept("builds", &[build(1)]).await;
    assert_eq!(rows[0]["outcome"], "created");
    assert_eq!(rows[0]["number"], 1);
    assert_eq!(bench.builds("web"), 1);
}

#[tokio::test]
async fn a_request_that_fails_each_time_is_refused_and_was_not_done() {
    let bench = Bench::new().await;
    bench
        .server
        .fail_when(Fault::status(500), When::method("POST").times(8));
    let reason = bench.refuse("builds", build(1)).await;
    assert!(
        reason.contains("500") && reason.contains("8 times"),
        "{reason}"
    );
    assert_eq!(bench.builds("web"), 0);
    bench.accept("builds", &[build(1)]).await;
    assert_eq!(bench.builds("web"), 1);
}

#[tokio::test]
async fn a_run_that_cannot_probe_ends_and_says_that_the_outcome_is_unknown() {
    let bench = Bench::new().await;
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let one = |number| vec![super::record("builds", &build(number))];
    destination.write(one(0)).await.unwrap();
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("POST"));
    bench.server.fail_when(
        Fault::status(503),
        When::method("GET").path("/builds").always(),
    );
    let error = destination.write(one(1)).await.unwrap_err();
    bench.take_results(&mut destination);
    drop(destination);
    assert_eq!(error.kind(), connector_core::ErrorKind::Unavailable);
    let rows = bench.results();
    assert_eq!(rows.last().unwrap()["outcome"], "unknown");

    bench.server.clear_faults();
    let rows = bench.accept("builds", &[build(0), build(1)]).await;
    assert_eq!(rows[1]["outcome"], "already_there");
    assert_eq!(bench.builds("web"), 2);
}

#[tokio::test]
async fn a_key_that_several_builds_have_is_reported() {
    let bench = Bench::new().await.with("journal", "");
    let mut without = bench;
    without.safeguards.probe = false;
    without.accept("builds", &[build(1)]).await;
    without.accept("builds", &[build(1)]).await;
    without.safeguards.probe = true;
    without
        .server
        .fail_when(Fault::LostAnswer, When::method("POST"));
    without.accept("builds", &[build(1)]).await;
    assert_eq!(without.builds("web"), 2);
}
