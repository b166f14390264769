//! A source and a destination in memory. They hold the runner to the contract: the destination
//! panics if a state is committed before the records that it covers have been written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Catalog, Claim, Destination, Error, ErrorKind, Holder,
    JsonObject, Message, OpenRowReader, OpenRows, Outcome, ReadRequest, Record, Result, Source,
    State, Status, Stream, StreamName, StreamPlan, SyncMode, WriteMode, WritePlan,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Value, json};
use sync_runner::Runner;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

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
    pub(crate) open_rows: Mutex<Vec<BTreeMap<StreamName, Vec<Vec<Value>>>>>,
    pub(crate) dropped: CancellationToken,
}

impl Pages {
    pub(crate) fn new(pages: usize) -> Self {
        Self {
            pages,
            faults: Mutex::default(),
            yielded: Arc::default(),
            states: Mutex::default(),
            open_rows: Mutex::default(),
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
        let schema = json!({"properties": {"id": {"type": "integer"}}});
        let stream = |name: &str| {
            Stream::new(name, "", schema.clone())
                .with_primary_key(["id"])
                .with_sync_modes([SyncMode::FullRefresh, SyncMode::Incremental])
        };
        let [builds, jobs] = STREAMS.map(stream);
        let open = OpenRows::new("state", &["passed"], &["id"]);
        Ok(Catalog::new([builds.with_open_rows(open), jobs]))
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let from = request.state.as_ref().map_or(0, next_page);
        self.states.lock().unwrap().push(request.state);
        self.open_rows.lock().unwrap().push(request.open_rows);
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
    pub(crate) claimed_by: Arc<Mutex<Option<Holder>>>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            durable: Arc::default(),
            claimed_by: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }
}

impl Store {
    pub(crate) fn destination(&self) -> Memory {
        Memory {
            store: self.clone(),
            open: BTreeSet::new(),
            has_claim: false,
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
    has_claim: bool,
    pub(crate) fails_at_write: usize,
    pub(crate) rejects: fn(&Record) -> Option<String>,
    pub(crate) answers: fn(Vec<Outcome>) -> Vec<Outcome>,
}

#[async_trait]
impl Destination for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Upsert]).with_state()
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn add_stream(&mut self, _stream: &StreamPlan) -> Result<()> {
        Ok(())
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
            if !record.is_removed() {
                let text = record.data.as_str().to_owned();
                self.open.insert((record.stream.into(), text));
            }
            Outcome::Accepted
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
                    let is_rejected = (self.rejects)(&record).is_some();
                    assert!(is_there || is_rejected, "state covers {row:?}");
                }
            }
            durable.state = Some(state.clone());
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn claim(&mut self) -> Option<&mut dyn Claim> {
        Some(self)
    }

    fn open_rows(&mut self) -> Option<&mut dyn OpenRowReader> {
        Some(self)
    }
}

#[async_trait]
impl Claim for Memory {
    async fn claim(&mut self, _sync: &str, holder: &Holder) -> Result<()> {
        let mut claimed_by = self.store.claimed_by.lock().unwrap();
        if let Some(other) = &*claimed_by {
            return Err(Error::new(ErrorKind::Conflict, format!("held by {other}")));
        }
        *claimed_by = Some(holder.clone());
        self.has_claim = true;
        Ok(())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.has_claim {
            *self.store.claimed_by.lock().unwrap() = None;
        }
    }
}

#[async_trait]
impl OpenRowReader for Memory {
    async fn open_rows(
        &mut self,
        _stream: &StreamName,
        _open: &OpenRows,
    ) -> Result<Vec<Vec<Value>>> {
        Ok(vec![vec![json!(7)]])
    }
}
