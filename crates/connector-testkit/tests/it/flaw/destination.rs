//! The destination and what it can do beside writing.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Claim, Connector, DeleteByKey, Destination,
    Holder, JsonObject, OpenRowReader, OpenRows, Outcome, Record, Replica, Result, RunHistory,
    RunRecord, Setup, State, Stream, StreamName, StreamPlan, WritePlan,
};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::Wrong;

/// What a flaw can use: the correct destination, what it was opened with, and its connector.
pub(crate) struct Inner {
    pub(crate) destination: Box<dyn Destination>,
    pub(crate) setup: Setup,
    pub(crate) connector: Arc<dyn Connector>,
    /// The plan that it was started with, and the streams that were added since.
    pub(crate) plan: Option<WritePlan>,
}

impl Inner {
    /// Another correct destination at the same place.
    pub(crate) fn open(&self) -> BoxFuture<'static, Result<Box<dyn Destination>>> {
        let (connector, setup) = (Arc::clone(&self.connector), self.setup.clone());
        Box::pin(async move { connector.expect_destination()?.open(setup).await })
    }

    /// The name of the place.
    pub(crate) fn place(&self) -> String {
        place(&self.setup)
    }
}

/// The name of the place that a destination writes to.
pub(crate) fn place(setup: &Setup) -> String {
    let place = setup.configuration.get("copy").and_then(Value::as_str);
    place.unwrap_or_default().to_owned()
}

/// A destination with a flaw.
pub(super) struct WrongDestination {
    inner: Inner,
    wrong: Wrong,
    results: Stream,
    /// As they were when the acting part was asked for last.
    unfinished: Vec<JsonObject>,
}

impl WrongDestination {
    pub(super) fn new(mut destination: Box<dyn Destination>, setup: Setup, wrong: Wrong) -> Self {
        let results = destination.acting().map(|acting| acting.result_stream());
        let mut results = results.unwrap_or_else(|| Stream::new("results", "None.", json!({})));
        if let Some(edit) = &wrong.mutant.result_stream {
            edit(&mut results);
        }
        let inner = Inner {
            destination,
            setup,
            connector: Arc::clone(&wrong.inner),
            plan: None,
        };
        Self {
            inner,
            wrong,
            results,
            unfinished: Vec::new(),
        }
    }
}

impl Drop for WrongDestination {
    fn drop(&mut self) {
        if let Some(dropped) = &self.wrong.mutant.dropped {
            dropped(&self.inner.setup);
        }
    }
}

#[async_trait]
impl Destination for WrongDestination {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.destination.capabilities();
        let mutant = &self.wrong.mutant;
        for edit in mutant.capabilities.iter().chain(&mutant.own_capabilities) {
            edit(&mut capabilities);
        }
        capabilities
    }

    async fn check(&mut self) -> Result<()> {
        let mut result = self.inner.destination.check().await;
        if let Some(edit) = &self.wrong.mutant.destination_check {
            edit(&self.inner.setup, &mut result);
        }
        result
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        let mut accepted = self.inner.destination.accepted_streams().await?;
        if let Some(edit) = &self.wrong.mutant.accepted {
            edit(&mut accepted);
        }
        Ok(accepted)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let mut plan = plan.clone();
        if let Some(edit) = &self.wrong.mutant.plan {
            edit(&mut plan);
        }
        self.inner.plan = Some(plan.clone());
        match &self.wrong.mutant.start {
            Some(start) => start(&mut self.inner, plan).await,
            None => self.inner.destination.start(&plan).await,
        }
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        match &self.wrong.mutant.add {
            Some(add) => add(&mut self.inner, stream.clone()).await?,
            None => self.inner.destination.add_stream(stream).await?,
        }
        if let Some(plan) = &mut self.inner.plan {
            plan.streams.push(stream.clone());
        }
        Ok(())
    }

    async fn write(&mut self, mut records: Vec<Record>) -> Result<Vec<Outcome>> {
        let (mutant, asked) = (Arc::clone(&self.wrong.mutant), records.clone());
        if let Some(edit) = &mutant.records {
            edit(&mut records);
        }
        let mut outcomes = match &mutant.write {
            Some(write) => write(&mut self.inner, records).await?,
            None => self.inner.destination.write(records).await?,
        };
        if let Some(edit) = &mutant.outcomes {
            edit(&self.inner.setup, &asked, &mut outcomes);
        }
        Ok(outcomes)
    }

    fn batch_limit(&self) -> usize {
        let limit = self.wrong.mutant.limit.as_ref();
        limit.map_or_else(|| self.inner.destination.batch_limit(), |limit| limit())
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        match &self.wrong.mutant.commit {
            Some(commit) => commit(&mut self.inner, state.cloned()).await,
            None => self.inner.destination.commit(state).await,
        }
    }

    async fn finish(&mut self) -> Result<()> {
        match &self.wrong.mutant.finish {
            Some(finish) => finish(&mut self.inner).await,
            None => self.inner.destination.finish().await,
        }
    }

    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        let acts = self.wrong.mutant.acts.as_ref().is_some_and(|acts| acts());
        match self.inner.destination.acting() {
            Some(acting) => self.unfinished = acting.unfinished_results(),
            None if acts => {}
            None => return None,
        }
        if let Some(edit) = &self.wrong.mutant.unfinished {
            edit(&mut self.unfinished);
        }
        Some(self)
    }

    fn claim(&mut self) -> Option<&mut dyn Claim> {
        self.inner.destination.claim()?;
        Some(self)
    }

    fn run_history(&mut self) -> Option<&mut dyn RunHistory> {
        self.inner.destination.run_history()?;
        Some(self)
    }

    fn delete_by_key(&mut self) -> Option<&mut dyn DeleteByKey> {
        self.inner.destination.delete_by_key()?;
        Some(self)
    }

    fn open_rows(&mut self) -> Option<&mut dyn OpenRowReader> {
        self.inner.destination.open_rows()?;
        Some(self)
    }

    fn replica(&self) -> Option<Arc<dyn Replica>> {
        let own = self.wrong.mutant.own_replica.as_ref();
        own.map_or_else(|| self.inner.destination.replica(), |own| Some(own()))
    }
}

#[async_trait]
impl ActingDestination for WrongDestination {
    fn result_stream(&self) -> Stream {
        self.results.clone()
    }

    fn take_results(&mut self) -> Vec<JsonObject> {
        let acting = self.inner.destination.acting();
        let mut results = acting
            .map(|acting| acting.take_results())
            .unwrap_or_default();
        if let Some(edit) = &self.wrong.mutant.results {
            edit(&self.inner.setup, &mut results);
        }
        results
    }

    fn unfinished_results(&self) -> Vec<JsonObject> {
        self.unfinished.clone()
    }

    async fn follow(&mut self) -> Result<bool> {
        let Some(acting) = self.inner.destination.acting() else {
            return Ok(false);
        };
        match &self.wrong.mutant.follow {
            Some(follow) => follow(acting).await,
            None => acting.follow().await,
        }
    }
}

#[async_trait]
impl Claim for WrongDestination {
    async fn claim(&mut self, sync: &str, holder: &Holder) -> Result<()> {
        match &self.wrong.mutant.claim {
            Some(claim) => claim(&mut self.inner, sync.to_owned(), holder.clone()).await,
            None => {
                self.inner
                    .destination
                    .claim()
                    .unwrap()
                    .claim(sync, holder)
                    .await
            }
        }
    }
}

#[async_trait]
impl RunHistory for WrongDestination {
    async fn record(&mut self, run: &RunRecord) -> Result<()> {
        let mut run = run.clone();
        if let Some(edit) = &self.wrong.mutant.recorded {
            edit(&mut run);
        }
        self.inner
            .destination
            .run_history()
            .unwrap()
            .record(&run)
            .await
    }

    async fn runs(&mut self, at_most: usize) -> Result<Vec<RunRecord>> {
        match &self.wrong.mutant.runs {
            Some(runs) => runs(&mut self.inner, at_most).await,
            None => {
                self.inner
                    .destination
                    .run_history()
                    .unwrap()
                    .runs(at_most)
                    .await
            }
        }
    }
}

#[async_trait]
impl DeleteByKey for WrongDestination {
    async fn delete(&mut self, stream: &StreamName, keys: Vec<JsonObject>) -> Result<u64> {
        match &self.wrong.mutant.delete {
            Some(delete) => delete(&mut self.inner, stream.clone(), keys).await,
            None => {
                self.inner
                    .destination
                    .delete_by_key()
                    .unwrap()
                    .delete(stream, keys)
                    .await
            }
        }
    }
}

#[async_trait]
impl OpenRowReader for WrongDestination {
    async fn open_rows(&mut self, stream: &StreamName, open: &OpenRows) -> Result<Vec<Vec<Value>>> {
        let mut open = open.clone();
        if let Some(edit) = &self.wrong.mutant.open {
            edit(&mut open);
        }
        let inner = self.inner.destination.open_rows().unwrap();
        let mut rows = inner.open_rows(stream, &open).await?;
        if let Some(edit) = &self.wrong.mutant.open_rows {
            edit(&self.inner.setup, stream, &mut rows);
        }
        Ok(rows)
    }
}
