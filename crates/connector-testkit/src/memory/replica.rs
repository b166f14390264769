//! A copy in memory, read back.

use async_trait::async_trait;
use connector_core::{
    Comparison, CopyInventory, Error, ErrorKind, Record, Replica, Result, State, StoredStream,
    StoredSync, StreamName,
};
use futures::stream::BoxStream;
use serde_json::Value;

use super::copies::Copies;
use crate::copy::Copy;

/// Reads what is committed at the time of each call.
pub(super) struct MemoryReplica {
    copies: Copies,
    name: String,
}

impl MemoryReplica {
    pub(super) fn new(copies: Copies, name: String) -> Self {
        Self { copies, name }
    }

    /// Checks that there is a copy of this name.
    pub(super) fn exists(&self) -> Result<()> {
        let found = self.copies.read(&self.name, |_| ());
        found.ok_or_else(|| Error::new(ErrorKind::Io, "there is no copy of this name"))
    }

    fn copy(&self) -> Copy {
        let copy = self.copies.read(&self.name, |stored| stored.copy.clone());
        copy.unwrap_or_default()
    }
}

#[async_trait]
impl Replica for MemoryReplica {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        self.copy().state(sync).await
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        self.copy().rows(stream, fields)
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        self.copy().compare(records).await
    }

    fn inventory(&self) -> Option<&dyn CopyInventory> {
        Some(self)
    }
}

#[async_trait]
impl CopyInventory for MemoryReplica {
    async fn syncs(&self) -> Result<Vec<StoredSync>> {
        let states = self.copy().states;
        let syncs = states.into_keys().map(|name| StoredSync::new(name, None));
        Ok(syncs.collect())
    }

    async fn streams(&self) -> Result<Vec<StoredStream>> {
        Ok(self.copy().streams())
    }
}
