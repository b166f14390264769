//! A copy that is read back.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Comparison, CopyInventory, Record, Replica, Result, State, StoredStream, StoredSync, StreamName,
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde_json::Value;

use super::Mutant;

/// A replica with a flaw.
pub(super) struct WrongReplica {
    inner: Arc<dyn Replica>,
    mutant: Arc<Mutant>,
}

impl WrongReplica {
    pub(super) fn new(inner: Arc<dyn Replica>, mutant: Arc<Mutant>) -> Self {
        Self { inner, mutant }
    }
}

#[async_trait]
impl Replica for WrongReplica {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        let mut sync = sync.to_owned();
        if let Some(edit) = &self.mutant.replica_state {
            edit(&mut sync);
        }
        self.inner.state(&sync).await
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let mut stream = stream.clone();
        if let Some(edit) = &self.mutant.rows_of {
            edit(&mut stream);
        }
        let rows = self.inner.rows(&stream, fields);
        let (mutant, fields) = (Arc::clone(&self.mutant), fields.join(","));
        let edited = async move {
            let mut rows: Vec<Vec<Value>> = rows.try_collect().await?;
            if let Some(edit) = &mutant.rows {
                let fields: Vec<_> = fields.split(',').collect();
                edit(&mut stream, &fields, &mut rows);
            }
            Ok(stream::iter(rows.into_iter().map(Ok)))
        };
        stream::once(edited).try_flatten().boxed()
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let mut compared = self.inner.compare(records).await?;
        if let Some(edit) = &self.mutant.compared {
            edit(&mut compared);
        }
        Ok(compared)
    }

    fn inventory(&self) -> Option<&dyn CopyInventory> {
        self.inner.inventory().map(|_| self as &dyn CopyInventory)
    }
}

#[async_trait]
impl CopyInventory for WrongReplica {
    async fn syncs(&self) -> Result<Vec<StoredSync>> {
        let mut syncs = self.inner.inventory().unwrap().syncs().await?;
        if let Some(edit) = &self.mutant.stored_syncs {
            edit(&mut syncs);
        }
        Ok(syncs)
    }

    async fn streams(&self) -> Result<Vec<StoredStream>> {
        let mut streams = self.inner.inventory().unwrap().streams().await?;
        if let Some(edit) = &self.mutant.stored_streams {
            edit(&mut streams);
        }
        Ok(streams)
    }
}
