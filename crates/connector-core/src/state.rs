//! What a source needs to resume.
//!
//! A state belongs to the connector that made it, has that connector's version and holds one
//! value per stream, so that a host may keep them apart. It is opaque to everyone else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind, Result, StreamName};

/// Where a read can resume. JSON: `{"connector":"…","version":1,"streams":{"builds":{…}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    connector: String,
    version: u32,
    streams: BTreeMap<StreamName, Value>,
}

impl State {
    /// A state without streams.
    pub fn new(connector: impl Into<String>, version: u32) -> Self {
        Self {
            connector: connector.into(),
            version,
            streams: BTreeMap::new(),
        }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if the text is cut, damaged or something else.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            let at = format!("line {}, column {}", error.line(), error.column());
            Error::new(
                ErrorKind::State,
                "the saved state is damaged; restore it, or remove it to read everything again",
            )
            .with_context("at", at)
        })
    }

    /// The JSON form, on one line.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if a value has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "the state has no JSON form").with_source(error)
        })
    }

    /// The connector that made it.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The version of its format, which its connector defines.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The streams it knows, with their values.
    pub fn streams(&self) -> impl Iterator<Item = (&StreamName, &Value)> {
        self.streams.iter()
    }

    /// The value of one stream.
    pub fn stream(&self, name: &str) -> Option<&Value> {
        self.streams.get(name)
    }

    /// Replaces the value of one stream.
    pub fn set_stream(&mut self, name: StreamName, value: Value) {
        self.streams.insert(name, value);
    }

    /// Forgets one stream.
    pub fn remove_stream(&mut self, name: &str) {
        self.streams.remove(name);
    }

    /// Checks that `connector` made it, in a version up to `newest`.
    ///
    /// # Errors
    /// [`ErrorKind::State`], naming both sides.
    pub fn expect(&self, connector: &str, newest: u32) -> Result<()> {
        let refuse = |message: String| Err(Error::new(ErrorKind::State, message));
        if self.connector != connector {
            return refuse(format!(
                "the saved state was made by the connector `{}`, not by `{connector}`; \
                 choose another destination, or remove the state to read everything again",
                self.connector
            ));
        }
        if self.version == 0 || self.version > newest {
            return refuse(format!(
                "the saved state has version {}, this program knows versions up to {newest}; \
                 use the newer program, or remove the state to read everything again",
                self.version
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_json_form() {
        let mut state = State::new("acme", 2);
        state.set_stream("builds".into(), serde_json::json!({"a": [1]}));

        let read = State::parse(&state.to_json().unwrap()).unwrap();

        assert_eq!(read, state);
    }

    #[test]
    fn a_cut_state_and_one_of_others_are_refused() {
        let text = State::new("acme", 2).to_json().unwrap();
        for end in 0..text.len() {
            let error = State::parse(&text[..end]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State);
        }
        let state = State::parse(&text).unwrap();
        assert!(state.expect("acme", 2).is_ok());
        assert_eq!(
            state.expect("acme", 1).unwrap_err().kind(),
            ErrorKind::State
        );
        assert_eq!(
            state.expect("other", 2).unwrap_err().kind(),
            ErrorKind::State
        );
    }
}
