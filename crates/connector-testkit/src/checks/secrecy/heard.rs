//! What a connector returned, as texts.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Debug;

use connector_core::{Error, JsonObject, Message, Result};
use serde::Serialize;

/// Texts, and where they were found: each once.
#[derive(Default)]
pub(super) struct Heard(BTreeSet<(&'static str, String)>);

impl Heard {
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(place, text)| (*place, text.as_str()))
    }

    pub(super) fn text(&mut self, place: &'static str, text: impl Into<String>) {
        self.0.insert((place, text.into()));
    }

    pub(super) fn values(&mut self, place: &'static str, value: &impl Debug) {
        self.text(place, format!("{value:?}"));
    }

    pub(super) fn json(&mut self, place: &'static str, value: &impl Serialize) {
        self.text(place, serde_json::to_string(value).unwrap_or_default());
    }

    pub(super) fn objects(&mut self, place: &'static str, objects: &[JsonObject]) {
        for object in objects {
            self.text(place, object.as_str());
        }
    }

    pub(super) fn error(&mut self, error: &Error) {
        self.text("an error", error.to_string());
        self.values("an error", error);
        let mut cause = error.source();
        while let Some(error) = cause {
            self.text("the cause of an error", error.to_string());
            cause = error.source();
        }
    }

    /// What a call returned, and its value, if it returned one.
    pub(super) fn result<T: Debug>(&mut self, place: &'static str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.values(place, &value);
                Some(value)
            }
            Err(error) => {
                self.error(&error);
                None
            }
        }
    }

    pub(super) fn message(&mut self, message: &Message) {
        match message {
            Message::Record(record) => self.text("a record", record.data.as_str()),
            Message::Checkpoint(state) => self.json("a state", state),
            other => self.values("a status", other),
        }
    }
}
