//! Each safeguard is needed: without it a build is made twice, or a record is lost.

use std::time::Duration;

use mock_buildkite::{Fault, When};

use super::super::delivery::Safeguards;
use super::{Bench, build};

/// Loses answers and kills a run. Returns how many builds a hundred records make.
async fn builds_of_a_hundred(safeguards: Safeguards, settle_seconds: u32) -> usize {
    let mut bench = Bench::new().await.with("settle_seconds", settle_seconds);
    bench.safeguards = safeguards;
    bench.server.set_meta_data_delay(Duration::from_secs(6));
    let lost = When::method("POST").always().chance(0.2, 3);
    bench.server.fail_when(Fault::LostAnswer, lost);
    let records: Vec<_> = (0..100).map(build).collect();
    // A run that ends as its request is under way: it was sent, and nobody knows.
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let batch = records
        .iter()
        .map(|one| super::record("builds", one))
        .collect();
    let before = bench.server.write_requests().len();
    tokio::select! {
        biased;
        () = async {
            while bench.server.write_requests().len() < before + 30 {
                tokio::task::yield_now().await;
            }
        } => {}
        _written = connector_core::Destination::write(&mut destination, batch) => {}
    }
    drop(destination);
    loop {
        match bench.write("builds", &records).await {
            Ok(_) => break,
            Err(_) => tokio::task::yield_now().await,
        }
    }
    bench.builds("web")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_safeguards_a_hundred_records_are_a_hundred_builds() {
    assert_eq!(builds_of_a_hundred(Safeguards::default(), 10).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_probes_builds_are_made_twice() {
    let mutant = Safeguards {
        probe: false,
        ..Safeguards::default()
    };
    assert!(builds_of_a_hundred(mutant, 10).await > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_time_to_settle_builds_are_made_twice() {
    assert!(builds_of_a_hundred(Safeguards::default(), 0).await > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_in_the_build_builds_are_made_twice() {
    let mutant = Safeguards {
        key: false,
        ..Safeguards::default()
    };
    assert!(builds_of_a_hundred(mutant, 10).await > 100);
}

#[tokio::test]
async fn without_a_journal_what_has_no_place_for_a_key_is_sent_twice() {
    let request = serde_json::json!({
        "method": "POST", "path": "pipelines/web/builds",
        "body": {"commit": "HEAD", "branch": "main"},
    });
    for (journal, sent) in [(true, 1), (false, 2)] {
        let mut bench = Bench::new()
            .await
            .with("allow", serde_json::json!(["requests"]));
        if !journal {
            bench = bench.with("journal", "");
        }
        for _ in 0..2 {
            bench
                .accept("requests", std::slice::from_ref(&request))
                .await;
        }
        assert_eq!(bench.server.write_requests().len(), sent);
    }
}
