//! A read that is dropped.

use connector_core::{Message, ReadRequest, Result, Source};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::check::Check;
use crate::report::{Verdict, failed, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "cancelling_stops_requests",
    claim: "Once the messages are dropped, no further request is sent.",
    mutants: &["reads on in a task of its own"],
    capability: Capability::Source,
    run: |suite| Box::pin(cancelling_stops_requests(suite)),
}];

/// How many calls of `check` a read that was dropped is watched for: they take the time in which
/// it would send its next requests, and no clock is needed.
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
            return skipped("no request was counted: it sends none, or reports none");
        }
        if all == to_first {
            return skipped("all requests come before the first record: give more to read");
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

/// Of the second call: the first may ask for what is remembered then.
async fn requests_of_check(source: &dyn Source, count: &impl Fn() -> u64) -> u64 {
    checked(source).await;
    let before = count();
    checked(source).await;
    count() - before
}

/// How it ends is for other checks.
async fn checked(source: &dyn Source) {
    source.check().await.ok();
    tokio::task::yield_now().await;
}
