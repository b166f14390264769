//! A source and a destination in memory. They hold the runner to the contract: the destination
//! panics if a state is committed before the records that it covers have been written.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    Accepts, Catalog, Destination, Error, ErrorKind, JsonObject, Message, Outcome, ReadRequest,
    Record, Result, Source, State, Status, Stream, SyncMode, WritePlan,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::json;
use sync_runner::{CancellationToken, Runner};
use tokio::sync::Semaphore;

/// The two streams of the source; a page has one record of each.
pub(crate) const STREAMS: [&str; 2] = ["builds", "jobs"];

/// What a read does after some of its messages.
pub(crate) enum Then {
    Fail(Error),
    Hang,
    Panic,
    End,
    Send(Message),
    /// These, and then what would have come.
    Insert(Vec<Message>),
}

/// Yields `pages` pages, each followed by a checkpoint. Reads end early as `faults` says, one
/// fault per read.
pub(crate) struct Pages {
    pages: usize,
    faults: Mutex<VecDeque<(usize, Then)>>,
    pub(crate) yielded: Arc<AtomicUsize>,
    pub(crate) states: Mutex<Vec<Option<State>>>,
    pub(crate) dropped: CancellationToken,
}

impl Pages {
    pub(crate) fn new(pages: usize) -> Self {
        Self {
            pages,
            faults: Mutex::default(),
            yielded: Arc::default(),
            states: Mutex::default(),
            dropped: CancellationToken::new(),
        }
    }

    /// The next read does `then` instead of its message number `after`.
    pub(crate) fn then(self, after: usize, then: Then) -> Self {
        self.faults.lock().unwrap().push_back((after, then));
        self
    }

    /// How many messages a read from the beginning has.
    pub(crate) fn messages(&self) -> usize {
        messages(self.pages, 0).len()
    }

    pub(crate) fn yielded(&self) -> usize {
        self.yielded.load(Ordering::SeqCst)
    }
}

pub(crate) fn record(stream: &str, id: usize) -> Record {
    let data = JsonObject::parse(&format!(r#"{{"id":{id}}}"#)).unwrap();
    Record::new(stream.into(), data)
}

pub(crate) fn state(next_page: usize) -> State {
    let mut state = State::new("pages", 1);
    state.set_stream("builds".into(), json!(next_page));
    state
}

fn next_page(state: &State) -> usize {
    let value = state.stream("builds").unwrap();
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn messages(pages: usize, from: usize) -> Vec<Message> {
    let status = |status| move |name: &str| Message::Status(name.into(), status);
    let mut messages: Vec<_> = STREAMS.map(status(Status::Started)).into();
    for page in from..pages {
        messages.extend(STREAMS.map(|name| Message::Record(record(name, page))));
        messages.push(Message::Checkpoint(state(page + 1)));
    }
    messages.extend(STREAMS.map(status(Status::Complete)));
    messages
}

#[async_trait]
impl Source for Pages {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog> {
        let stream = |name: &str| Stream {
            name: name.into(),
            description: String::new(),
            json_schema: json!({"properties": {"id": {"type": "integer"}}}),
            is_default: true,
            scopes: Vec::new(),
            is_readable: None,
            primary_key: vec!["id".to_owned()],
            cursor: None,
            sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
        };
        let streams = STREAMS.map(stream).into();
        Ok(Catalog { streams })
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let from = request.state.as_ref().map_or(0, next_page);
        self.states.lock().unwrap().push(request.state);
        let mut all = messages(self.pages, from);
        let fault = self.faults.lock().unwrap().pop_front();
        let guard = self.dropped.clone().drop_guard();
        let yielded = Arc::clone(&self.yielded);
        let last = match fault {
            None => stream::empty().boxed(),
            Some((after, then)) => then.into_stream(all.split_off(after.min(all.len()))),
        };
        let first = stream::iter(all.into_iter().map(Ok));
        let counted = move |_: &Result<Message>| {
            let _alive = &guard;
            yielded.fetch_add(1, Ordering::SeqCst);
        };
        first.chain(last).inspect(counted).boxed()
    }
}

impl Then {
    fn into_stream(self, rest: Vec<Message>) -> BoxStream<'static, Result<Message>> {
        match self {
            Self::Fail(error) => stream::iter([Err(error)]).boxed(),
            Self::Hang => stream::pending().boxed(),
            Self::Panic => stream::once(async { panic!("a defect of the source") }).boxed(),
            Self::End => stream::empty().boxed(),
            Self::Send(message) => stream::iter([Ok(message)]).boxed(),
            Self::Insert(messages) => {
                stream::iter(messages.into_iter().chain(rest).map(Ok)).boxed()
            }
        }
    }
}

/// What is durable.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    pub(crate) rows: BTreeSet<(String, String)>,
    pub(crate) state: Option<State>,
    /// All records that were written, in their order.
    pub(crate) written: Vec<Record>,
    pub(crate) batches: Vec<usize>,
    pub(crate) commits: usize,
}

/// Shared with the test, and with the next "process" after a crash.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) durable: Arc<Mutex<Durable>>,
    /// `write` takes a permit from it; without one it waits.
    pub(crate) gate: Arc<Semaphore>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            durable: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }
}

impl Store {
    pub(crate) fn destination(&self) -> Memory {
        Memory {
            store: self.clone(),
            open: BTreeSet::new(),
            fails_at_write: usize::MAX,
            rejects: |_| None,
            answers: |outcomes| outcomes,
        }
    }

    pub(crate) fn runner(&self, source: &Arc<Pages>) -> Runner {
        Runner::new(Arc::clone(source) as _, Box::new(self.destination()))
    }

    pub(crate) fn rows(&self) -> usize {
        self.durable.lock().unwrap().rows.len()
    }

    pub(crate) fn state(&self) -> Option<State> {
        self.durable.lock().unwrap().state.clone()
    }
}

/// Keeps rows by stream and text. What is not committed dies with it.
pub(crate) struct Memory {
    store: Store,
    open: BTreeSet<(String, String)>,
    pub(crate) fails_at_write: usize,
    pub(crate) rejects: fn(&Record) -> Option<String>,
    pub(crate) answers: fn(Vec<Outcome>) -> Vec<Outcome>,
}

#[async_trait]
impl Destination for Memory {
    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepts(&mut self) -> Result<Accepts> {
        Ok(Accepts::Any)
    }

    async fn start(&mut self, _plan: &WritePlan) -> Result<Option<State>> {
        Ok(self.store.state())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.store.gate.acquire().await.unwrap().forget();
        let mut durable = self.store.durable.lock().unwrap();
        if durable.batches.len() >= self.fails_at_write {
            return Err(Error::new(ErrorKind::Io, "disk full"));
        }
        durable.batches.push(records.len());
        durable.written.extend(records.iter().cloned());
        let outcomes = records.into_iter().map(|record| {
            if let Some(reason) = (self.rejects)(&record) {
                return Outcome::Rejected(reason);
            }
            if record.gone.is_none() {
                let text = record.data.as_str().to_owned();
                self.open.insert((record.stream.into(), text));
            }
            Outcome::Accepted(None)
        });
        Ok((self.answers)(outcomes.collect()))
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let mut durable = self.store.durable.lock().unwrap();
        durable.commits += 1;
        durable.rows.append(&mut self.open);
        if let Some(state) = state {
            for id in 0..next_page(state) {
                for stream in STREAMS {
                    let record = record(stream, id);
                    let row = (stream.to_owned(), record.data.as_str().to_owned());
                    let is_there = durable.rows.contains(&row);
                    let is_refused = (self.rejects)(&record).is_some();
                    assert!(is_there || is_refused, "state covers {row:?}");
                }
            }
            durable.state = Some(state.clone());
        }
        Ok(())
    }
}
