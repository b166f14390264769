//! The destination: keeps copies of any stream, with the state in the same step.

mod capabilities;
mod pending;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Claim, DeleteByKey, Destination, Error, ErrorKind,
    OpenRowReader, Outcome, Record, Replica, Result, RunHistory, State, StreamName, StreamPlan,
    WriteMode, WritePlan,
};
use secrecy::ExposeSecret;

use super::copies::{Copies, Stored};
use super::remote::Remote;
use super::replica::MemoryReplica;
use super::settings::CopySettings;
use pending::Pending;

/// What it can do, whatever its settings.
pub(super) fn capabilities() -> Capabilities {
    let modes = [WriteMode::Upsert, WriteMode::Append, WriteMode::Overwrite];
    let capabilities = Capabilities::new(modes).with_state();
    capabilities.with_dry_run().with_tables()
}

/// Writes into a copy. What is not committed is in `pending` alone.
pub(super) struct MemoryDestination {
    remote: Remote,
    copies: Copies,
    settings: CopySettings,
    is_dry_run: bool,
    sync: Option<String>,
    streams: BTreeMap<StreamName, StreamPlan>,
    pending: Vec<Pending>,
    /// The sync that it has claimed.
    claimed: Option<String>,
}

impl MemoryDestination {
    pub(super) fn new(
        remote: Remote,
        copies: Copies,
        settings: CopySettings,
        is_dry_run: bool,
    ) -> Self {
        Self {
            remote,
            copies,
            settings,
            is_dry_run,
            sync: None,
            streams: BTreeMap::new(),
            pending: Vec::new(),
            claimed: None,
        }
    }

    fn expect_token(&self) -> Result<()> {
        let rights = self.remote.request(self.settings.token.expose_secret());
        rights.map(|_| ())
    }

    fn sync(&self) -> Result<&str> {
        let message = "nothing can be written before `start`";
        let sync = self.sync.as_deref();
        sync.ok_or_else(|| Error::new(ErrorKind::Internal, message))
    }

    /// Changes the copy, unless nothing may be changed.
    fn change(&self, change: impl FnOnce(&mut Stored) -> Result<()>) -> Result<()> {
        if self.is_dry_run {
            return Ok(());
        }
        self.copies.change(&self.settings.copy, change)
    }

    fn accept(&mut self, record: Record) -> Outcome {
        let Some(plan) = self.streams.get(&record.stream) else {
            return Outcome::Rejected("its stream is not part of the sync".to_owned());
        };
        match Pending::new(record, plan) {
            Ok(pending) => {
                self.pending.push(pending);
                Outcome::Accepted
            }
            Err(reason) => Outcome::Rejected(reason),
        }
    }
}

#[async_trait]
impl Destination for MemoryDestination {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        self.expect_token()
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        self.expect_token()?;
        for stream in &plan.streams {
            self.add_stream(stream).await?;
        }
        self.sync = Some(plan.sync.clone());
        let copy = &self.settings.copy;
        let state = self
            .copies
            .read(copy, |stored| stored.copy.states.get(&plan.sync).cloned());
        let state = state.flatten();
        if state.is_none() {
            // Whoever starts from nothing sends again what an earlier run has staged.
            self.change(|stored| {
                stored.staged.retain(|(sync, _), _| *sync != plan.sync);
                Ok(())
            })?;
        }
        Ok(state)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        capabilities().expect(stream)?;
        self.streams
            .insert(stream.stream.name.clone(), stream.clone());
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.sync()?;
        Ok(records
            .into_iter()
            .map(|record| self.accept(record))
            .collect())
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let sync = self.sync()?.to_owned();
        let pending = std::mem::take(&mut self.pending);
        self.change(|stored| {
            for pending in pending {
                pending.store(&sync, stored)?;
            }
            if let Some(state) = state {
                stored.copy.states.insert(sync, state.clone());
            }
            Ok(())
        })
    }

    async fn finish(&mut self) -> Result<()> {
        let sync = self.sync()?.to_owned();
        let streams = self.streams.values();
        self.change(|stored| {
            streams.for_each(|plan| pending::replace(plan, &sync, stored));
            Ok(())
        })
    }

    fn claim(&mut self) -> Option<&mut dyn Claim> {
        Some(self)
    }

    fn run_history(&mut self) -> Option<&mut dyn RunHistory> {
        Some(self)
    }

    fn delete_by_key(&mut self) -> Option<&mut dyn DeleteByKey> {
        Some(self)
    }

    fn open_rows(&mut self) -> Option<&mut dyn OpenRowReader> {
        Some(self)
    }

    fn replica(&self) -> Option<Arc<dyn Replica>> {
        let (copies, name) = (self.copies.clone(), self.settings.copy.clone());
        Some(Arc::new(MemoryReplica::new(copies, name)))
    }
}

impl Drop for MemoryDestination {
    /// Whoever claimed the sync no longer runs it.
    fn drop(&mut self) {
        let Some(sync) = self.claimed.take() else {
            return;
        };
        self.copies.change(&self.settings.copy, |stored| {
            stored.holders.remove(&sync);
        });
    }
}
