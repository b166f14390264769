//! A read that is killed and resumed.

use connector_core::{Message, ReadRequest, SyncMode};
use futures::StreamExt;

use crate::check::Check;
use crate::report::{Verdict, absent, failed};
use crate::rows::{Rows, records};
use crate::suite::{last_state, read, read_some};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "reads_end_with_a_checkpoint",
        claim: "A checkpoint follows the last record, in a full refresh too.",
        mutants: &["no checkpoint after the last record"],
        capability: Capability::Source,
        run: |suite| Box::pin(reads_end_with_a_checkpoint(suite)),
    },
    Check {
        name: "resuming_misses_nothing",
        claim: "Killed after any message and resumed by a new source from the last checkpoint, a read misses no record.",
        mutants: &[
            "a checkpoint before the records that it covers",
            "resumes one record too far",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(resuming_misses_nothing(suite)),
    },
    Check {
        name: "resuming_twice_misses_nothing",
        claim: "Killed after any checkpoint, resumed, killed after the next checkpoint and resumed again, a read misses no record.",
        mutants: &["a state that counts the resumed part twice"],
        capability: Capability::Source,
        run: |suite| Box::pin(resuming_twice_misses_nothing(suite)),
    },
    Check {
        name: "full_refresh_starts_over",
        claim: "After a completed full refresh, the next one reads everything again.",
        mutants: &["a full refresh that resumes from the end of the last one"],
        capability: Capability::Source,
        run: |suite| Box::pin(full_refresh_starts_over(suite)),
    },
];

async fn reads_end_with_a_checkpoint(suite: &Suite<'_>) -> Verdict {
    for (_, messages) in super::reads(suite).await?.1 {
        let is_either =
            |message: &&Message| matches!(message, Message::Record(_) | Message::Checkpoint(_));
        let last = messages.iter().rev().find(is_either);
        if !matches!(last, Some(Message::Checkpoint(_))) {
            return failed("no checkpoint follows the last record");
        }
    }
    Ok(())
}

async fn resuming_misses_nothing(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = super::reads(suite).await?;
    let source = suite.source().await?;
    for (request, messages) in reads {
        let whole = Rows::of(&catalog, &messages)?;
        for count in 0..=messages.len() {
            let before = read_some(&*source, request.clone(), count).await?;
            let state = last_state(&before)?;
            // By another process, which knows nothing but the state.
            let other = suite.source().await?;
            let after = read(&*other, request.clone().with_state(state)).await?;
            let found = Rows::of(&catalog, &before)?.then(&catalog, &after)?;
            if let Some(row) = whole.missing_in(&found) {
                return failed(format!("killed after {count} messages, it misses {row}"));
            }
        }
    }
    Ok(())
}

async fn resuming_twice_misses_nothing(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = super::reads(suite).await?;
    let source = suite.source().await?;
    for (request, messages) in reads {
        let whole = Rows::of(&catalog, &messages)?;
        for count in ends_of_checkpoints(&messages) {
            let first = read_some(&*source, request.clone(), count).await?;
            let resumed = request.clone().with_state(last_state(&first)?);
            let second = up_to_checkpoint(suite, resumed.clone()).await?;
            let Some(state) = last_state(&second)? else {
                continue;
            };
            let third = read(&*suite.source().await?, resumed.with_state(Some(state))).await?;
            let found = Rows::of(&catalog, &first)?.then(&catalog, &second)?;
            if let Some(row) = whole.missing_in(&found.then(&catalog, &third)?) {
                let again = second.len();
                return failed(format!(
                    "killed after {count} messages and again after {again}, it misses {row}"
                ));
            }
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

async fn full_refresh_starts_over(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = super::reads(suite).await?;
    let source = suite.source().await?;
    let mut tried = 0;
    for (mut request, messages) in reads {
        request
            .streams
            .retain(|one| one.mode == SyncMode::FullRefresh);
        let is_full = |stream: &_| request.streams.iter().any(|one| one.stream == *stream);
        let mut full = messages.clone();
        full.retain(|message| match message {
            Message::Record(record) => is_full(&record.stream),
            _ => false,
        });
        tried += records(&full).count();
        let state = last_state(&messages)?;
        let again = read(&*source, request.with_state(state)).await?;
        let (whole, again) = (Rows::of(&catalog, &full)?, Rows::of(&catalog, &again)?);
        if let Some(row) = whole.missing_in(&again) {
            return failed(format!("a second full refresh misses {row}"));
        }
    }
    if tried == 0 {
        return absent();
    }
    Ok(())
}
