//! Reading from the connector under test.

use connector_core::{Message, ReadRequest, Result, Source, State};
use futures::StreamExt;

use crate::report::{Verdict, failed};

/// All messages of a read that must succeed.
pub(crate) async fn read(source: &dyn Source, request: ReadRequest) -> Verdict<Vec<Message>> {
    let messages: Vec<_> = source.read(request).collect().await;
    let mut read = Vec::with_capacity(messages.len());
    for message in messages {
        match message {
            Ok(message) => read.push(message),
            Err(error) => {
                return failed(format!("the read failed: {error}"));
            }
        }
    }
    Ok(read)
}

/// The first messages of a read, which is dropped then.
pub(crate) async fn read_some(
    source: &dyn Source,
    request: ReadRequest,
    count: usize,
) -> Verdict<Vec<Message>> {
    let messages: Vec<_> = source.read(request).take(count).collect().await;
    Ok(messages.into_iter().collect::<Result<_>>()?)
}

/// The last checkpoint, after a round trip through JSON as in a host.
pub(crate) fn last_state(messages: &[Message]) -> Verdict<Option<State>> {
    let state = messages.iter().rev().find_map(|message| match message {
        Message::Checkpoint(state) => Some(state),
        _ => None,
    });
    let Some(state) = state else { return Ok(None) };
    Ok(Some(State::parse(&state.to_json()?)?))
}
