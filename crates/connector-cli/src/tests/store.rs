//! A toy destination that keeps rows and states in memory, and can be read back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Comparison, Configuration, Connector, Destination,
    DestinationRole, Error, ErrorKind, Identity, LocationKind, Outcome, Record, Replica,
    ReplicaRole, Result, SettingsSchema, Setup, State, StreamName, StreamPlan, WriteMode,
    WritePlan,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};

/// What a location holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Copy {
    pub(super) rows: Vec<(String, String)>,
    pub(super) states: BTreeMap<String, State>,
}

/// The connector `store`. Records that hold `bad` are rejected.
#[derive(Clone, Default)]
pub(super) struct Store {
    copies: Arc<Mutex<BTreeMap<String, Copy>>>,
    /// How often a destination was opened.
    pub(super) opened: Arc<Mutex<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: String,
    #[expect(dead_code, reason = "only its parsing is tested")]
    page_size: Option<u32>,
}

struct Opened {
    store: Store,
    path: String,
    sync: String,
    pending: Vec<(String, String)>,
}

impl Store {
    pub(super) fn copy(&self, path: &str) -> Option<Copy> {
        self.copies.lock().unwrap().get(path).cloned()
    }

    fn settings() -> SettingsSchema {
        SettingsSchema::new(json!({
            "type": "object",
            "properties": {"path": {"type": "string"}, "page_size": {"type": "integer"}},
            "required": ["path"],
        }))
        .with_location("path", LocationKind::FileOrPipe)
    }
}

fn config(configuration: Configuration) -> Result<Config> {
    configuration.parse()
}

fn capabilities() -> Capabilities {
    Capabilities::new([WriteMode::Append]).with_state()
}

impl Connector for Store {
    fn identity(&self) -> Identity {
        Identity::new("store", "Store", "1")
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }

    fn replica(&self) -> Option<&dyn ReplicaRole> {
        Some(self)
    }
}

#[async_trait]
impl DestinationRole for Store {
    fn settings(&self) -> SettingsSchema {
        Self::settings()
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        config(setup.configuration.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        *self.opened.lock().unwrap() += 1;
        Ok(Box::new(Opened {
            store: self.clone(),
            path: config(setup.configuration)?.path,
            sync: String::new(),
            pending: Vec::new(),
        }))
    }
}

#[async_trait]
impl ReplicaRole for Store {
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        let path = config(setup.configuration)?.path;
        match self.copy(&path) {
            Some(copy) => Ok(Arc::new(copy)),
            None => Err(Error::new(ErrorKind::Io, format!("there is no {path}"))),
        }
    }
}

#[async_trait]
impl Destination for Opened {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        plan.sync.clone_into(&mut self.sync);
        let copy = self.store.copy(&self.path).unwrap_or_default();
        Ok(copy.states.get(&self.sync).cloned())
    }

    async fn add_stream(&mut self, _stream: &StreamPlan) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        if self.path == "full" {
            let cause = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::new(ErrorKind::Io, "the disk is full").with_source(cause));
        }
        if self.path == "-" {
            let cause = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            return Err(Error::new(ErrorKind::Io, "cannot be written to").with_source(cause));
        }
        let outcomes = records.into_iter().map(|record| {
            let text = record.data.as_str();
            if text.contains("bad") {
                return Outcome::Rejected("it is bad".to_owned());
            }
            let row = (record.stream.to_string(), text.to_owned());
            self.pending.push(row);
            Outcome::Accepted
        });
        Ok(outcomes.collect())
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let mut copies = self.store.copies.lock().unwrap();
        let copy = copies.entry(self.path.clone()).or_default();
        copy.rows.append(&mut self.pending);
        if let Some(state) = state {
            copy.states.insert(self.sync.clone(), state.clone());
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Replica for Copy {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        Ok(self.states.get(sync).cloned())
    }

    fn rows(
        &self,
        stream: &StreamName,
        _fields: &[&str],
    ) -> BoxStream<'static, Result<Vec<Value>>> {
        let of_stream = self
            .rows
            .iter()
            .filter(|(name, _)| *stream == name.as_str());
        let rows: Vec<_> = of_stream
            .map(|(_, text)| Ok(vec![text.as_str().into()]))
            .collect();
        stream::iter(rows).boxed()
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        Ok(vec![Comparison::Same; records.len()])
    }
}
