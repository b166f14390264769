//! The reading half.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Error, ErrorKind, Event, Message, Observer, PartitionedSource, Partitions,
    ReadRequest, Result, Source, State, Status, Stream, SyncMode,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::json;

use super::pages::Pages;
use super::{Flaw, Settings, Tiny};

pub(super) const LETTERS: &str = "letters";
pub(super) const NUMBERS: &str = "numbers";

/// What a source, and each read of it, holds.
pub(super) struct Remote {
    pub(super) tiny: Tiny,
    pub(super) settings: Settings,
    observer: Arc<dyn Observer>,
}

impl Remote {
    /// Sends a request: it takes a turn of the runtime.
    pub(super) async fn request(&self) {
        self.observer.observe(Event::Request { stream: None });
        tokio::task::yield_now().await;
    }

    pub(super) fn notice(&self, message: String) {
        let stream = None;
        self.observer.observe(Event::Notice { stream, message });
    }
}

/// Reads letters and numbers.
pub(super) struct Letters {
    remote: Arc<Remote>,
}

impl Letters {
    pub(super) fn new(tiny: Tiny, settings: Settings, observer: Arc<dyn Observer>) -> Self {
        let remote = Arc::new(Remote {
            tiny,
            settings,
            observer,
        });
        Self { remote }
    }
}

#[async_trait]
impl Source for Letters {
    async fn check(&self) -> Result<()> {
        self.remote.request().await;
        let tiny = &self.remote.tiny;
        if tiny.has(Flaw::RefusesAnything) {
            return Err(Error::new(ErrorKind::Auth, "the token is not known"));
        }
        if tiny.has(Flaw::PassesAnything) {
            return Ok(());
        }
        self.remote.settings.prove()
    }

    async fn discover(&self) -> Result<Catalog> {
        let tiny = &self.remote.tiny;
        let mut catalog = catalog();
        if tiny.has(Flaw::ShufflesCatalog) && tiny.next() % 2 == 1 {
            catalog.streams.reverse();
        }
        if tiny.has(Flaw::CursorOutsideSchema) {
            catalog.streams[1].cursor = Some("updated_at".to_owned());
        }
        Ok(catalog)
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let remote = Arc::clone(&self.remote);
        if remote.tiny.has(Flaw::ReadsOnWhenDropped) {
            read_on(&remote);
        }
        let pages = match Pages::new(remote, request) {
            Ok(pages) => pages,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let chunk = |mut pages: Pages| async move { Some((pages.next().await?, pages)) };
        let messages = stream::unfold(pages, chunk);
        messages.map(stream::iter).flatten().boxed()
    }

    fn partitioned(&self) -> Option<&dyn PartitionedSource> {
        Some(self)
    }
}

#[async_trait]
impl PartitionedSource for Letters {
    async fn partitions(
        &self,
        request: &ReadRequest,
        at_most: NonZeroUsize,
        _end: Option<State>,
    ) -> Result<Partitions> {
        let end = State::new("tiny", 1);
        if at_most.get() < request.streams.len() {
            return Ok(Partitions::new(vec![request.clone()], end));
        }
        let part = |selection| ReadRequest::new([selection]);
        let mut parts: Vec<_> = request.streams.iter().cloned().map(part).collect();
        if self.remote.tiny.has(Flaw::LosesPart) {
            parts.pop();
        }
        Ok(Partitions::new(parts, end))
    }
}

/// What must never be done: a task that nobody stops, as long as the source is open.
fn read_on(remote: &Arc<Remote>) {
    let remote = Arc::downgrade(remote);
    tokio::spawn(async move {
        while let Some(remote) = remote.upgrade() {
            remote.request().await;
        }
    });
}

pub(super) fn status(name: &str, status: Status) -> Result<Message> {
    Ok(Message::Status(name.into(), status))
}

fn catalog() -> Catalog {
    let text = json!({"type": "string"});
    let whole = json!({"type": "integer"});
    // The key may be null here: that it is not is for another check to see.
    let id = json!({"type": ["integer", "null"]});
    let schema = json!({
        "type": "object",
        "properties": {"id": id, "name": text, "size": whole},
    });
    let letters = Stream::new(LETTERS, "Some letters.", schema.clone()).with_primary_key(["name"]);
    let numbers = Stream::new(NUMBERS, "Some numbers.", schema)
        .with_primary_key(["id"])
        .with_cursor("id")
        .with_sync_modes([SyncMode::FullRefresh, SyncMode::Incremental]);
    Catalog::new([letters, numbers])
}
