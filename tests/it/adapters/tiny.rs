//! A connector in memory, small enough to be held against what a wire carries.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Catalog, Connector, Destination, DestinationRole, Error,
    ErrorKind, Event, Identity, JsonObject, Message, Outcome, ReadRequest, Record, Result,
    SettingsSchema, Setup, Source, SourceRole, State, Status, Stream, StreamPlan, SyncMode,
    WaitReason, WriteMode, WritePlan,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const NUMBERS: &str = "numbers";
pub(super) const WORDS: &str = "words";
/// The numbers go from one to this.
const LAST: u64 = 6;

/// How a read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// All is read.
    Complete,
    /// Without having completed its streams.
    Early,
    /// With an error, in the stream of numbers.
    Failed(ErrorKind),
    /// Not at all: it waits for the remote.
    Waiting,
}

/// The connector, and what was written into it.
pub(super) struct Tiny {
    pub(super) end: End,
    pub(super) memory: Arc<Mutex<Memory>>,
}

/// What a destination holds.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Stream and text of each record, and whether it is durable.
    pub(super) records: Vec<(String, String, bool)>,
    /// The streams of each start.
    pub(super) starts: Vec<Vec<String>>,
    /// The streams that were added later.
    pub(super) added: Vec<String>,
    pub(super) finishes: usize,
    /// How many records were durable after each commit.
    pub(super) commits: Vec<usize>,
    pub(super) fails_to_commit: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(rename = "secret")]
    _secret: String,
}

impl Tiny {
    pub(super) fn that_ends(end: End) -> Self {
        let memory = Arc::default();
        Self { end, memory }
    }

    pub(super) fn new() -> Self {
        Self::that_ends(End::Complete)
    }
}

impl Connector for Tiny {
    fn identity(&self) -> Identity {
        Identity::new("tiny", "Tiny", "1.2.3").with_documentation("https://example.com")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }
}

fn settings() -> SettingsSchema {
    SettingsSchema::new(json!({
        "type": "object",
        "required": ["secret"],
        "additionalProperties": false,
        "properties": {
            "secret": {"type": "string", "writeOnly": true, "description": "A\nkey."},
            "way": {"oneOf": [{"const": "up", "description": "Upwards."}, {"const": "down"}]},
        },
    }))
}

fn validate(setup: &Setup) -> Result<()> {
    setup.configuration.clone().parse::<Config>().map(|_| ())
}

#[async_trait]
impl SourceRole for Tiny {
    fn settings(&self) -> SettingsSchema {
        settings()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        validate(setup)
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        validate(&setup)?;
        if self.end == End::Waiting {
            setup.observer.observe(Event::Wait {
                stream: None,
                duration: std::time::Duration::from_secs(9),
                reason: WaitReason::RateLimit("the limit of tests".to_owned()),
            });
        }
        Ok(Arc::new(TinySource(self.end)))
    }
}

#[async_trait]
impl DestinationRole for Tiny {
    fn settings(&self) -> SettingsSchema {
        settings()
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        validate(setup)
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        validate(&setup)?;
        Ok(Box::new(TinyDestination(Arc::clone(&self.memory))))
    }
}

fn capabilities() -> Capabilities {
    Capabilities::new([WriteMode::Upsert, WriteMode::Append])
}

struct TinySource(End);

#[async_trait]
impl Source for TinySource {
    async fn check(&self) -> Result<()> {
        match self.0 {
            End::Failed(kind) => Err(Error::new(kind, "it does not work")),
            _ => Ok(()),
        }
    }

    async fn discover(&self) -> Result<Catalog> {
        let numbers = stream(
            NUMBERS,
            "n",
            vec![SyncMode::FullRefresh, SyncMode::Incremental],
        );
        let words = stream(WORDS, "id", vec![SyncMode::FullRefresh]);
        Ok(Catalog::new([numbers, words]))
    }

    /// The streams are mixed, and a checkpoint follows every second number.
    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let state = request.state.as_ref().and_then(|s| s.stream(NUMBERS));
        let done = state.and_then(Value::as_u64).unwrap_or(0);
        let end = self.0;
        let is_asked = move |name: &str| request.streams.iter().any(|s| s.stream == name);
        let (numbers, words) = (is_asked(NUMBERS), is_asked(WORDS));
        let mut messages = Vec::new();
        let status = |name: &str, status| Ok(Message::Status(name.into(), status));
        messages.extend(numbers.then(|| status(NUMBERS, Status::Started)));
        messages.extend(words.then(|| status(WORDS, Status::Started)));
        for n in 1..=LAST {
            messages.extend((words && n % 2 == 1).then(|| Ok(Message::Record(word(n)))));
            if !numbers || n <= done {
                continue;
            }
            messages.push(Ok(Message::Record(number(n))));
            if n == 3 {
                let key = JsonObject::parse(r#"{"n":0}"#);
                let removed = key.map(|key| Record::removed(NUMBERS.into(), key, "erased"));
                messages.push(removed.map(Message::Record));
            }
            if n == 5 && end != End::Complete {
                return ended(messages, end);
            }
            messages.extend((n % 2 == 0 && n < LAST).then(|| checkpoint(n)));
        }
        messages.extend(words.then(|| status(WORDS, Status::Complete)));
        // A last checkpoint may follow the end.
        messages.extend(numbers.then(|| status(NUMBERS, Status::Complete)));
        messages.extend(numbers.then(|| checkpoint(LAST)));
        stream::iter(messages).boxed()
    }
}

fn ended(mut messages: Vec<Result<Message>>, end: End) -> BoxStream<'static, Result<Message>> {
    if let End::Failed(kind) = end {
        messages.push(Err(
            Error::new(kind, "it broke").with_context("stream", NUMBERS)
        ));
    }
    let messages = stream::iter(messages);
    match end {
        End::Waiting => messages.chain(stream::pending()).boxed(),
        _ => messages.boxed(),
    }
}

fn stream(name: &str, key: &str, sync_modes: Vec<SyncMode>) -> Stream {
    let schema = json!({
        "type": "object",
        "properties": {key: {}, "text": true, "list": {"type": "array", "items": true}},
    });
    Stream::new(name, "", schema)
        .with_primary_key([key])
        .with_sync_modes(sync_modes)
}

/// Numbers that no float holds, forms that no printer writes, and a name twice.
fn number(n: u64) -> Record {
    let text = format!(r#"{{"n":{n},"big":1234567890123456789012,"form":1.50e+2,"form":-0.0}}"#);
    Record::new(NUMBERS.into(), JsonObject::parse(&text).unwrap())
}

/// Blanks, a line break between values, escapes that need not be.
fn word(n: u64) -> Record {
    let text =
        format!("{{ \"id\" : \"w{n}\",\r\n\t\"text\":\"\\u0041\\/\\nä\\\"\", \"list\":[ ] }}");
    Record::new(WORDS.into(), JsonObject::parse(&text).unwrap())
}

fn checkpoint(n: u64) -> Result<Message> {
    let mut state = State::new("tiny", 3);
    state.set_stream(NUMBERS.into(), n.into());
    Ok(Message::Checkpoint(state))
}

struct TinyDestination(Arc<Mutex<Memory>>);

#[async_trait]
impl Destination for TinyDestination {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        let catalog = TinySource(End::Complete).discover().await?;
        Ok(AcceptedStreams::Only(catalog))
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let streams = plan.streams.iter();
        let names = streams.map(|one| one.stream.name.as_str().to_owned());
        self.0.lock().unwrap().starts.push(names.collect());
        Ok(None)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        let name = stream.stream.name.as_str().to_owned();
        self.0.lock().unwrap().added.push(name);
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let mut memory = self.0.lock().unwrap();
        let write = |record: Record| {
            let text = record.data.as_str();
            if text.contains("refuse me") {
                return Outcome::Rejected("it asks for it".to_owned());
            }
            let stream = record.stream.as_str().to_owned();
            memory.records.push((stream, text.to_owned(), false));
            Outcome::Accepted
        };
        Ok(records.into_iter().map(write).collect())
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        let mut memory = self.0.lock().unwrap();
        if memory.fails_to_commit {
            return Err(Error::new(ErrorKind::Io, "the disk is full"));
        }
        memory.records.iter_mut().for_each(|record| record.2 = true);
        let durable = memory.records.len();
        memory.commits.push(durable);
        Ok(())
    }
    async fn finish(&mut self) -> Result<()> {
        self.0.lock().unwrap().finishes += 1;
        Ok(())
    }
}
