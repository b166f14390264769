//! Retries, rejected records, broken contracts.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{DeadLetter, Error, ErrorKind, Message, Outcome, Retry, Stop};
use sync_runner::{DeadLetters, Ending, RetryBudget, Runner};
use tokio::time::Instant;

use crate::fake::{Pages, Store, Then, record, state};

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "status 503")
}

#[tokio::test(start_paused = true)]
async fn a_source_that_recovers_is_read_from_the_last_checkpoint() {
    let source = Pages::new(9).then(2 + 3 * 4 + 1, Then::Fail(unavailable()));
    let (source, store) = (Arc::new(source), Store::default());

    let report = store.runner(&source).run().await.unwrap();

    assert_eq!((report.tries, report.ending), (2, Ending::Complete));
    assert_eq!(store.rows(), 18);
    assert_eq!(*source.states.lock().unwrap(), [None, Some(state(4))]);
    assert_eq!(report.progress.total.retries, 1);
    assert_eq!(report.progress.total.retrying, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn the_source_decides_when_it_is_retried() {
    let later = unavailable().with_retry(Retry::After(Duration::from_secs(900)));
    let source = Arc::new(Pages::new(2).then(0, Then::Fail(later)));
    let begun = Instant::now();

    Store::default().runner(&source).run().await.unwrap();

    assert!(begun.elapsed() >= Duration::from_secs(900));
}

#[tokio::test(start_paused = true)]
async fn tries_are_bounded() {
    let source = (0..9).fold(Pages::new(2), |source, _| {
        source.then(3, Then::Fail(unavailable()))
    });
    let (source, store) = (Arc::new(source), Store::default());
    let budget = RetryBudget {
        tries: 3,
        ..RetryBudget::default()
    };

    let run = store.runner(&source).with_retries(budget).run();
    let failure = run.await.unwrap_err();

    assert_eq!(failure.error.kind(), ErrorKind::Unavailable);
    assert_eq!(failure.report.tries, 3);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_the_next_try() {
    let later = unavailable().with_retry(Retry::After(Duration::from_secs(900)));
    let source = Arc::new(Pages::new(2).then(0, Then::Fail(later)));
    let stop = Stop::new();
    let run = tokio::spawn(
        Store::default()
            .runner(&source)
            .with_stop(stop.clone())
            .run(),
    );
    tokio::time::advance(Duration::from_secs(5)).await;
    stop.request();

    let report = run.await.unwrap().unwrap();

    assert_eq!(report.ending, Ending::Stopped);
    assert!(report.progress.total.retrying < Duration::from_secs(900));
}

#[tokio::test]
async fn a_stream_that_does_not_reach_its_end_is_an_error() {
    let last = Pages::new(3).messages() - 1;
    let source = Arc::new(Pages::new(3).then(last, Then::End));
    let store = Store::default();

    let failure = store.runner(&source).run().await.unwrap_err();

    assert_eq!(failure.report.ending, Ending::Incomplete);
    assert!(
        failure.to_string().ends_with("[streams: jobs]"),
        "{failure}"
    );
    assert_eq!(store.state(), Some(state(3)));
}

#[tokio::test]
async fn a_source_that_panics_is_an_error_like_others() {
    let source = Arc::new(Pages::new(3).then(2 + 3, Then::Panic));
    let store = Store::default();

    let failure = store.runner(&source).run().await.unwrap_err();

    assert_eq!(failure.error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn an_unknown_stream_is_an_error_and_what_came_before_is_kept() {
    let strange = Message::Record(record("agents", 1));
    let source = Arc::new(Pages::new(3).then(2 + 3, Then::Send(strange)));
    let store = Store::default();

    let failure = store.runner(&source).run().await.unwrap_err();

    assert!(
        failure.to_string().ends_with("[stream: agents]"),
        "{failure}"
    );
    assert_eq!(store.state(), Some(state(1)));
}

#[tokio::test]
async fn a_destination_that_fails_stops_the_read() {
    let (source, store) = (Arc::new(Pages::new(50_000)), Store::default());
    let mut destination = store.destination();
    destination.fails_at_write = 0;

    let run = Runner::new(source.clone(), Box::new(destination)).run();
    let failure = run.await.unwrap_err();

    assert_eq!(failure.error.kind(), ErrorKind::Io);
    source.dropped.cancelled().await;
    assert!(source.yielded() < 10_000);
}

#[tokio::test]
async fn a_destination_that_forgets_an_outcome_is_an_error() {
    let (source, store) = (Arc::new(Pages::new(3)), Store::default());
    let mut destination = store.destination();
    destination.answers = |mut outcomes| {
        outcomes.pop();
        outcomes
    };

    let run = Runner::new(source, Box::new(destination)).run();

    assert_eq!(run.await.unwrap_err().error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn rejected_records_are_counted_and_saved_and_the_rest_is_written() {
    let (source, store) = (Arc::new(Pages::new(50)), Store::default());
    let mut destination = store.destination();
    destination.rejects = |record| {
        let is_rejected = record.stream == "jobs" && record.data.as_str().ends_with("7}");
        is_rejected.then(|| "ends with seven".to_owned())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rejected.jsonl");

    let report = Runner::new(source, Box::new(destination))
        .with_dead_letters(DeadLetters::open(&path).unwrap())
        .run()
        .await
        .unwrap();

    assert_eq!(report.progress.rejected(), 5);
    assert_eq!(report.progress.unsaved(), 0);
    assert_eq!(store.rows(), 95);
    let jobs = &report.progress.streams[1];
    assert_eq!((jobs.records, jobs.rejected), (45, 5));
    assert_eq!(jobs.reasons, ["ends with seven"]);
    let text = std::fs::read_to_string(path).unwrap();
    let letters: Vec<_> = text
        .lines()
        .map(|l| DeadLetter::parse(l).unwrap())
        .collect();
    assert_eq!(letters.len(), 5);
    assert_eq!(letters[0].record, record("jobs", 7));
}

#[tokio::test]
async fn rejected_records_that_nobody_saves_are_counted() {
    let (source, store) = (Arc::new(Pages::new(2)), Store::default());
    let mut destination = store.destination();
    destination.rejects = |_| Some("no".to_owned());

    let report = Runner::new(source, Box::new(destination)).run().await;

    assert_eq!(report.unwrap().progress.unsaved(), 4);
}

#[tokio::test]
async fn too_many_rejected_records_end_the_sync_before_a_commit() {
    let (source, store) = (Arc::new(Pages::new(2)), Store::default());
    let mut destination = store.destination();
    destination.rejects = |_| Some("no".to_owned());

    let runner = Runner::new(source, Box::new(destination)).with_max_rejected(Some(3));
    let failure = runner.run().await.unwrap_err();

    assert_eq!(failure.error.kind(), ErrorKind::Data);
    assert_eq!(store.state(), None);
}

#[tokio::test]
async fn a_destination_that_stops_commits_no_state_that_covers_what_it_did_not_attempt() {
    let (source, store) = (Arc::new(Pages::new(50)), Store::default());
    let mut destination = store.destination();
    destination.answers = |outcomes| {
        let stopped = |(index, outcome)| {
            if index < 3 {
                outcome
            } else {
                Outcome::NotAttempted
            }
        };
        outcomes.into_iter().enumerate().map(stopped).collect()
    };

    let report = Runner::new(source, Box::new(destination))
        .run()
        .await
        .unwrap();

    assert_eq!(report.ending, Ending::Stopped);
    assert_eq!(report.progress.records(), 3);
    assert_eq!(store.state(), None);
}
