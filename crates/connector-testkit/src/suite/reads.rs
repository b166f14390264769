//! Reading from the connector under test.

use connector_core::{Message, ReadRequest, Result, Source, State};
use futures::StreamExt;

use crate::report::{Verdict, failed};

/// All messages of a read that must end well.
pub(crate) async fn read(source: &dyn Source, request: ReadRequest) -> Verdict<Vec<Message>> {
    let messages: Vec<_> = source.read(request).collect().await;
    let mut read = Vec::with_capacity(messages.len());
    for message in messages {
        match message {
            Ok(message) => read.push(message),
            Err(error) => {
                return failed(format!("a read failed that was to succeed: {error}"));
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

/// The last checkpoint, as a host gives it back: in its JSON form.
pub(crate) fn last_state(messages: &[Message]) -> Verdict<Option<State>> {
    let state = messages.iter().rev().find_map(|message| match message {
        Message::Checkpoint(state) => Some(state),
        _ => None,
    });
    let Some(state) = state else { return Ok(None) };
    Ok(Some(State::parse(&state.to_json()?)?))
}
