//! A connector's state, as one state for each stream; the crate's documentation says why.

use std::collections::BTreeMap;
use std::path::Path;

use connector_core::{Error, ErrorKind, Result, State, StreamName};
use host_kit::{foreign_state, input, is_unset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::catalog::two_namespaces;

/// What a host keeps for one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StreamState {
    connector: String,
    version: u32,
    value: Value,
}

/// The parts of a member of the host's list that matter here. Hosts add other members, some of
/// them twice.
#[derive(Debug, Deserialize)]
struct Saved {
    stream: Option<SavedStream>,
    /// States of other kinds, which this connector does not make.
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
    namespace: Option<String>,
}

/// The states of the streams that are read, as the host keeps them.
#[derive(Debug, Default)]
pub(crate) struct States {
    known: BTreeMap<StreamName, StreamState>,
    /// Connector and version of the last state, for streams that have none.
    form: Option<(String, u32)>,
}

impl States {
    /// The saved states of the `streams` that `connector` reads. No file, an empty one and one
    /// without states mean the same.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a file that cannot be read or is something else;
    /// [`ErrorKind::State`] for a state that another connector made.
    pub(crate) fn read(
        path: Option<&Path>,
        connector: &str,
        streams: &[StreamName],
    ) -> Result<Self> {
        let text = match path {
            // Hosts pass the name of a file that does not exist.
            Some(path) if path.exists() => input::text(path, "the state")?,
            _ => return Ok(Self::default()),
        };
        let mut states = Self::parse(&text, streams)?;
        states.expect_one_connector(connector)?;
        let newest = states.known.values().max_by_key(|state| state.version);
        states.form = newest.map(|state| (state.connector.clone(), state.version));
        Ok(states)
    }

    fn parse(text: &str, streams: &[StreamName]) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || is_unset(&input::parse(text, "the state")?) {
            return Ok(Self::default());
        }
        let saved: Vec<Saved> = input::parse(text, "the state")?;
        let mut states = Self::default();
        let mut namespaces = BTreeMap::new();
        for saved in saved {
            let Some(saved) = saved.stream else {
                let others = [saved.global, saved.data];
                if others.iter().flatten().all(is_unset) {
                    continue;
                }
                return Err(foreign_state());
            };
            let Descriptor { name, namespace } = saved.stream_descriptor;
            let is_read = streams.contains(&name);
            let Some(value) = saved.stream_state.filter(|v| is_read && !is_unset(v)) else {
                continue;
            };
            let other = namespaces.insert(name.clone(), namespace.clone());
            if other.is_some_and(|other| other != namespace) {
                return Err(two_namespaces("state", name.as_str()));
            }
            let state = StreamState::deserialize(value)
                .map_err(|_| foreign_state().with_context("stream", &name))?;
            states.known.insert(name, state);
        }
        Ok(states)
    }

    /// If the states of several connectors are mixed, the error names another connector. If all are
    /// of the same connector, the source decides.
    fn expect_one_connector(&self, connector: &str) -> Result<()> {
        let mut makers: Vec<_> = self.known.values().map(|state| &state.connector).collect();
        makers.dedup();
        let mut streams = self.known.iter();
        let foreign = streams.find(|(_, state)| state.connector != connector);
        let Some((stream, state)) = foreign.filter(|_| makers.len() > 1) else {
            return Ok(());
        };
        let message = format!(
            "the state of this stream was made by the connector `{}`, not by `{connector}`; \
             restore it, or remove it to read the stream from the beginning",
            state.connector
        );
        Err(Error::new(ErrorKind::State, message).with_context("stream", stream))
    }

    /// The state to resume from, and the streams that cannot resume: a state has one version, and
    /// theirs is older than that of the others. They are read from the beginning.
    pub(crate) fn joined(&self) -> (Option<State>, Vec<StreamName>) {
        let with_value = || self.known.iter().filter(|(_, s)| !s.value.is_null());
        let Some((_, newest)) = with_value().max_by_key(|(_, state)| state.version) else {
            return (None, Vec::new());
        };
        let mut joined = State::new(&newest.connector, newest.version);
        let mut outdated = Vec::new();
        for (name, state) in with_value() {
            if state.version == newest.version {
                joined.set_stream(name.clone(), state.value.clone());
            } else {
                outdated.push(name.clone());
            }
        }
        (Some(joined), outdated)
    }

    /// Takes a checkpoint. Returns those of the streams whose state changed, each with the state
    /// for the host to keep. A stream that a checkpoint does not name has nothing to resume from.
    pub(crate) fn update(
        &mut self,
        checkpoint: &State,
        streams: &[StreamName],
    ) -> Vec<(StreamName, Value)> {
        self.form = Some((checkpoint.connector().to_owned(), checkpoint.version()));
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

    /// The current state of a stream, for the host to keep. Before the first checkpoint of a
    /// first read that is an empty object, which means the same as no state.
    pub(crate) fn current(&self, stream: &StreamName) -> Value {
        if let Some(state) = self.known.get(stream) {
            return json!(state);
        }
        let Some((connector, version)) = &self.form else {
            return json!({});
        };
        json!(StreamState {
            connector: connector.clone(),
            version: *version,
            value: Value::Null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<States> {
        States::parse(text, &["builds", "jobs"].map(StreamName::from))
    }

    fn saved(name: &str, version: u32) -> String {
        format!(
            r#"{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{name}","namespace":null}},"stream_state":{{"connector":"acme","version":{version},"value":7}}}},"global_":null,"data":null,"sourceStats":{{"recordCount":150.0}},"global_":null}}"#
        )
    }

    #[test]
    fn a_state_comes_back_as_hosts_write_it() {
        let text = format!("[{}, {}]", saved("builds", 2), saved("pipelines", 2));
        let (state, outdated) = parse(&text).unwrap().joined();
        let mut expected = State::new("acme", 2);
        expected.set_stream("builds".into(), json!(7));
        assert_eq!(
            state,
            Some(expected),
            "streams that are not read say nothing"
        );
        assert!(outdated.is_empty());
    }

    #[test]
    fn no_state_has_many_forms() {
        let null = r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"jobs"},"stream_state":null}}]"#;
        for text in ["", "\n", "[]", "{}", null] {
            assert_eq!(parse(text).unwrap().joined().0, None, "{text}");
        }
    }

    #[test]
    fn a_state_that_is_not_ours_is_refused() {
        let foreign = saved("builds", 2).replace("connector", "cursor");
        for text in ["{", "7", r#"{"a":1}"#, &format!("[{foreign}]")] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_stream_with_a_state_of_an_older_version_starts_over() {
        let text = format!("[{}, {}]", saved("builds", 1), saved("jobs", 2));
        let (state, outdated) = parse(&text).unwrap().joined();
        assert_eq!(state.unwrap().version(), 2);
        assert_eq!(outdated, ["builds"]);
    }

    #[test]
    fn only_changes_are_passed_on_and_null_ends_a_state() {
        let streams = ["builds", "jobs"].map(StreamName::from);
        let mut states = parse(&format!("[{}]", saved("builds", 2))).unwrap();
        let mut checkpoint = State::new("acme", 2);
        checkpoint.set_stream("builds".into(), json!(7));
        assert!(states.update(&checkpoint, &streams).is_empty());

        checkpoint.remove_stream("builds");
        checkpoint.set_stream("jobs".into(), json!(1));
        let changed = states.update(&checkpoint, &streams);
        let values: Vec<_> = changed.iter().map(|(_, state)| &state["value"]).collect();
        assert_eq!(values, [&Value::Null, &json!(1)]);
        assert!(states.update(&checkpoint, &streams).is_empty());
    }

    #[test]
    fn the_state_of_another_connector_beside_ours_is_refused_by_its_name() {
        let foreign = saved("jobs", 9).replace("acme", "other");
        let states = parse(&format!("[{}, {foreign}]", saved("builds", 2))).unwrap();
        let error = states.expect_one_connector("acme").unwrap_err().to_string();
        assert!(
            error.contains("was made by the connector `other`, not by `acme`"),
            "{error}"
        );
        assert!(error.ends_with("[stream: jobs]"), "{error}");
        let ours = parse(&format!("[{}, {}]", saved("builds", 2), saved("jobs", 1))).unwrap();
        assert!(ours.expect_one_connector("acme").is_ok());
    }

    #[test]
    fn one_stream_in_two_namespaces_is_refused() {
        let other = saved("builds", 2).replace(r#""namespace":null"#, r#""namespace":"a""#);
        let error = parse(&format!("[{}, {other}]", saved("builds", 2))).unwrap_err();
        assert!(error.to_string().contains("two namespaces"), "{error}");
    }

    #[test]
    fn a_stream_without_a_state_has_a_null_in_the_form_of_the_others() {
        let mut states = States::default();
        assert_eq!(states.current(&"words".into()), json!({}));
        states.update(&State::new("acme", 2), &["words".into()]);
        let expected = json!({"connector": "acme", "version": 2, "value": null});
        assert_eq!(states.current(&"words".into()), expected);
    }
}
