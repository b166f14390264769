//! A connector's state in Singer's form; the crate's documentation shows it.

use std::path::Path;

use connector_core::{ErrorKind, Result, State, StreamName, invalid_json};
use host_kit::{foreign_state, input, is_unset};
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

/// The state to resume from. No file, an empty one and one without bookmarks mean the same.
///
/// # Errors
/// [`ErrorKind::Config`] if there is a file that cannot be read or is something else,
/// [`ErrorKind::State`] if another connector made it.
pub(crate) fn read(path: Option<&Path>) -> Result<Option<State>> {
    let Some(path) = path else { return Ok(None) };
    parse(&input::text(path, "the state")?)
        .map_err(|error| error.with_context("file", path.display()))
}

/// A file may hold all states that a target printed. The last one counts.
fn parse(text: &str) -> Result<Option<State>> {
    let states = serde_json::Deserializer::from_str(text).into_iter::<Option<Saved>>();
    let mut last = None;
    for state in states {
        last = state.map_err(|error| invalid_json(ErrorKind::Config, "the state", &error))?;
    }
    let Some(mut saved) = last else {
        return Ok(None);
    };
    if let (Some("STATE"), Some(value)) = (saved.kind.as_deref(), saved.value.take()) {
        // The message as the tap printed it.
        saved = *value;
    }
    saved.into_state()
}

impl Saved {
    /// A bookmark that is null or empty counts as none.
    fn into_state(self) -> Result<Option<State>> {
        let Some(bookmarks) = self.bookmarks else {
            let mut others = self.others.iter();
            // Meltano's record of a run without a state.
            let is_none = others.all(|(key, value)| key == "completed" && is_unset(value));
            return if is_none {
                Ok(None)
            } else {
                Err(foreign_state())
            };
        };
        let bookmarks: Vec<_> = bookmarks
            .into_iter()
            .filter(|(_, value)| !is_unset(value))
            .collect();
        if bookmarks.is_empty() {
            return Ok(None);
        }
        let (Some(connector), Some(version)) = (self.connector, self.version) else {
            return Err(foreign_state());
        };
        let mut state = State::new(connector, version);
        for (stream, value) in bookmarks {
            state.set_stream(stream.into(), value);
        }
        Ok(Some(state))
    }
}

/// The message for the runner to keep. Without a state it says so.
pub(crate) fn message(state: Option<&State>) -> Value {
    let value = state.map_or_else(|| json!({"bookmarks": {}}), value);
    json!({"type": "STATE", "value": value})
}

/// The value for the runner to keep.
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

/// Adds the bookmarks of streams that are not read now. Returns the streams whose bookmark cannot
/// be added because its version is older.
pub(crate) fn carry(
    state: &mut State,
    last: Option<&State>,
    read: &[StreamName],
) -> Vec<StreamName> {
    let Some(last) = last else { return Vec::new() };
    let is_alike = (last.connector(), last.version()) == (state.connector(), state.version());
    let mut lost = Vec::new();
    for (stream, value) in last.streams() {
        if read.contains(stream) || state.stream(stream.as_str()).is_some() {
            continue;
        }
        if is_alike {
            state.set_stream(stream.clone(), value.clone());
        } else {
            lost.push(stream.clone());
        }
    }
    lost
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
        let lost = carry(&mut checkpoint, back.as_ref(), &["builds".into()]);
        assert_eq!(checkpoint.stream("builds"), None);
        assert_eq!(checkpoint.stream("jobs"), Some(&json!(1)));
        assert!(lost.is_empty());

        let mut newer = State::new("acme", 3);
        assert_eq!(
            carry(&mut newer, back.as_ref(), &["builds".into()]),
            ["jobs"]
        );
        assert_eq!(newer.stream("jobs"), None);
    }

    #[test]
    fn no_state_has_many_forms_and_a_foreign_one_is_refused() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"bookmarks":{}}"#,
            r#"{"bookmarks":{"builds":{},"jobs":null}}"#,
            r#"{"completed":{}}"#,
        ] {
            assert_eq!(parse(text).unwrap(), None, "{text}");
        }
        let foreign = r#"{"bookmarks":{"builds":{"replication_key":"id"}}}"#;
        let wrapped = r#"{"state":{"bookmarks":{}}}"#;
        let inside = r#"{"completed":{"singer_state":{"bookmarks":{"builds":1}}}}"#;
        for text in ["{", "[]", "7", foreign, wrapped, inside] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn of_several_lines_the_last_counts_and_an_empty_bookmark_is_none() {
        let line = |at: u8| {
            format!(
                r#"{{"bookmarks":{{"builds":{at},"jobs":{{}}}},"connector":"acme","version":2}}"#
            )
        };
        let mut expected = State::new("acme", 2);
        expected.set_stream("builds".into(), json!(2));
        let text = format!("{}\n{}\n", line(1), line(2));
        assert_eq!(parse(&text).unwrap(), Some(expected));

        let cut = format!("{}\n{}", line(1), &line(2)[..20]);
        let error = parse(&cut).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
