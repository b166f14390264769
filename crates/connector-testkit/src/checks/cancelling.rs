//! A read that is dropped.

use std::sync::Arc;

use connector_core::{Message, ReadRequest, Source};
use futures::StreamExt;

use crate::Suite;
use crate::report::{Verdict, failed, skipped};
use crate::watcher::Watcher;

/// How many calls of `check` a read that was dropped is watched for: they take the time in which
/// it would send its next requests, and no clock is needed.
const CALLS: u64 = 20;

pub(crate) async fn cancelling_stops_requests(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let watcher = Arc::new(Watcher::default());
    let source = suite.source_of(&reading.access, watcher.clone()).await?;
    let count = || {
        reading
            .requests
            .as_ref()
            .map_or_else(|| watcher.requests(), |count| count())
    };
    let catalog = source.discover().await?;
    for request in reading.requests(&catalog)? {
        let before = count();
        let mut messages = to_first_record(&*source, &request).await;
        let to_first = count() - before;
        while messages.next().await.is_some() {}
        drop(messages);
        let all = count() - before;
        if all == 0 {
            return skipped("no request was counted: it sends none, or tells of none");
        }
        if all == to_first {
            return skipped("all requests come before the first record: give more to read");
        }
        let one_check = requests_of_check(&*source, &count).await;

        drop(to_first_record(&*source, &request).await);
        let dropped = count();
        for _ in 0..CALLS {
            proved(&*source).await;
        }

        let more = (count() - dropped).saturating_sub(CALLS * one_check);
        if more > 0 {
            return failed(format!(
                "{more} requests were sent after the messages were dropped"
            ));
        }
    }
    Ok(())
}

async fn to_first_record(
    source: &dyn Source,
    request: &ReadRequest,
) -> futures::stream::BoxStream<'static, connector_core::Result<Message>> {
    let mut messages = source.read(request.clone());
    while let Some(message) = messages.next().await {
        if matches!(message, Ok(Message::Record(_)) | Err(_)) {
            break;
        }
    }
    messages
}

/// Of the second call: the first may ask for what is remembered then.
async fn requests_of_check(source: &dyn Source, count: &impl Fn() -> u64) -> u64 {
    proved(source).await;
    let before = count();
    proved(source).await;
    count() - before
}

/// How it ends is for other checks.
async fn proved(source: &dyn Source) {
    source.check().await.ok();
    tokio::task::yield_now().await;
}
