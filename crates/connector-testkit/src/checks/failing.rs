//! A read that fails half-way.

use std::sync::Arc;

use connector_core::{Error, Ignore, Message, ReadRequest};
use futures::StreamExt;

use crate::Suite;
use crate::opening::{last_state, read};
use crate::reading::Failure;
use crate::report::{Verdict, failed, skipped};
use crate::rows::{Rows, records};

/// How many messages after an error are looked at.
const AFTER: usize = 100;

/// An error, the request that met it, and what came before and after it.
struct Failed {
    request: ReadRequest,
    before: Vec<Message>,
    error: Error,
    after: Vec<Result<Message, Error>>,
}

fn given<'s>(suite: &'s Suite<'_>) -> Verdict<&'s [Failure]> {
    match &suite.reading()?.failures[..] {
        [] => skipped("no read that fails half-way was given"),
        failures => Ok(failures),
    }
}

async fn failures(suite: &Suite<'_>) -> Verdict<Vec<Failed>> {
    let mut met = Vec::new();
    for failure in given(suite)? {
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
        let armed = failure.arm();
        let mut messages = source.read(request.clone());
        let mut before = Vec::new();
        let error = loop {
            match messages.next().await {
                Some(Ok(message)) => before.push(message),
                Some(Err(error)) => break error,
                None => return failed("a read that was to fail has come to its end"),
            }
        };
        if records(&before).next().is_none() {
            let why = format!("a read that was to fail half-way failed at once: {error}");
            return failed(why);
        }
        let after = messages.take(AFTER).collect().await;
        drop(armed);
        met.push(Failed {
            request,
            before,
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

pub(crate) async fn errors_cover_nothing_unread(suite: &Suite<'_>) -> Verdict {
    for failure in given(suite)? {
        for Failed {
            request, before, ..
        } in fail(suite, failure).await?
        {
            let access = (failure.prepare)();
            let mended = suite.source_of(&access, Arc::new(Ignore)).await?;
            let catalog = mended.discover().await?;
            let whole = Rows::of(&catalog, &read(&*mended, request.clone()).await?)?;
            let resumed = request.with_state(last_state(&before)?);
            let after = read(&*mended, resumed).await?;
            let found = Rows::of(&catalog, &before)?.and(Rows::of(&catalog, &after)?);
            if let Some(row) = whole.missing_in(&found) {
                return failed(format!(
                    "failed after {} messages, it misses {row}",
                    before.len()
                ));
            }
        }
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
