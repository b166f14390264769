//! Records that are gone travel with the others.

use std::sync::{Arc, Mutex};

use connector_core::{Message, Record, Result};
use sync_runner::{DeadLetters, Ending, Limits, Runner};

use crate::fake::{Pages, Store, Then, record};

fn gone(stream: &str, id: usize) -> Record {
    Record::gone(stream.into(), record(stream, id).data, "aged_out")
}

/// Pages 0 and 1, then three records that are gone, then pages 2 and 3.
fn source() -> Arc<Pages> {
    let news = [gone("builds", 0), gone("jobs", 0), gone("builds", 1)];
    let news = news.map(Message::Record).to_vec();
    Arc::new(Pages::new(4).then(2 + 3 * 2, Then::Insert(news)))
}

#[tokio::test]
async fn what_is_gone_arrives_in_its_order_whatever_the_batches_and_counts_apart() {
    for batch_records in [1, 2, 5, 1000] {
        let store = Store::default();
        let limits = Limits {
            batch_records,
            ..Limits::default()
        };

        let runner = store.runner(&source()).with_limits(limits);
        let report = runner.run().await.unwrap();

        let page = |id| [record("builds", id), record("jobs", id)];
        let news = [gone("builds", 0), gone("jobs", 0), gone("builds", 1)];
        let expected = [&page(0)[..], &page(1), &news, &page(2), &page(3)].concat();
        assert_eq!(store.durable.lock().unwrap().written, expected);
        assert_eq!(report.ending, Ending::Complete);
        let counts = |stream: usize| {
            let stream = &report.progress.streams[stream];
            (stream.records, stream.gone, stream.rejected)
        };
        assert_eq!((counts(0), counts(1)), ((4, 2, 0), (4, 1, 0)));
        assert_eq!((report.progress.records(), report.progress.gone()), (8, 3));
    }
}

struct Letters(Arc<Mutex<Vec<Record>>>);

impl DeadLetters for Letters {
    fn take(&mut self, record: &Record, _reason: &str) -> Result<()> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

#[tokio::test]
async fn what_is_gone_and_refused_is_a_dead_letter_that_says_so() {
    let store = Store::default();
    let mut destination = store.destination();
    destination.rejects = |record| record.gone.is_some().then(|| "cannot mark".to_owned());
    let letters = Arc::default();

    let report = Runner::new(source(), Box::new(destination))
        .with_dead_letters(Box::new(Letters(Arc::clone(&letters))))
        .run()
        .await
        .unwrap();

    let progress = &report.progress;
    let counts = (progress.records(), progress.gone(), progress.rejected());
    assert_eq!(counts, (8, 0, 3));
    assert_eq!(
        *letters.lock().unwrap(),
        [gone("builds", 0), gone("jobs", 0), gone("builds", 1)]
    );
}
