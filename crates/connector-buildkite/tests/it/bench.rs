//! A fake, a source that reads it, and what the source tells.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_buildkite::Buildkite;
use connector_core::{
    Configuration, Connector, Credential, Error, Event, Message, Observer, ReadRequest, Record,
    Selection, Setup, Source, State,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use mock_buildkite::{Builder, MockBuildkite, Seed, World};
use serde_json::{Value, json};
use tokio::time::timeout;

/// No read of these tests takes longer; one that does hangs.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) const STREAMS: [&str; 4] = ["organizations", "pipelines", "builds", "jobs"];

/// A made-up world of one organization.
pub(crate) fn seeded(builds: usize, jobs_per_build: usize) -> World {
    World::seeded(&Seed {
        builds,
        jobs_per_build,
        ..Seed::default()
    })
}

/// What a test needs.
pub(crate) struct Bench {
    pub(crate) server: MockBuildkite,
    pub(crate) source: Arc<dyn Source>,
    watcher: Arc<Watcher>,
}

#[derive(Default)]
struct Watcher(Mutex<Vec<Event>>);

impl Observer for Watcher {
    fn observe(&self, event: Event) {
        self.0.lock().expect("nothing panics here").push(event);
    }
}

impl Bench {
    /// Without any setting but where the fake is.
    pub(crate) async fn new(world: World) -> Self {
        Self::with(world, json!({})).await
    }

    pub(crate) async fn with(world: World, settings: Value) -> Self {
        let token = mock_buildkite::DEMO_TOKEN;
        Self::started(MockBuildkite::builder(world), token, settings).await
    }

    pub(crate) async fn started(builder: Builder, token: &str, settings: Value) -> Self {
        let server = builder.start().await.expect("a free port");
        let watcher = Arc::new(Watcher::default());
        Self {
            source: open(&server, token, settings, &watcher).await,
            server,
            watcher,
        }
    }

    /// Another source of the same fake, with other settings.
    pub(crate) async fn open(&self, settings: Value) -> Arc<dyn Source> {
        open(&self.server, self.server.token(), settings, &self.watcher).await
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self.watcher.0.lock();
        events.expect("no test panics while it holds it").clone()
    }

    /// Reads streams from the beginning to the end.
    pub(crate) async fn read(&self, streams: &[&str]) -> Vec<Message> {
        self.resume(streams, None).await
    }

    /// Reads streams from `state` to the end.
    pub(crate) async fn resume(&self, streams: &[&str], state: Option<State>) -> Vec<Message> {
        let (messages, error) = self.attempt(streams, state).await;
        assert!(error.is_none(), "{error:?}");
        messages
    }

    /// Reads streams until they end, well or badly.
    pub(crate) async fn attempt(
        &self,
        streams: &[&str],
        state: Option<State>,
    ) -> (Vec<Message>, Option<Error>) {
        let mut reading = self.source.read(request(streams).with_state(state));
        let mut messages = Vec::new();
        let mut error = None;
        while let Some(message) = next(&mut reading).await {
            assert!(error.is_none(), "nothing follows an error: {message:?}");
            match message {
                Ok(message) => messages.push(message),
                Err(failed) => error = Some(failed),
            }
        }
        assert_eq!(self.server.unknown_requests(), []);
        (messages, error)
    }

    /// Method and path of every request, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.into_iter().map(|request| request.path).collect()
    }
}

async fn open(
    server: &MockBuildkite,
    token: &str,
    settings: Value,
    watcher: &Arc<Watcher>,
) -> Arc<dyn Source> {
    let shows = settings.as_object().expect("an object").clone();
    let configuration = Configuration::new(settings).expect("an object");
    let mut configuration = configuration.with("base_url", server.uri());
    if !shows.contains_key("include_sensitive") {
        configuration = configuration.with("include_sensitive", json!(["emails", "env", "tokens"]));
    }
    let setup = Setup::new(configuration)
        .with_credential(Some(Credential::ApiKey(token.into())))
        .with_observer(Arc::<Watcher>::clone(watcher));
    let source = Buildkite.source().expect("it is a source");
    source.open(setup).await.expect("the settings are sound")
}

pub(crate) fn request(streams: &[&str]) -> ReadRequest {
    ReadRequest::new(streams.iter().map(|name| Selection::full_refresh(*name)))
}

/// The next message, in time.
pub(crate) async fn next<T>(stream: &mut BoxStream<'static, T>) -> Option<T> {
    timeout(LIMIT, stream.next())
        .await
        .expect("a message in time")
}

/// The records among messages, as text, of one stream.
pub(crate) fn records<'a>(messages: &'a [Message], stream: &str) -> Vec<&'a str> {
    let record = |message: &'a Message| match message {
        Message::Record(Record {
            stream: of, data, ..
        }) if *of == stream => Some(data.as_str()),
        _ => None,
    };
    messages.iter().filter_map(record).collect()
}

/// The checkpoints among messages, each with its place.
pub(crate) fn checkpoints(messages: &[Message]) -> Vec<(usize, State)> {
    let checkpoint = |(at, message): (usize, &Message)| match message {
        Message::Checkpoint(state) => Some((at, state.clone())),
        _ => None,
    };
    messages.iter().enumerate().filter_map(checkpoint).collect()
}
