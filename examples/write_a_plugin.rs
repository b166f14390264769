//! A complete plugin of one's own, a source that counts: tested by the conformance suite, then
//! moved into JSON lines on stdout:
//! `cargo run -p examples --example write_a_plugin`

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Configuration, Connector, Identity, JsonObject, Message, ReadRequest, Record, Result,
    Roles, Setup, Source, State, Status, Stream, SyncMode,
};
use connector_jsonl::Jsonl;
use connector_testkit::{Access, Reading, Suite};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};
use sync_runner::Runner;

/// The plugin and its source: the numbers from one to five.
struct Counter;

#[async_trait]
impl Connector for Counter {
    fn identity(&self) -> Identity {
        Identity {
            name: "counter",
            title: "Counter",
            version: env!("CARGO_PKG_VERSION"),
            documentation_url: "https://example.com",
        }
    }

    fn roles(&self) -> Roles {
        Roles {
            source: true,
            destination: false,
        }
    }

    fn configuration_schema(&self) -> Value {
        json!({"type": "object"})
    }

    async fn open_source(&self, _setup: Setup) -> Result<Arc<dyn Source>> {
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
        let mut stream = Stream::new("numbers", "Numbers and their squares.", schema);
        stream.primary_key = vec!["n".to_owned()];
        stream.cursor = Some("n".to_owned());
        stream.sync_modes = vec![SyncMode::Incremental];
        let streams = vec![stream];
        Ok(Catalog { streams })
    }

    /// Goes on behind the last number of the state, which the destination has kept if it can.
    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let suite = Suite::new(&Counter).with_reading(Reading::new(Access::new(json!({}))));
    let tested = suite.run().await;
    assert!(tested.failed().is_empty(), "{tested}");

    let source = Counter.open_source(Setup::new(Configuration::default()));
    let to = Setup::new(Configuration::default().with("path", "-"));
    let destination = Jsonl.open_destination(to).await?;
    Runner::new(source.await?, destination).run().await?;
    Ok(())
}
