//! A complete plugin: a source that counts.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Connector, Identity, JsonObject, Message, ReadRequest, Record, Result, SettingsSchema,
    Setup, Source, SourceRole, State, Status, Stream, SyncMode,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

/// The plugin and its source: the numbers from one to five.
pub(crate) struct Counter;

impl Connector for Counter {
    fn identity(&self) -> Identity {
        Identity::new("counter", "Counter", env!("CARGO_PKG_VERSION"))
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }
}

#[async_trait]
impl SourceRole for Counter {
    fn settings(&self) -> SettingsSchema {
        SettingsSchema::new(json!({"type": "object", "properties": {}}))
    }

    fn validate(&self, _setup: &Setup) -> Result<()> {
        Ok(())
    }

    async fn open(&self, _setup: Setup) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl Source for Counter {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog> {
        let schema = json!({"type": "object", "properties": {"n": {}, "square": {}}});
        let stream = Stream::new("numbers", "Numbers and their squares.", schema)
            .with_primary_key(["n"])
            .with_cursor("n")
            .with_sync_modes([SyncMode::Incremental]);
        Ok(Catalog::new([stream]))
    }

    /// Resumes after the last number of the state, which the destination has kept if it can.
    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        if let Err(refused) = request.expect_whole() {
            return stream::iter([Err(refused)]).boxed();
        }
        let state = request.state.unwrap_or_else(|| State::new("counter", 1));
        if let Err(refused) = state.expect("counter", 1) {
            return stream::iter([Err(refused)]).boxed();
        }
        let last = state.stream("numbers").and_then(Value::as_u64).unwrap_or(0);
        let mut messages = vec![Ok(Message::Status("numbers".into(), Status::Started))];
        messages.extend((last + 1..=5).flat_map(number));
        messages.push(Ok(Message::Status("numbers".into(), Status::Complete)));
        stream::iter(messages).boxed()
    }
}

/// A record, and then a checkpoint: a state never covers what has not been yielded.
fn number(n: u64) -> [Result<Message>; 2] {
    let data = JsonObject::parse(&json!({"n": n, "square": n * n}).to_string());
    let mut state = State::new("counter", 1);
    state.set_stream("numbers".into(), n.into());
    let record = data.map(|data| Message::Record(Record::new("numbers".into(), data)));
    [record, Ok(Message::Checkpoint(state))]
}
