//! A connector in memory for the tests of hosts. Its source yields what a test scripted; its
//! destination writes down what it is asked to do.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test program uses a part of it"
)]

mod destination;
mod source;
mod wire;

use std::sync::{Arc, Mutex};

use connector_core::{
    Capabilities, Connector, DestinationRole, Event, Identity, JsonObject, Message, ReadRequest,
    Record, SourceRole, State, Status, Stream, StreamName, SyncMode, WriteMode,
};
use serde_json::json;

pub use wire::{Ended, Files, Shared};

/// The connector. Its clones share what they write down.
#[derive(Clone)]
pub struct Scripted {
    pub catalog: Vec<Stream>,
    pub messages: Vec<Message>,
    /// How a read ends after the messages.
    pub ending: Ending,
    /// What happens when it is opened.
    pub events: Vec<Event>,
    pub capabilities: Capabilities,
    pub memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Complete,
    Fails,
    Waits,
}

/// What was written down.
#[derive(Debug, Default)]
pub struct Memory {
    /// Each call of the destination, in a few words.
    pub calls: Vec<String>,
    pub requests: Vec<ReadRequest>,
    /// The settings that the plugin saw, as JSON.
    pub settings: Vec<String>,
    pub dry_runs: Vec<bool>,
}

impl Scripted {
    /// Yields nothing; supports every write mode.
    pub fn new() -> Self {
        let modes = [WriteMode::Upsert, WriteMode::Append, WriteMode::Overwrite];
        Self {
            catalog: Vec::new(),
            messages: Vec::new(),
            ending: Ending::Complete,
            events: Vec::new(),
            capabilities: Capabilities::new(modes),
            memory: Arc::default(),
        }
    }

    /// Acts on records and reports results.
    pub fn acting() -> Self {
        let capabilities = Capabilities::new([WriteMode::Append])
            .with_results()
            .with_dry_run();
        Self {
            capabilities,
            ..Self::new()
        }
    }

    /// Has a stream, which it reads in these modes.
    pub fn with_stream(mut self, name: &str, modes: &[SyncMode]) -> Self {
        let schema = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
        let stream = Stream::new(name, "", schema)
            .with_primary_key(["id"])
            .with_sync_modes(modes.iter().copied());
        self.catalog.push(stream);
        self
    }

    /// Yields these messages.
    pub fn yielding(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.messages = messages.into_iter().collect();
        self
    }

    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// The calls of the destination.
    pub fn calls(&self) -> Vec<String> {
        self.memory.lock().unwrap().calls.clone()
    }

    fn note(&self, call: impl Into<String>) {
        self.memory.lock().unwrap().calls.push(call.into());
    }
}

impl Connector for Scripted {
    fn identity(&self) -> Identity {
        Identity::new("scripted", "Scripted", "1.2.3")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }
}

pub fn started(stream: &str) -> Message {
    Message::Status(stream.into(), Status::Started)
}

pub fn complete(stream: &str) -> Message {
    Message::Status(stream.into(), Status::Complete)
}

pub fn record(stream: &str, id: u64) -> Message {
    let data = JsonObject::from_serialize(&json!({ "id": id })).unwrap();
    Message::Record(Record::new(stream.into(), data))
}

/// A checkpoint with a number for each stream.
pub fn checkpoint(values: &[(&str, u64)]) -> Message {
    let mut state = State::new("scripted", 2);
    for (stream, value) in values {
        state.set_stream(StreamName::from(*stream), (*value).into());
    }
    Message::Checkpoint(state)
}
