//! States, and those from which nothing can be resumed.

use connector_core::{ErrorKind, Message, ReadRequest, Result, Source, State, StreamName};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::check::Check;
use crate::report::{Unproven, Verdict, absent, failed, skipped};
use crate::suite::{last_state, read};
use crate::variation::is_time;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "states_survive_their_json_form",
        claim: "Each checkpoint carries the connector's name and a version, and survives a round trip through JSON.",
        mutants: &[
            "a state in the name of another connector",
            "a state without a version",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(states_survive_their_json_form(suite)),
    },
    Check {
        name: "foreign_states_are_refused",
        claim: "A state of a newer version, or of another connector, is refused with a state error, before any record.",
        mutants: &[
            "accepts a state of any version",
            "accepts a state of any connector",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(foreign_states_are_refused(suite)),
    },
    Check {
        name: "damaged_states_are_refused",
        claim: "A state with values of the wrong shape is refused with a state error. The read never starts over silently.",
        mutants: &["starts over from a damaged state"],
        capability: Capability::Source,
        run: |suite| Box::pin(damaged_states_are_refused(suite)),
    },
    Check {
        name: "far_future_reads_nothing",
        claim: "A state with numbers and times in the far future reads nothing or is refused. The read never starts over silently.",
        mutants: &["starts over from a state in the future"],
        capability: Capability::Source,
        run: |suite| Box::pin(far_future_reads_nothing(suite)),
    },
];

/// The largest number that every JSON reader keeps exactly.
const FAR: u64 = 1 << 53;

async fn states_survive_their_json_form(suite: &Suite<'_>) -> Verdict {
    let name = suite.connector.identity().name;
    let (_, reads) = super::reads(suite).await?;
    for message in reads.iter().flat_map(|(_, messages)| messages) {
        let Message::Checkpoint(state) = message else {
            continue;
        };
        if state.connector() != name || state.version() == 0 {
            return failed("a state lacks the connector's name or a version");
        }
        if State::parse(&state.to_json()?)? != *state {
            return failed("the JSON form of a state is another state");
        }
    }
    Ok(())
}

/// The request and the final state of each read. A source without checkpoints gets an empty state:
/// it must refuse foreign states, too.
async fn states(suite: &Suite<'_>) -> Verdict<Vec<(ReadRequest, State)>> {
    let name = suite.connector.identity().name;
    let (_, reads) = super::reads(suite).await?;
    let mut states = Vec::new();
    for (request, messages) in reads {
        let state = last_state(&messages)?;
        states.push((
            request,
            state.unwrap_or_else(|| State::new(name.clone(), 1)),
        ));
    }
    Ok(states)
}

async fn foreign_states_are_refused(suite: &Suite<'_>) -> Verdict {
    let states = states(suite).await?;
    let source = suite.source().await?;
    for (request, state) in states {
        let version = changed(&state, "version", json!(u32::MAX))?;
        let other = changed(&state, "connector", json!("another-connector"))?;
        let foreign = [
            (version, "of a version far ahead"),
            (other, "of another connector"),
        ];
        for (state, what) in foreign {
            expect_refused(&*source, request.clone().with_state(Some(state)), what).await?;
        }
    }
    Ok(())
}

fn changed(state: &State, key: &str, to: Value) -> Verdict<State> {
    let damaged = |error| Unproven::Failed(format!("the state is not JSON: {error}"));
    let mut value: Value = serde_json::from_str(&state.to_json()?).map_err(damaged)?;
    value[key] = to;
    Ok(State::parse(&value.to_string())?)
}

async fn damaged_states_are_refused(suite: &Suite<'_>) -> Verdict {
    let states = states(suite).await?;
    let source = suite.source().await?;
    let shapes = [
        json!("testkit"),
        json!(["testkit"]),
        json!({"testkit": "testkit"}),
    ];
    let mut tried = 0;
    for (request, state) in states {
        let is_read = |name: &StreamName| request.streams.iter().any(|one| one.stream == *name);
        for (name, _) in state.streams().filter(|(name, _)| is_read(name)) {
            for shape in &shapes {
                tried += 1;
                let mut damaged = state.clone();
                damaged.set_stream(name.clone(), shape.clone());
                let request = request.clone().with_state(Some(damaged));
                expect_refused(&*source, request, "that is damaged").await?;
            }
        }
    }
    if tried == 0 {
        return skipped("no state has a value for a stream");
    }
    Ok(())
}

async fn expect_refused(source: &dyn Source, request: ReadRequest, what: &str) -> Verdict {
    match end(source, request).await {
        End::Refused => Ok(()),
        End::Records => failed(format!("a state {what} was read from")),
        End::Quiet => failed(format!("a state {what} was accepted")),
        End::Error(kind) => failed(format!(
            "a state {what} caused an error of kind {kind:?}, not State"
        )),
    }
}

/// How a read ends.
enum End {
    /// With an error about its state, before any record.
    Refused,
    /// With another error before any record.
    Error(ErrorKind),
    /// A record came.
    Records,
    /// Without an error and without a record.
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

async fn far_future_reads_nothing(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let request = reading.incremental(&catalog)?;
    if request.streams.is_empty() {
        return absent();
    }
    let Some(state) = last_state(&read(&*source, request.clone()).await?)? else {
        return skipped("the read returned no checkpoint");
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
        End::Records => failed("the read returned records"),
        End::Error(kind) => failed(format!("the error has kind {kind:?}, not State")),
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
