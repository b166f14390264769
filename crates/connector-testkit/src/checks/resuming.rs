//! A read that is killed, and goes on.

use connector_core::{Message, ReadRequest};
use futures::StreamExt;

use crate::Suite;
use crate::opening::{last_state, read, read_some};
use crate::report::{Verdict, failed, skipped};
use crate::rows::Rows;

pub(crate) async fn resuming_misses_nothing(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let messages = read(&*source, request.clone()).await?;
        if last_state(&messages)?.is_none() {
            return skipped("no checkpoint came: each read begins anew");
        }
        let whole = Rows::of(&catalog, &messages)?;
        if whole.is_empty() {
            return failed("no record came: there is nothing to miss");
        }
        for count in 0..=messages.len() {
            let before = read_some(&*source, request.clone(), count).await?;
            let found = Rows::of(&catalog, &before)?;
            let state = last_state(&before)?;
            // By another process, which knows nothing but the state.
            let other = suite.source().await?;
            let after = read(&*other, request.clone().with_state(state)).await?;
            let found = found.and(Rows::of(&catalog, &after)?);
            if let Some(row) = whole.missing_in(&found) {
                return failed(format!("killed after {count} messages, it misses {row}"));
            }
        }
    }
    Ok(())
}

pub(crate) async fn resuming_twice_misses_nothing(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let messages = read(&*source, request.clone()).await?;
        let whole = Rows::of(&catalog, &messages)?;
        let ends = ends_of_checkpoints(&messages);
        if ends.is_empty() {
            return skipped("no checkpoint came: each read begins anew");
        }
        for count in ends {
            let first = read_some(&*source, request.clone(), count).await?;
            let resumed = request.clone().with_state(last_state(&first)?);
            let second = up_to_checkpoint(suite, resumed.clone()).await?;
            let Some(state) = last_state(&second)? else {
                continue;
            };
            let third = read(&*suite.source().await?, resumed.with_state(Some(state))).await?;
            let found = Rows::of(&catalog, &first)?
                .and(Rows::of(&catalog, &second)?)
                .and(Rows::of(&catalog, &third)?);
            if let Some(row) = whole.missing_in(&found) {
                return failed(format!(
                    "killed after {count} messages and again after {}, it misses {row}",
                    second.len()
                ));
            }
        }
    }
    Ok(())
}

pub(crate) async fn reads_end_with_a_checkpoint(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let messages = read(&*source, request).await?;
        let is_either =
            |message: &&Message| matches!(message, Message::Record(_) | Message::Checkpoint(_));
        let last = messages.iter().rev().find(is_either);
        if !matches!(last, Some(Message::Checkpoint(_))) {
            return failed("no checkpoint comes after the last record");
        }
    }
    Ok(())
}

/// How many messages a read has up to each checkpoint.
fn ends_of_checkpoints(messages: &[Message]) -> Vec<usize> {
    let is_checkpoint = |message: &&Message| matches!(message, Message::Checkpoint(_));
    let all = messages.iter().enumerate();
    let checkpoints = all.filter(|(_, message)| is_checkpoint(message));
    checkpoints.map(|(at, _)| at + 1).collect()
}

/// A read that is killed after its first checkpoint, by a source of its own.
async fn up_to_checkpoint(suite: &Suite<'_>, request: ReadRequest) -> Verdict<Vec<Message>> {
    let source = suite.source().await?;
    let mut reading = source.read(request);
    let mut messages = Vec::new();
    while let Some(message) = reading.next().await {
        messages.push(message?);
        if matches!(messages.last(), Some(Message::Checkpoint(_))) {
            break;
        }
    }
    Ok(messages)
}
