//! A read that is dropped.

use connector_core::{Message, ReadRequest, Result, Source};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::check::Check;
use crate::report::{Verdict, failed, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "cancelling_stops_requests",
    claim: "Dropping the messages stops the requests.",
    mutants: &["reads on in a task of its own"],
    capability: Capability::Source,
    run: |suite| Box::pin(cancelling_stops_requests(suite)),
}];

/// How many calls of `check` follow a dropped read. They take the time in which it would send its
/// next requests, so that no clock is needed.
const CALLS: u64 = 20;

async fn cancelling_stops_requests(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let (source, watcher) = suite.watched(&reading.access).await?;
    let count = || {
        let count = reading.requests.as_ref();
        count.map_or_else(|| watcher.requests(), |count| count())
    };
    let catalog = source.discover().await?;
    for request in reading.requests(&catalog)? {
        let before = count();
        let mut messages = to_first_record(&*source, &request).await;
        let to_first = count() - before;
        while messages.next().await.is_some() {}
        let all = count() - before;
        if all == 0 {
            return skipped(
                "no request was counted: use `Reading::with_requests` unless it sends none",
            );
        }
        if all == to_first {
            return skipped("all requests precede the first record: give more records to read");
        }
        let more = after_drop(&*source, &request, &count).await;
        if more > 0 {
            return failed(format!(
                "{more} requests were sent after the messages were dropped"
            ));
        }
    }
    Ok(())
}

/// How many requests a read sends once it is dropped.
async fn after_drop(source: &dyn Source, request: &ReadRequest, count: &impl Fn() -> u64) -> u64 {
    let one_check = requests_of_check(source, count).await;
    drop(to_first_record(source, request).await);
    let dropped = count();
    for _ in 0..CALLS {
        checked(source).await;
    }
    (count() - dropped).saturating_sub(CALLS * one_check)
}

async fn to_first_record(
    source: &dyn Source,
    request: &ReadRequest,
) -> BoxStream<'static, Result<Message>> {
    let mut messages = source.read(request.clone());
    while let Some(message) = messages.next().await {
        if matches!(message, Ok(Message::Record(_)) | Err(_)) {
            break;
        }
    }
    messages
}

/// Counts the second call: the first may fill a cache.
async fn requests_of_check(source: &dyn Source, count: &impl Fn() -> u64) -> u64 {
    checked(source).await;
    let before = count();
    checked(source).await;
    count() - before
}

/// Other checks look at the result.
async fn checked(source: &dyn Source) {
    source.check().await.ok();
    tokio::task::yield_now().await;
}
