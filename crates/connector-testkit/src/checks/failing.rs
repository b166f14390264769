//! A read that fails half-way.

use std::sync::Arc;

use connector_core::{Error, Ignore, Message, ReadRequest};
use futures::StreamExt;

use crate::Suite;
use crate::reading::Failure;
use crate::report::{Halt, Verdict, failed, skipped};

/// How many messages after an error are looked at.
const AFTER: usize = 100;

/// An error, the request that met it, and what came after it.
struct Failed {
    request: ReadRequest,
    error: Error,
    after: Vec<Result<Message, Error>>,
}

async fn failures(suite: &Suite<'_>) -> Verdict<Vec<Failed>> {
    let failures = &suite.reading()?.failures;
    if failures.is_empty() {
        return skipped("no read that fails half-way was given");
    }
    let mut met = Vec::new();
    for failure in failures {
        met.extend(fail(suite, failure).await?);
    }
    Ok(met)
}

async fn fail(suite: &Suite<'_>, failure: &Failure) -> Verdict<Vec<Failed>> {
    let reading = suite.reading()?;
    let catalog = suite.source().await?.discover().await?;
    let mut met = Vec::new();
    for request in reading.requests(&catalog)? {
        let source = suite
            .source_of(&(failure.prepare)(), Arc::new(Ignore))
            .await?;
        source.discover().await?;
        (failure.arm)();
        let mut messages = source.read(request.clone());
        let mut records = 0;
        let error = loop {
            match messages.next().await {
                Some(Ok(message)) => records += usize::from(matches!(message, Message::Record(_))),
                Some(Err(error)) => break error,
                None => return failed("a read that was to fail has come to its end"),
            }
        };
        if records == 0 {
            let why = format!("a read that was to fail half-way failed at once: {error}");
            return Err(Halt::Failed(why));
        }
        let after = messages.take(AFTER).collect().await;
        met.push(Failed {
            request,
            error,
            after,
        });
    }
    Ok(met)
}

pub(crate) async fn errors_end_the_read(suite: &Suite<'_>) -> Verdict {
    for Failed { error, after, .. } in failures(suite).await? {
        let what = match after.first() {
            None => continue,
            Some(Ok(Message::Checkpoint(_))) => "a checkpoint",
            Some(Ok(Message::Record(_))) => "a record",
            Some(Ok(_)) => "a status",
            Some(Err(_)) => "another error",
        };
        return failed(format!("{what} came after the error: {error}"));
    }
    Ok(())
}

pub(crate) async fn errors_name_their_stream(suite: &Suite<'_>) -> Verdict {
    for Failed { request, error, .. } in failures(suite).await? {
        let mut context = error.context();
        let named = context.find(|(key, _)| *key == "stream");
        let is_requested = named.is_some_and(|(_, name)| {
            let mut streams = request.streams.iter();
            streams.any(|selection| selection.stream == *name)
        });
        if !is_requested {
            return failed(format!("no stream is named: {error}"));
        }
    }
    Ok(())
}
