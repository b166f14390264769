//! States, and what is resumed from them.

use connector_core::{Message, ReadRequest, Result, State, StreamName, SyncMode};
use connector_testkit::memory::TASKS;
use serde_json::{Value, json};

use crate::flaw::Mutant;

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = forms();
    mutants.extend(resumptions());
    mutants.extend(checkpoints());
    mutants
}

/// The state with another connector or version.
fn in_the_name_of(state: &State, connector: &str, version: u32) -> State {
    let mut other = State::new(connector, version);
    for (name, value) in state.streams() {
        other.set_stream(name.clone(), value.clone());
    }
    other
}

fn edit_states(messages: &mut [Result<Message>], edit: impl Fn(&State) -> State) {
    for message in messages {
        if let Ok(Message::Checkpoint(state)) = message {
            *state = edit(state);
        }
    }
}

fn forms() -> Vec<Mutant> {
    vec![
        Mutant::new("a state in the name of another connector")
            .reading_only()
            .request(|_, request| {
                let own = request.state.take();
                request.state = own.map(|state| match state.connector() {
                    "other" => in_the_name_of(&state, "memory", state.version()),
                    _ => state,
                });
            })
            .messages(|_, _, messages| {
                edit_states(messages, |state| {
                    in_the_name_of(state, "other", state.version())
                });
            }),
        Mutant::new("a state without a version")
            .reading_only()
            .request(|_, request| {
                let own = request.state.take();
                request.state = own.map(|state| match state.version() {
                    0 => in_the_name_of(&state, state.connector(), 1),
                    _ => state,
                });
            })
            .messages(|_, _, messages| {
                edit_states(messages, |state| {
                    in_the_name_of(state, state.connector(), 0)
                });
            }),
        Mutant::new("accepts a state of any version").request(|_, request| {
            let state = request.state.take();
            request.state = state.map(|state| in_the_name_of(&state, state.connector(), 1));
        }),
        Mutant::new("accepts a state of any connector").request(|_, request| {
            let state = request.state.take();
            request.state = state.map(|state| in_the_name_of(&state, "memory", state.version()));
        }),
        Mutant::new("starts over from a damaged state").request(|_, request| {
            let is_sound = |state: &State| {
                let mut values = state.streams();
                values.all(|(_, value)| value.get("changed").is_some())
            };
            request.state = request.state.take().filter(is_sound);
        }),
        Mutant::new("starts over from a state in the future").request(|_, request| {
            edit_positions(request, |_, position| {
                let is_far = position["changed"]
                    .as_u64()
                    .is_some_and(|changed| changed > 1000);
                if is_far {
                    position["changed"] = 0.into();
                }
            });
        }),
    ]
}

/// Changes what the state of a request says of each stream.
fn edit_positions(request: &mut ReadRequest, edit: impl Fn(&StreamName, &mut Value)) {
    let Some(state) = &mut request.state else {
        return;
    };
    for (name, value) in state.clone().streams() {
        let mut value = value.clone();
        if value.get("changed").is_some_and(Value::is_u64) {
            edit(name, &mut value);
        }
        state.set_stream(name.clone(), value);
    }
}

/// Whether a request reads a stream in this mode.
fn is_read(request: &ReadRequest, name: &StreamName, mode: SyncMode) -> bool {
    let mut streams = request.streams.iter();
    streams.any(|one| one.stream == *name && one.mode == mode)
}

fn plus(value: &mut Value, more: u64) {
    value["changed"] = (value["changed"].as_u64().unwrap() + more).into();
}

fn resumptions() -> Vec<Mutant> {
    vec![
        Mutant::new("resumes one record too far")
            .reading_only()
            .besides(&[
                "resuming_twice_misses_nothing",
                "errors_cover_nothing_unread",
            ])
            .request(|_, request| {
                edit_positions(request, |_, position| {
                    if position["is_complete"] == false {
                        plus(position, 1);
                    }
                });
            }),
        Mutant::new("a state that counts the resumed part twice")
            .reading_only()
            .messages(|_, request, messages| {
                let Some(resumed) = &request.state else {
                    return;
                };
                edit_states(messages, |state| {
                    let mut state = state.clone();
                    for (name, from) in resumed.streams() {
                        let value = state.stream(name.as_str()).cloned();
                        let is_interrupted = from["is_complete"] == false;
                        if let Some(mut value) = value.filter(|_| is_interrupted) {
                            plus(&mut value, from["changed"].as_u64().unwrap_or(0));
                            state.set_stream(name.clone(), value);
                        }
                    }
                    state
                });
            }),
        Mutant::new("a full refresh that resumes from the end of the last one")
            .reading_only()
            .request(|_, request| {
                let asked = request.clone();
                edit_positions(request, |name, position| {
                    if is_read(&asked, name, SyncMode::FullRefresh) {
                        position["is_complete"] = false.into();
                    }
                });
            }),
        Mutant::new("an incremental read that starts one change too late")
            .reading_only()
            .request(|_, request| {
                let asked = request.clone();
                edit_positions(request, |name, position| {
                    let is_incremental = is_read(&asked, name, SyncMode::Incremental);
                    if is_incremental && position["is_complete"] == true {
                        plus(position, 1);
                    }
                });
            }),
        Mutant::new("an incremental read of old values")
            .reading_only()
            .messages(|_, request, messages| {
                let is_resumed = request.state.is_some();
                for message in messages {
                    if let Ok(Message::Record(record)) = message
                        && is_resumed
                        && record.stream == TASKS
                        && !record.is_removed()
                    {
                        let text = record.data.as_str().replace("done", "open");
                        record.data = connector_core::JsonObject::parse(&text).unwrap();
                    }
                }
            }),
    ]
}

fn checkpoints() -> Vec<Mutant> {
    vec![
        Mutant::new("no checkpoint after the last record")
            .reading_only()
            .messages(|_, _, messages| {
                messages.retain(|message| match message {
                    Ok(Message::Checkpoint(state)) => state.stream(TASKS).is_none(),
                    _ => true,
                });
            }),
        Mutant::new("a checkpoint before the records that it covers")
            .reading_only()
            .besides(&["resuming_twice_misses_nothing"])
            .messages(|_, _, messages| {
                // The last checkpoint stays where it is.
                let is_record = |one: &_| matches!(one, Ok(Message::Record(_)));
                let last = messages.iter().rposition(is_record).unwrap_or(0);
                for at in 1..last {
                    let is_checkpoint = matches!(messages[at], Ok(Message::Checkpoint(_)));
                    if is_checkpoint && is_record(&messages[at - 1]) {
                        messages.swap(at - 1, at);
                    }
                }
            }),
    ]
}

/// The value of a stream in a state of the correct connector.
pub(super) fn position(changed: u64) -> Value {
    json!({"changed": changed, "is_complete": true})
}
