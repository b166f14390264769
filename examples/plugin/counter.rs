//! A complete plugin: a source that counts.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Connector, Error, ErrorKind, Identity, JsonObject, Message, ReadRequest, Record,
    Result, SettingsSchema, Setup, Source, SourceRole, State, Status, Stream, SyncMode,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::json;

/// It has no settings, and refuses those that it does not know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {}

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
        let properties = json!({"type": "object", "properties": {}, "additionalProperties": false});
        SettingsSchema::new(properties)
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        let Settings {} = setup.configuration.clone().parse()?;
        Ok(())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        self.validate(&setup)?;
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl Source for Counter {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog> {
        Ok(catalog())
    }

    /// Resumes after the last number of the state, which the destination has kept if it can.
    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let last = match last_number(&request) {
            Ok(last) => last,
            Err(refused) => return stream::iter([Err(refused)]).boxed(),
        };
        let mut messages = vec![Ok(Message::Status("numbers".into(), Status::Started))];
        messages.extend((last + 1..=5).flat_map(number));
        messages.push(Ok(Message::Status("numbers".into(), Status::Complete)));
        stream::iter(messages).boxed()
    }
}

fn catalog() -> Catalog {
    let schema = json!({"type": "object", "properties": {"n": {}, "square": {}}});
    let stream = Stream::new("numbers", "Numbers and their squares.", schema)
        .with_primary_key(["n"])
        .with_cursor("n")
        .with_sync_modes([SyncMode::Incremental]);
    Catalog::new([stream])
}

/// The number to resume after. What this source does not know, or did not make, is refused.
fn last_number(request: &ReadRequest) -> Result<u64> {
    request.expect_whole()?;
    for selection in &request.streams {
        let catalog = catalog();
        let stream = catalog.stream(selection.stream.as_str())?;
        stream.expect_mode(selection.mode)?;
    }
    let Some(state) = &request.state else {
        return Ok(0);
    };
    state.expect("counter", 1)?;
    let Some(last) = state.stream("numbers") else {
        return Ok(0);
    };
    let number = last.as_u64().filter(|last| *last < u64::MAX);
    number.ok_or_else(|| Error::new(ErrorKind::State, "the state does not hold a number"))
}

/// A record, and then a checkpoint: a state never covers what has not been yielded.
fn number(n: u64) -> [Result<Message>; 2] {
    let data = JsonObject::parse(&json!({"n": n, "square": n * n}).to_string());
    let mut state = State::new("counter", 1);
    state.set_stream("numbers".into(), n.into());
    let record = data.map(|data| Message::Record(Record::new("numbers".into(), data)));
    [record, Ok(Message::Checkpoint(state))]
}
