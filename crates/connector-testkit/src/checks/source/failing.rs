//! A read that fails half-way.

use connector_core::{Error, Message, ReadRequest};
use futures::StreamExt;

use crate::check::Check;
use crate::given::Failure;
use crate::report::{Verdict, failed, skipped};
use crate::rows::{Rows, records};
use crate::suite::{last_state, read};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "errors_end_the_read",
        claim: "Nothing follows an error: no record, and no checkpoint that would cover unread records.",
        mutants: &[
            "a checkpoint after the error",
            "continues with the next stream after an error",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(errors_end_the_read(suite)),
    },
    Check {
        name: "errors_cover_nothing_unread",
        claim: "Resumed from the last checkpoint before an error, once the cause is fixed, a read misses no record.",
        mutants: &["a checkpoint that covers the page that failed"],
        capability: Capability::Source,
        run: |suite| Box::pin(errors_cover_nothing_unread(suite)),
    },
    Check {
        name: "errors_name_their_stream",
        claim: "A read error names its stream.",
        mutants: &["an error without its stream"],
        capability: Capability::Source,
        run: |suite| Box::pin(errors_name_their_stream(suite)),
    },
];

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
        [] => skipped("no failing read was given: use `Reading::with_failure`"),
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
        met.push(fail_once(suite, failure, request).await?);
    }
    Ok(met)
}

async fn fail_once(suite: &Suite<'_>, failure: &Failure, request: ReadRequest) -> Verdict<Failed> {
    let source = suite.source_of(&(failure.prepare)()).await?;
    source.discover().await?;
    // The world stays broken until all is read.
    let _armed = failure.arm();
    let mut messages = source.read(request.clone());
    let mut before = Vec::new();
    let error = loop {
        match messages.next().await {
            Some(Ok(message)) => before.push(message),
            Some(Err(error)) => break error,
            None => return failed("the read did not fail"),
        }
    };
    if records(&before).next().is_none() {
        return failed(format!("the read failed before its first record: {error}"));
    }
    let after = messages.take(AFTER).collect().await;
    Ok(Failed {
        request,
        before,
        error,
        after,
    })
}

async fn errors_end_the_read(suite: &Suite<'_>) -> Verdict {
    for Failed { error, after, .. } in failures(suite).await? {
        let what = match after.first() {
            None => continue,
            Some(Ok(Message::Checkpoint(_))) => "a checkpoint",
            Some(Ok(Message::Record(_))) => "a record",
            Some(Ok(_)) => "a status",
            Some(Err(_)) => "another error",
        };
        return failed(format!("{what} followed the error: {error}"));
    }
    Ok(())
}

async fn errors_cover_nothing_unread(suite: &Suite<'_>) -> Verdict {
    for failure in given(suite)? {
        for Failed {
            request, before, ..
        } in fail(suite, failure).await?
        {
            let mended = suite.source_of(&(failure.prepare)()).await?;
            let catalog = mended.discover().await?;
            let whole = Rows::of(&catalog, &read(&*mended, request.clone()).await?)?;
            let resumed = request.with_state(last_state(&before)?);
            let after = read(&*mended, resumed).await?;
            let found = Rows::of(&catalog, &before)?.then(&catalog, &after)?;
            if let Some(row) = whole.missing_in(&found) {
                let count = before.len();
                return failed(format!("failed after {count} messages, it misses {row}"));
            }
        }
    }
    Ok(())
}

async fn errors_name_their_stream(suite: &Suite<'_>) -> Verdict {
    for Failed { request, error, .. } in failures(suite).await? {
        let mut context = error.context();
        let named = context.find(|(key, _)| *key == "stream");
        let is_requested = named.is_some_and(|(_, name)| {
            let mut streams = request.streams.iter();
            streams.any(|selection| selection.stream == *name)
        });
        if !is_requested {
            return failed(format!(
                "the error does not name a requested stream: {error}"
            ));
        }
    }
    Ok(())
}
