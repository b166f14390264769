//! A sync that dies at any message is complete after the next one.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, ErrorKind};
use sync_runner::Limits;
use tokio::time::timeout;

use crate::fake::{Pages, Store, Then, state};

const PAGES: usize = 5;

fn small_batches() -> Limits {
    Limits {
        batch_records: 3,
        commit_interval: Duration::ZERO,
        ..Limits::default()
    }
}

async fn complete(store: &Store) {
    let source = Arc::new(Pages::new(PAGES));
    let runner = store.runner(&source).with_limits(small_batches());
    runner.run().await.unwrap();
    assert_eq!(
        (store.rows(), store.state()),
        (2 * PAGES, Some(state(PAGES)))
    );
}

#[tokio::test]
async fn an_error_at_any_message_keeps_the_last_checkpoint() {
    for message in 0..Pages::new(PAGES).messages() {
        let store = Store::default();
        let error = Error::new(ErrorKind::Auth, "rejected");
        let source = Arc::new(Pages::new(PAGES).then(message, Then::Fail(error)));

        let runner = store.runner(&source).with_limits(small_batches());
        let failure = runner.run().await.unwrap_err();

        assert_eq!(failure.error.kind(), ErrorKind::Auth);
        let pages = message.saturating_sub(2) / 3;
        let expected = (pages > 0).then(|| state(pages.min(PAGES)));
        assert_eq!(store.state(), expected, "after message {message}");
        complete(&store).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_message_loses_nothing() {
    for message in 0..Pages::new(PAGES).messages() {
        let store = Store::default();
        let source = Arc::new(Pages::new(PAGES).then(message, Then::Hang));

        let run = store.runner(&source).with_limits(small_batches()).run();
        assert!(timeout(Duration::from_millis(1), run).await.is_err());

        source.dropped.cancelled().await;
        complete(&store).await;
    }
}

#[tokio::test]
async fn a_destination_that_fails_at_any_write_loses_nothing() {
    for write in 0..4 {
        let store = Store::default();
        let source = Arc::new(Pages::new(PAGES));
        let mut destination = store.destination();
        destination.fails_at_write = write;

        let runner = sync_runner::Runner::new(source.clone(), Box::new(destination));
        let run = runner.with_limits(small_batches()).run();
        let failure = run.await.unwrap_err();

        assert_eq!(failure.error.kind(), ErrorKind::Io);
        complete(&store).await;
    }
}
