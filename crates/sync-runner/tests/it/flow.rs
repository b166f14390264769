//! Order, batches, memory, commits, selection, stop.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{ErrorKind, Selection, Stop};
use serde_json::json;
use sync_runner::{Ending, Limits, StreamStatus};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::fake::{Pages, Store, Then, state};

fn limits(batch_records: usize) -> Limits {
    Limits {
        batch_records,
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_sync_moves_everything_and_reports_it_per_stream() {
    let (source, store) = (Arc::new(Pages::new(50)), Store::default());

    let report = store.runner(&source).run().await.unwrap();

    assert_eq!(report.ending, Ending::Complete);
    assert!(!report.resumed);
    assert_eq!((store.rows(), store.state()), (100, Some(state(50))));
    for stream in &report.progress.streams {
        assert_eq!(stream.records, 50);
        assert_eq!(stream.bytes, 10 * 8 + 40 * 9);
        assert_eq!(stream.status, StreamStatus::Complete);
    }
}

#[tokio::test]
async fn a_second_sync_resumes_and_one_from_the_beginning_does_not() {
    let (source, store) = (Arc::new(Pages::new(3)), Store::default());
    store.runner(&source).run().await.unwrap();

    let again = store.runner(&source).run().await.unwrap();
    assert!(again.resumed);
    assert_eq!(again.progress.records(), 0);

    let runner = store.runner(&source).from_the_beginning();
    let report = runner.run().await.unwrap();
    assert!(!report.resumed);
    assert_eq!(report.progress.records(), 6);
}

#[tokio::test]
async fn a_batch_ends_at_its_limit_of_records_or_bytes() {
    for limits in [
        limits(7),
        Limits {
            batch_bytes: 9 * 6 + 1,
            ..Limits::default()
        },
    ] {
        let (source, store) = (Arc::new(Pages::new(100)), Store::default());
        let runner = store.runner(&source).with_limits(limits);
        runner.run().await.unwrap();

        let batches = store.durable.lock().unwrap().batches.clone();
        assert_eq!(batches.iter().sum::<usize>(), 200);
        assert!(batches.iter().all(|records| *records <= 7), "{batches:?}");
        assert!(batches.len() < 40, "{batches:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_destination_stops_the_source_after_four_batches() {
    let source = Arc::new(Pages::new(10_000));
    let store = Store {
        gate: Arc::new(Semaphore::new(0)),
        ..Store::default()
    };
    let run = store.runner(&source).with_limits(limits(10)).run();
    let mut run = Box::pin(run);

    assert!(timeout(Duration::from_secs(60), &mut run).await.is_err());
    // Four batches of ten records, with the checkpoints and statuses between them.
    assert!(source.yielded() <= 4 * 10 * 3 / 2 + 4);

    store.gate.add_permits(10_000);
    run.await.unwrap();
    assert_eq!(store.rows(), 20_000);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_is_committed_while_the_source_waits() {
    let source = Arc::new(Pages::new(9).then(2 + 3 * 4, Then::Hang));
    let store = Store::default();
    let run = store.runner(&source).run();

    assert!(timeout(Duration::from_secs(2), run).await.is_err());

    assert_eq!((store.rows(), store.state()), (8, Some(state(4))));
}

#[tokio::test]
async fn a_fast_source_does_not_cause_a_commit_per_checkpoint() {
    let (source, store) = (Arc::new(Pages::new(1_000)), Store::default());
    let runner = store.runner(&source).with_limits(Limits {
        commit_interval: Duration::from_secs(3_600),
        ..Limits::default()
    });
    runner.run().await.unwrap();

    assert_eq!(store.durable.lock().unwrap().commits, 1);
}

#[tokio::test]
async fn many_bytes_are_committed_before_the_interval_is_over() {
    let (source, store) = (Arc::new(Pages::new(1_000)), Store::default());
    let runner = store.runner(&source).with_limits(Limits {
        commit_interval: Duration::from_secs(3_600),
        commit_bytes: 1_000,
        batch_bytes: 100,
        ..Limits::default()
    });
    runner.run().await.unwrap();

    assert!(store.durable.lock().unwrap().commits > 10);
}

#[tokio::test(start_paused = true)]
async fn a_stop_keeps_what_was_read() {
    let source = Arc::new(Pages::new(9).then(2 + 3 * 4 + 1, Then::Hang));
    let store = Store::default();
    let stop = Stop::new();
    let run = tokio::spawn(store.runner(&source).with_stop(stop.clone()).run());
    while source.yielded() < 2 + 3 * 4 + 1 {
        tokio::task::yield_now().await;
    }
    stop.request();

    let report = run.await.unwrap().unwrap();

    assert_eq!(report.ending, Ending::Stopped);
    assert_eq!((store.rows(), store.state()), (9, Some(state(4))));
    assert_eq!(report.progress.records(), 9);
    source.dropped.cancelled().await;
}

#[tokio::test]
async fn a_stop_before_the_start_requests_nothing() {
    let (source, store) = (Arc::new(Pages::new(9)), Store::default());
    let stop = Stop::new();
    stop.request();

    let report = store.runner(&source).with_stop(stop).run().await.unwrap();

    assert_eq!(report.ending, Ending::Stopped);
    assert_eq!(source.yielded(), 0);
}

#[tokio::test]
async fn a_stream_that_was_not_asked_for_is_an_error_that_names_it() {
    let (source, store) = (Arc::new(Pages::new(3)), Store::default());
    let builds = Selection::full_refresh("builds");

    let runner = store.runner(&source).with_selections([builds]);
    let failure = runner.run().await.unwrap_err();

    assert!(failure.to_string().ends_with("[stream: jobs]"), "{failure}");
    assert_eq!(failure.report.ending, Ending::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_second_run_is_refused_while_the_first_holds_the_sync() {
    let source = Arc::new(Pages::new(9).then(2 + 3, Then::Hang));
    let store = Store::default();
    let first = tokio::spawn(store.runner(&source).run());
    while store.claimed_by.lock().unwrap().is_none() {
        tokio::task::yield_now().await;
    }

    let second = store.runner(&Arc::new(Pages::new(9))).run();
    let failure = second.await.unwrap_err();

    assert_eq!(failure.error.kind(), ErrorKind::Conflict);
    assert!(failure.to_string().contains("sync-runner"), "{failure}");
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    store.runner(&Arc::new(Pages::new(9))).run().await.unwrap();
    assert_eq!(store.rows(), 18);
}

#[tokio::test]
async fn open_rows_are_passed_for_incremental_streams_that_want_them() {
    let (source, store) = (Arc::new(Pages::new(1)), Store::default());
    let modes = [
        Selection::incremental("builds"),
        Selection::incremental("jobs"),
    ];
    store
        .runner(&source)
        .with_selections(modes)
        .run()
        .await
        .unwrap();
    let modes = [
        Selection::full_refresh("builds"),
        Selection::full_refresh("jobs"),
    ];
    store
        .runner(&source)
        .with_selections(modes)
        .run()
        .await
        .unwrap();

    let passed = source.open_rows.lock().unwrap();
    assert_eq!(passed[0], [("builds".into(), vec![vec![json!(7)]])].into());
    assert_eq!(passed[1], [].into());
}
