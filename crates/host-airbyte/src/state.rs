//! A connector's state, as one state for each stream; the crate's documentation says why.

use std::collections::BTreeMap;
use std::path::Path;

use connector_core::{Error, ErrorKind, Result, Selection, State, StreamName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a host keeps for one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StreamState {
    connector: String,
    version: u32,
    value: Value,
}

/// A member of the host's list, as far as it is ours. Hosts add members, some of them twice.
#[derive(Debug, Deserialize)]
struct Saved {
    stream: Option<SavedStream>,
    /// Of states of other kinds, which this connector does not make.
    global: Option<Value>,
    data: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct SavedStream {
    stream_descriptor: Descriptor,
    stream_state: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    name: StreamName,
}

/// The states of the streams of a read: what the host has of each.
#[derive(Debug, Default)]
pub(crate) struct States {
    known: BTreeMap<StreamName, StreamState>,
}

impl States {
    /// What the host kept of the streams that are read. No file, an empty one and one without
    /// states mean the same.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if there is a file that cannot be read or is something else.
    pub(crate) fn read(path: Option<&Path>, selections: &[Selection]) -> Result<Self> {
        let text = match path {
            // Hosts name a file that they have not made.
            Some(path) if path.exists() => host_kit::input::text(path, "the state")?,
            _ => return Ok(Self::default()),
        };
        Self::parse(&text, selections)
    }

    fn parse(text: &str, selections: &[Selection]) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let saved: Value = host_kit::input::parse(text, "the state")?;
        if is_empty(&saved) {
            return Ok(Self::default());
        }
        let saved: Vec<Saved> = host_kit::input::parse(text, "the state")?;
        let mut states = Self::default();
        for saved in saved {
            let Some(saved) = saved.stream else {
                let others = [saved.global, saved.data];
                match others.iter().flatten().all(is_empty) {
                    true => continue,
                    false => return Err(not_ours()),
                }
            };
            let name = saved.stream_descriptor.name;
            let is_read = selections.iter().any(|s| s.stream == name);
            if let Some(value) = saved.stream_state.filter(|v| is_read && !is_empty(v)) {
                let state = StreamState::deserialize(value)
                    .map_err(|_| not_ours().with_context("stream", &name))?;
                states.known.insert(name, state);
            }
        }
        Ok(states)
    }

    /// The state to go on from, and the streams that cannot: a state has one version, and theirs
    /// is older than that of the others. They are read from the beginning.
    pub(crate) fn joined(&self) -> (Option<State>, Vec<StreamName>) {
        let with_value = || self.known.iter().filter(|(_, s)| !s.value.is_null());
        let Some((_, newest)) = with_value().max_by_key(|(_, state)| state.version) else {
            return (None, Vec::new());
        };
        let mut joined = State::new(&newest.connector, newest.version);
        let mut left_out = Vec::new();
        for (name, state) in with_value() {
            if (&state.connector, state.version) == (&newest.connector, newest.version) {
                joined.set_stream(name.clone(), state.value.clone());
            } else {
                left_out.push(name.clone());
            }
        }
        (Some(joined), left_out)
    }

    /// The streams, out of those that are read, of which a checkpoint says something new; each
    /// with what the host is to keep. A stream that a checkpoint does not name has nothing to go
    /// on from.
    pub(crate) fn changed(
        &mut self,
        checkpoint: &State,
        streams: &[StreamName],
    ) -> Vec<(StreamName, Value)> {
        let mut changed = Vec::new();
        for stream in streams {
            let value = checkpoint.stream(stream.as_str()).cloned();
            if value.is_none() && !self.known.contains_key(stream) {
                continue;
            }
            let state = StreamState {
                connector: checkpoint.connector().to_owned(),
                version: checkpoint.version(),
                value: value.unwrap_or_default(),
            };
            if self.known.get(stream) != Some(&state) {
                changed.push((stream.clone(), json!(state)));
                self.known.insert(stream.clone(), state);
            }
        }
        changed
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn not_ours() -> Error {
    let message = "the state was not made by this connector; restore it, or remove it to read \
                   everything again";
    Error::new(ErrorKind::State, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<States> {
        States::parse(text, &["builds", "jobs"].map(Selection::incremental))
    }

    fn saved(name: &str, version: u32) -> String {
        format!(
            r#"{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{name}","namespace":null}},"stream_state":{{"connector":"acme","version":{version},"value":7}}}},"global_":null,"data":null,"sourceStats":{{"recordCount":150.0}},"global_":null}}"#
        )
    }

    #[test]
    fn a_state_comes_back_as_hosts_write_it() {
        let text = format!("[{}, {}]", saved("builds", 2), saved("pipelines", 2));
        let (state, left_out) = parse(&text).unwrap().joined();
        let mut expected = State::new("acme", 2);
        expected.set_stream("builds".into(), json!(7));
        assert_eq!(
            state,
            Some(expected),
            "streams that are not read say nothing"
        );
        assert!(left_out.is_empty());
    }

    #[test]
    fn no_state_has_many_forms() {
        let null = r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"jobs"},"stream_state":null}}]"#;
        for text in ["", "\n", "[]", "{}", null] {
            assert_eq!(parse(text).unwrap().joined().0, None, "{text}");
        }
    }

    #[test]
    fn what_is_no_state_of_ours_is_refused() {
        let foreign = saved("builds", 2).replace("connector", "cursor");
        for text in ["{", "7", r#"{"a":1}"#, &format!("[{foreign}]")] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_stream_of_an_older_version_begins_anew() {
        let text = format!("[{}, {}]", saved("builds", 1), saved("jobs", 2));
        let (state, left_out) = parse(&text).unwrap().joined();
        assert_eq!(state.unwrap().version(), 2);
        assert_eq!(left_out, ["builds"]);
    }

    #[test]
    fn only_what_is_new_is_told_and_the_end_of_a_state_by_null() {
        let streams = ["builds", "jobs"].map(StreamName::from);
        let mut states = parse(&format!("[{}]", saved("builds", 2))).unwrap();
        let mut checkpoint = State::new("acme", 2);
        checkpoint.set_stream("builds".into(), json!(7));
        assert!(states.changed(&checkpoint, &streams).is_empty());

        checkpoint.remove_stream("builds");
        checkpoint.set_stream("jobs".into(), json!(1));
        let changed = states.changed(&checkpoint, &streams);
        let values: Vec<_> = changed.iter().map(|(_, state)| &state["value"]).collect();
        assert_eq!(values, [&Value::Null, &json!(1)]);
        assert!(states.changed(&checkpoint, &streams).is_empty());
    }
}
