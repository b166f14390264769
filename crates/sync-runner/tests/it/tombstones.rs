//! Tombstones travel with the other records.

use std::sync::Arc;

use connector_core::{DeadLetter, Message, Record};
use sync_runner::{DeadLetters, Ending, Limits, Runner};

use crate::fake::{Pages, Store, Then, record};

fn removed(stream: &str, id: usize) -> Record {
    Record::removed(stream.into(), record(stream, id).data, "aged_out")
}

fn tombstones() -> [Record; 3] {
    [
        removed("builds", 0),
        removed("jobs", 0),
        removed("builds", 1),
    ]
}

/// Pages 0 and 1, then three tombstones, then pages 2 and 3.
fn source() -> Arc<Pages> {
    let messages = tombstones().map(Message::Record).to_vec();
    Arc::new(Pages::new(4).then(2 + 3 * 2, Then::Insert(messages)))
}

#[tokio::test]
async fn tombstones_arrive_in_their_order_whatever_the_batches_and_count_apart() {
    for batch_records in [1, 2, 5, 1000] {
        let store = Store::default();
        let limits = Limits {
            batch_records,
            ..Limits::default()
        };

        let runner = store.runner(&source()).with_limits(limits);
        let report = runner.run().await.unwrap();

        let page = |id| [record("builds", id), record("jobs", id)];
        let expected = [&page(0)[..], &page(1), &tombstones(), &page(2), &page(3)].concat();
        assert_eq!(store.durable.lock().unwrap().written, expected);
        assert_eq!(report.ending, Ending::Complete);
        let counts = |stream: usize| {
            let stream = &report.progress.streams[stream];
            (stream.records, stream.removed, stream.rejected)
        };
        assert_eq!((counts(0), counts(1)), ((4, 2, 0), (4, 1, 0)));
        assert_eq!(
            (report.progress.records(), report.progress.removed()),
            (8, 3)
        );
    }
}

#[tokio::test]
async fn a_rejected_tombstone_is_a_dead_letter_that_says_so() {
    let store = Store::default();
    let mut destination = store.destination();
    destination.rejects = |record| record.is_removed().then(|| "cannot mark".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rejected.jsonl");

    let report = Runner::new(source(), Box::new(destination))
        .with_dead_letters(DeadLetters::open(&path).unwrap())
        .run()
        .await
        .unwrap();

    let progress = &report.progress;
    let counts = (progress.records(), progress.removed(), progress.rejected());
    assert_eq!(counts, (8, 0, 3));
    let text = std::fs::read_to_string(path).unwrap();
    let letters = text
        .lines()
        .map(|line| DeadLetter::parse(line).unwrap().record);
    assert_eq!(letters.collect::<Vec<_>>(), tombstones());
}
