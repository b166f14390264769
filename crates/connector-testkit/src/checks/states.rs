//! States that cannot be gone on from.

use connector_core::{ErrorKind, Message, ReadRequest, Result, Source, State};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::Suite;
use crate::opening::{last_state, read};
use crate::report::{Halt, Verdict, absent, failed, skipped};

/// The largest number that every reader of JSON takes as it is.
const FAR: u64 = 1 << 53;

pub(crate) async fn foreign_states_are_refused(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let last = last_state(&read(&*source, request.clone()).await?)?;
        // Who has none of its own refuses those of others all the same.
        let name = suite.connector.identity().name;
        let state = last.unwrap_or_else(|| State::new(name, 1));
        let version = changed(&state, "version", json!(u32::MAX))?;
        let other = changed(&state, "connector", json!("another-connector"))?;
        for (state, what) in [
            (version, "a version far ahead"),
            (other, "another connector"),
        ] {
            match end(&*source, request.clone().with_state(Some(state))).await {
                End::Refused => {}
                End::Records => return failed(format!("a state of {what} is read from")),
                End::Quiet => return failed(format!("a state of {what} is taken")),
                End::Error(kind) => {
                    return failed(format!(
                        "a state of {what} is an error of the kind {kind:?}"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn changed(state: &State, key: &str, to: Value) -> Verdict<State> {
    let damaged = |error| Halt::Failed(format!("the state is not JSON: {error}"));
    let mut value: Value = serde_json::from_str(&state.to_json()?).map_err(damaged)?;
    value[key] = to;
    Ok(State::parse(&value.to_string())?)
}

/// How a read ends.
enum End {
    /// With an error about its state, before any record.
    Refused,
    /// With another error before any record.
    Error(ErrorKind),
    /// A record came.
    Records,
    /// Well, without a record.
    Quiet,
}

async fn end(source: &dyn Source, request: ReadRequest) -> End {
    let messages: Vec<Result<Message>> = source.read(request).collect().await;
    for message in messages {
        match message {
            Ok(Message::Record(_)) => return End::Records,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::State => return End::Refused,
            Err(error) => return End::Error(error.kind()),
        }
    }
    End::Quiet
}

pub(crate) async fn far_future_reads_nothing(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let request = suite.reading()?.incremental(&catalog)?;
    if request.streams.is_empty() {
        return absent();
    }
    let Some(state) = last_state(&read(&*source, request.clone()).await?)? else {
        return skipped("no checkpoint came: it has no state");
    };
    let mut future = state.clone();
    for (name, value) in state.streams() {
        future.set_stream(name.clone(), moved_far(value));
    }
    if future == state {
        return skipped("the state holds no number and no time");
    }
    match end(&*source, request.with_state(Some(future))).await {
        End::Refused | End::Quiet => Ok(()),
        End::Records => failed("records came"),
        End::Error(kind) => failed(format!("the error is of the kind {kind:?}, not State")),
    }
}

/// The value with each number and each time in it far in the future.
fn moved_far(value: &Value) -> Value {
    match value {
        Value::Number(_) => FAR.into(),
        Value::String(text) if is_time(text) => format!("9999{}", &text[4..]).into(),
        Value::Array(values) => values.iter().map(moved_far).collect(),
        Value::Object(fields) => {
            let moved = fields
                .iter()
                .map(|(key, value)| (key.clone(), moved_far(value)));
            Value::Object(moved.collect())
        }
        other => other.clone(),
    }
}

/// Whether a text begins with a date, `2026-01-31`.
fn is_time(text: &str) -> bool {
    let date: Vec<_> = text.bytes().take(10).collect();
    let fits = |(at, byte): (usize, &u8)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    date.len() == 10 && date.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_moved_and_nothing_else() {
        let value = json!({"a": [1, "2026-01-31T01:02:03.004Z"], "b": ["x", null, true, "é"]});

        let moved = moved_far(&value);

        let expected = json!({"a": [FAR, "9999-01-31T01:02:03.004Z"], "b": value["b"]});
        assert_eq!(moved, expected);
    }
}
