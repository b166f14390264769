//! The writing half, and reading back what was written.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Catalog, Comparison, Destination, Error, ErrorKind, Outcome, Record, Replica,
    Result, State, Stream, StreamName, StreamPlan, WritePlan,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

use super::{Flaw, Settings, Tiny};

const THINGS: &str = "things";

/// The one stream that is taken; its key is `id`.
pub fn things() -> Stream {
    let schema = json!({"type": "object", "properties": {"id": {}}});
    Stream::new(THINGS, "Some things.", schema).with_primary_key(["id"])
}

/// Rows by stream and `id`, and states by the name of the sync.
#[derive(Debug, Clone, Default)]
struct Content {
    rows: BTreeMap<(StreamName, String), Value>,
    states: HashMap<String, State>,
}

/// All stores of a connector, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Stores(Arc<Mutex<HashMap<String, Content>>>);

impl Stores {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Content>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &str) -> Content {
        self.all().get(name).cloned().unwrap_or_default()
    }
}

/// Writes into a store. What is not committed is in `open` alone.
pub(super) struct Store {
    tiny: Tiny,
    settings: Settings,
    plan: Option<WritePlan>,
    open: Content,
}

impl Store {
    pub(super) fn new(tiny: Tiny, settings: Settings) -> Self {
        Self {
            tiny,
            settings,
            plan: None,
            open: Content::default(),
        }
    }

    fn plan(&self) -> Result<&WritePlan> {
        let message = "nothing can be written before `start`";
        let plan = self.plan.as_ref();
        plan.ok_or_else(|| Error::new(ErrorKind::Internal, message))
    }

    fn put(&mut self, record: &Record) -> Result<Outcome> {
        let plan = self.plan()?;
        if !plan
            .streams
            .iter()
            .any(|plan| plan.stream.name == record.stream)
        {
            return Ok(self.refused("its stream was not announced", record));
        }
        let value = value_of(record)?;
        let Some(at) = place(record, &value) else {
            return Ok(self.refused("its key `id` is missing", record));
        };
        self.open.rows.insert(at, value);
        Ok(Outcome::Accepted)
    }

    fn refused(&self, why: &str, record: &Record) -> Outcome {
        if self.tiny.has(Flaw::AcceptsAnything) {
            return Outcome::Accepted;
        }
        let mut reason = why.to_owned();
        if self.tiny.has(Flaw::ReasonQuotesRecord) {
            reason.push_str(record.data.as_str());
        }
        Outcome::Rejected(reason)
    }
}

fn value_of(record: &Record) -> Result<Value> {
    serde_json::from_str(record.data.as_str())
        .map_err(|_| Error::new(ErrorKind::Data, "the record is not JSON"))
}

fn place(record: &Record, value: &Value) -> Option<(StreamName, String)> {
    let id = value.get("id").filter(|id| !id.is_null())?;
    Some((record.stream.clone(), id.to_string()))
}

#[async_trait]
impl Destination for Store {
    async fn check(&mut self) -> Result<()> {
        if self.tiny.has(Flaw::DestinationRefusesAnything) {
            return Err(Error::new(ErrorKind::Auth, "the token is not known"));
        }
        if self.tiny.has(Flaw::DestinationPassesAnything) {
            return Ok(());
        }
        self.settings.prove()
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Only(Catalog::new([things()])))
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        self.settings.prove()?;
        let mut streams = plan.streams.iter().map(|plan| &plan.stream);
        let unknown = streams.find(|stream| stream.name != THINGS);
        if let Some(stream) = unknown.filter(|_| !self.tiny.has(Flaw::TakesAnyStream)) {
            let error = Error::new(ErrorKind::Config, "the only stream is `things`");
            return Err(error.with_context("stream", &stream.name));
        }
        self.open = self.tiny.stores.get(&self.settings.store);
        self.plan = Some(plan.clone());
        Ok(self.open.states.get(&plan.sync).cloned())
    }

    async fn write(&mut self, mut records: Vec<Record>) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        let mut lost = None;
        if self.tiny.has(Flaw::LosesRecord) && records.len() > 1 {
            lost = records.pop();
        }
        for record in &records {
            outcomes.push(self.put(record)?);
        }
        outcomes.extend(lost.map(|_| Outcome::Accepted));
        if self.tiny.has(Flaw::DropsOutcome) {
            outcomes.retain(|outcome| *outcome == Outcome::Accepted);
        }
        Ok(outcomes)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        if stream.stream.name == THINGS {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Config, "the only stream is `things`");
        Err(error.with_context("stream", &stream.stream.name))
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let sync = self.plan()?.sync.clone();
        match state {
            Some(state) => {
                self.open.states.insert(sync, state.clone());
            }
            None if self.tiny.has(Flaw::ForgetsState) => {
                self.open.states.remove(&sync);
            }
            None => {}
        }
        let store = self.settings.store.clone();
        self.tiny.stores.all().insert(store, self.open.clone());
        Ok(())
    }
}

/// A store, to be read back.
pub(super) struct Kept {
    stores: Stores,
    store: String,
}

impl Kept {
    pub(super) fn new(stores: Stores, store: String) -> Self {
        Self { stores, store }
    }
}

#[async_trait]
impl Replica for Kept {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        Ok(self.stores.get(&self.store).states.get(sync).cloned())
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let content = self.stores.get(&self.store);
        let rows = content.rows.iter().filter(|((of, _), _)| of == stream);
        let row = |(_, row): (_, &Value)| Ok(fields.iter().map(|key| row[*key].clone()).collect());
        stream::iter(rows.map(row).collect::<Vec<_>>()).boxed()
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let content = self.stores.get(&self.store);
        let compare = |record: &Record| {
            let value = value_of(record)?;
            let row = place(record, &value).and_then(|at| content.rows.get(&at));
            Ok(match row {
                None => Comparison::Absent,
                Some(row) if *row == value => Comparison::Same,
                Some(_) => Comparison::Differs(Vec::new()),
            })
        };
        records.iter().map(compare).collect()
    }
}
