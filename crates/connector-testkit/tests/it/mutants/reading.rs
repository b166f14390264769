//! `check`, `discover` and what a read yields.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use connector_core::{
    ErrorKind, Event, JsonObject, Message, Record, Result, Retry, Selection, Setup, State, Status,
    SyncMode,
};
use connector_testkit::memory::{PEOPLE, TASKS};
use serde_json::{Value, json};

use super::error;
use crate::flaw::Mutant;

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = checks();
    mutants.extend(catalogs());
    mutants.extend(courses());
    mutants.extend(records());
    mutants.extend(requests());
    mutants.extend(open_rows());
    mutants.extend(failures());
    mutants.push(reads_on());
    mutants
}

/// Whether a connector was opened with a token of nobody.
pub(super) fn is_of_nobody(setup: &Setup) -> bool {
    let token = setup.configuration.get("token").and_then(Value::as_str);
    token.is_some_and(|token| token.contains("nobody"))
}

fn checks() -> Vec<Mutant> {
    vec![
        Mutant::new("refuses a token that works").check(|_, result| {
            *result = Err(error(ErrorKind::Auth));
        }),
        Mutant::new("accepts an unknown token").check(|setup, result| {
            if is_of_nobody(setup) {
                *result = Ok(());
            }
        }),
        Mutant::new("a retryable error for an unknown token").check(|setup, result| {
            if is_of_nobody(setup) {
                *result = Err(error(ErrorKind::Auth).with_retry(Retry::Backoff));
            }
        }),
    ]
}

fn catalogs() -> Vec<Mutant> {
    let turns = AtomicU64::new(0);
    vec![
        Mutant::new("reverses the streams each time").catalog(move |catalog| {
            if turns.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
                catalog.streams.reverse();
            }
        }),
        Mutant::new("a cursor that is not in the schema").catalog(|catalog| {
            catalog.streams[1].cursor = Some("updated_at".to_owned());
        }),
        Mutant::new("no sync mode")
            .besides(&["unsupported_sync_modes_are_refused"])
            .catalog(|catalog| catalog.streams[0].sync_modes.clear()),
        Mutant::new("a stream without description")
            .catalog(|catalog| catalog.streams[0].description.clear()),
        Mutant::new("open rows by a field that is not in the schema").catalog(|catalog| {
            if let Some(open) = &mut catalog.streams[1].open_rows {
                open.field = "phase".to_owned();
            }
        }),
    ]
}

type Messages = Vec<Result<Message>>;

fn is_status(message: &Result<Message>, wanted: Status) -> bool {
    matches!(message, Ok(Message::Status(_, status)) if *status == wanted)
}

fn courses() -> Vec<Mutant> {
    vec![
        Mutant::new("never reports that a stream is complete").messages(|_, _, messages| {
            messages.retain(|message| !is_status(message, Status::Complete));
        }),
        Mutant::new("reports the start of a stream after its first record").messages(
            |_, _, messages| {
                let is_whole = messages.iter().all(Result::is_ok);
                for at in (1..messages.len()).filter(|_| is_whole) {
                    if is_status(&messages[at - 1], Status::Started)
                        && !is_status(&messages[at], Status::Complete)
                    {
                        messages.swap(at - 1, at);
                    }
                }
            },
        ),
        Mutant::new("yields a stream that was not requested").messages(|_, _, messages| {
            if messages.iter().any(Result::is_err) {
                return;
            }
            for status in [Status::Started, Status::Complete] {
                messages.push(Ok(Message::Status("others".into(), status)));
            }
        }),
    ]
}

fn first_record(messages: &Messages) -> Option<Record> {
    messages.iter().find_map(|message| match message {
        Ok(Message::Record(record)) => Some(record.clone()),
        _ => None,
    })
}

fn records() -> Vec<Mutant> {
    let drift = AtomicU64::new(0);
    vec![
        Mutant::new("a number where the schema says text").catalog(|catalog| {
            catalog.streams[0].json_schema["properties"]["age"]["type"] = "string".into();
        }),
        Mutant::new("a key that is null")
            .reading_only()
            .besides(&["existing_open_rows_stay"])
            .catalog(|catalog| {
                catalog.streams[1].json_schema["properties"]["id"] = json!({});
            })
            .record(|_, record| {
                if record["id"] == 3 {
                    record["id"] = Value::Null;
                }
            }),
        Mutant::new("a record without its key")
            .reading_only()
            .besides(&["existing_open_rows_stay"])
            .record(|_, record| {
                if record["id"] == 3 {
                    record.as_object_mut().unwrap().shift_remove("id");
                }
            }),
        Mutant::new("yields a record twice")
            .reading_only()
            .messages(|_, _, messages| {
                if let Some(record) = first_record(messages) {
                    messages.insert(2, Ok(Message::Record(record)));
                }
            }),
        Mutant::new("another value in each read")
            .reading_only()
            .besides(&["reads_are_independent"])
            .messages(move |_, _, messages| {
                let drift = drift.fetch_add(1, Ordering::SeqCst);
                edit_people(messages, |record| record["age"] = drift.into());
            }),
        sharing(),
        Mutant::new("omits the same record in every read")
            .reading_only()
            .messages(|_, _, messages| {
                messages.retain(|message| match message {
                    Ok(Message::Record(record)) => !record.data.as_str().contains("Grace"),
                    _ => true,
                });
            }),
    ]
}

/// Changes records of the stream that is only read in full.
fn edit_people(messages: &mut Messages, edit: impl Fn(&mut Value)) {
    for message in messages {
        if let Ok(Message::Record(record)) = message
            && record.stream == PEOPLE
        {
            let mut value = serde_json::from_str(record.data.as_str()).unwrap();
            edit(&mut value);
            let data = JsonObject::from_serialize(&value).unwrap();
            *record = Record::new(record.stream.clone(), data);
        }
    }
}

/// Of two reads at the same time, the first one leaves its records to the other.
fn sharing() -> Mutant {
    let mutant = Mutant::new("two reads share the records").reading_only();
    mutant.messages(|reader, _, messages| {
        if reader.is_shared() {
            messages.retain(|message| !matches!(message, Ok(Message::Record(_))));
        }
    })
}

fn requests() -> Vec<Mutant> {
    vec![
        Mutant::new("omits an unknown stream silently").request(|_, request| {
            request
                .streams
                .retain(|one| one.stream == PEOPLE || one.stream == TASKS);
        }),
        Mutant::new("reads a stream in any mode").request(|_, request| {
            for selection in &mut request.streams {
                if selection.stream == PEOPLE {
                    *selection = Selection::new(PEOPLE, SyncMode::FullRefresh);
                }
            }
        }),
        Mutant::new("ignores a part that it did not make").request(|_, request| {
            let is_own = |part: &Value| part.get("changes").is_some();
            request.partition = request.partition.take().filter(is_own);
        }),
    ]
}

fn open_rows() -> Vec<Mutant> {
    vec![
        Mutant::new("reports every open row as removed").messages(|_, request, messages| {
            for (stream, rows) in &request.open_rows {
                for row in rows {
                    let key = JsonObject::from_serialize(&json!({"id": row[0]})).unwrap();
                    let news = Record::removed(stream.clone(), key, "flaw");
                    messages.push(Ok(Message::Record(news)));
                }
            }
        }),
        Mutant::new("ignores the open rows of the copy")
            .request(|_, request| request.open_rows.clear()),
        Mutant::new("a tombstone that holds more than the key").messages(|_, request, messages| {
            // Only of rows that the copy takes for open.
            if request.open_rows.is_empty() {
                return;
            }
            for message in messages {
                if let Ok(Message::Record(record)) = message
                    && record.is_removed()
                {
                    let text = record.data.as_str().replacen('{', r#"{"title":"more","#, 1);
                    let data = JsonObject::parse(&text).unwrap();
                    *record = Record::removed(record.stream.clone(), data, "flaw");
                }
            }
        }),
    ]
}

fn last_state(messages: &Messages) -> State {
    let states = messages.iter().rev();
    let mut states = states.filter_map(|message| match message {
        Ok(Message::Checkpoint(state)) => Some(state.clone()),
        _ => None,
    });
    states.next().unwrap_or_else(|| State::new("memory", 1))
}

fn failures() -> Vec<Mutant> {
    let has_failed = |messages: &Messages| messages.last().is_some_and(Result::is_err);
    vec![
        Mutant::new("a checkpoint after the error").messages(move |_, _, messages| {
            if has_failed(messages) {
                messages.push(Ok(Message::Checkpoint(last_state(messages))));
            }
        }),
        Mutant::new("continues with the next stream after an error").messages(
            move |_, _, messages| {
                if has_failed(messages) {
                    messages.push(Ok(Message::Status(TASKS.into(), Status::Started)));
                }
            },
        ),
        Mutant::new("a checkpoint that covers the page that failed").messages(
            move |_, _, messages| {
                if has_failed(messages) {
                    let mut state = last_state(messages);
                    let changed = state
                        .stream(PEOPLE)
                        .map_or(0, |value| value["changed"].as_u64().unwrap());
                    let value = json!({"changed": changed + 2, "is_complete": false});
                    state.set_stream(PEOPLE.into(), value);
                    messages.insert(messages.len() - 1, Ok(Message::Checkpoint(state)));
                }
            },
        ),
        Mutant::new("an error without its stream").messages(move |_, _, messages| {
            for message in messages {
                if let Err(named) = message {
                    *message = Err(error(named.kind()));
                }
            }
        }),
    ]
}

/// What must never be done: a task that nobody stops, as long as the source is open.
fn reads_on() -> Mutant {
    let mutant = Mutant::new("reads on in a task of its own").reading_only();
    mutant.reads(|reader| {
        let (source, observer) = (Arc::downgrade(&reader.inner), reader.setup.observer.clone());
        tokio::spawn(async move {
            while source.upgrade().is_some() {
                observer.observe(Event::Request { stream: None });
                tokio::task::yield_now().await;
            }
        });
    })
}
