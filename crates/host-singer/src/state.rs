//! A connector's state in Singer's form; the crate's documentation shows it.

use std::path::Path;

use connector_core::{Error, ErrorKind, Result, State, StreamName};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What runners keep. They may add members.
#[derive(Debug, Deserialize)]
struct Saved {
    bookmarks: Option<Map<String, Value>>,
    connector: Option<String>,
    version: Option<u32>,
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<Box<Saved>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn not_ours() -> Error {
    let message = "the state was not made by this connector; restore it, or remove it to read \
                   everything again";
    Error::new(ErrorKind::State, message)
}

/// The state to go on from. No file, an empty one and one without bookmarks mean the same.
///
/// # Errors
/// [`ErrorKind::Config`] if there is a file that cannot be read or is something else,
/// [`ErrorKind::State`] if it is not of a connector of this program.
pub(crate) fn read(path: Option<&Path>) -> Result<Option<State>> {
    match path {
        Some(path) => parse(&host_kit::input::text(path, "the state")?),
        None => Ok(None),
    }
}

fn parse(text: &str) -> Result<Option<State>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let saved: Option<Saved> = host_kit::input::parse(text, "the state")?;
    let Some(mut saved) = saved else {
        return Ok(None);
    };
    if let (Some("STATE"), Some(value)) = (saved.kind.as_deref(), saved.value.take()) {
        // The message as the tap has printed it.
        saved = *value;
    }
    let Some(bookmarks) = saved.bookmarks else {
        return match saved.others.keys().all(|key| key == "completed") {
            true => Ok(None),
            false => Err(not_ours()),
        };
    };
    if bookmarks.is_empty() {
        return Ok(None);
    }
    let (Some(connector), Some(version)) = (saved.connector, saved.version) else {
        return Err(not_ours());
    };
    let mut state = State::new(connector, version);
    for (stream, value) in bookmarks.into_iter().filter(|(_, v)| !v.is_null()) {
        state.set_stream(stream.into(), value);
    }
    Ok(Some(state))
}

/// The message that a runner is to keep; without a state it says that there is none.
pub(crate) fn message(state: Option<&State>) -> Value {
    let value = state.map_or_else(|| json!({"bookmarks": {}}), value);
    json!({"type": "STATE", "value": value})
}

/// The value that a runner is to keep.
fn value(state: &State) -> Value {
    let bookmarks: Map<_, _> = state
        .streams()
        .map(|(stream, value)| (stream.as_str().to_owned(), value.clone()))
        .collect();
    json!({
        "bookmarks": bookmarks,
        "connector": state.connector(),
        "version": state.version(),
    })
}

/// Adds what the last state said of streams that are not read now.
pub(crate) fn carry(state: &mut State, last: Option<&State>, read: &[StreamName]) {
    let is_alike =
        |last: &&State| (last.connector(), last.version()) == (state.connector(), state.version());
    let Some(last) = last.filter(is_alike) else {
        return;
    };
    for (stream, value) in last.streams() {
        if !read.contains(stream) && state.stream(stream.as_str()).is_none() {
            state.set_stream(stream.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_and_its_bookmarks_of_other_streams_stay() {
        let mut last = State::new("acme", 2);
        last.set_stream("builds".into(), json!({"a": 1}));
        last.set_stream("jobs".into(), json!(1));
        let back = parse(&value(&last).to_string()).unwrap();
        assert_eq!(back.as_ref(), Some(&last));

        assert_eq!(parse(&message(Some(&last)).to_string()).unwrap(), back);

        let mut checkpoint = State::new("acme", 2);
        carry(&mut checkpoint, back.as_ref(), &["builds".into()]);
        assert_eq!(checkpoint.stream("builds"), None);
        assert_eq!(checkpoint.stream("jobs"), Some(&json!(1)));
    }

    #[test]
    fn no_state_has_many_forms_and_a_foreign_one_is_refused() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"bookmarks":{}}"#,
            r#"{"completed":{}}"#,
        ] {
            assert_eq!(parse(text).unwrap(), None, "{text}");
        }
        let foreign = r#"{"bookmarks":{"builds":{"replication_key":"id"}}}"#;
        let wrapped = r#"{"state":{"bookmarks":{}}}"#;
        for text in ["{", "[]", "7", foreign, wrapped] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
