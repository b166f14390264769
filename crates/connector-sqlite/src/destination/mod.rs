//! The destination: passes each call to a writer, on a thread for blocking calls.

mod capabilities;
mod deletion;
mod pending;
mod session;
mod table;
mod table_set;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Claim, DeleteByKey, Destination, Error, ErrorKind, Observer,
    OpenRowReader, Outcome, Record, Replica, Result, RunHistory, State, Stop, StreamPlan,
    WriteMode, WritePlan,
};
use connector_local::{FileClaim, run_blocking};

use crate::config::Config;
use crate::database;
use crate::patience::Patience;
use crate::replica::SqliteReplica;

use writer::Writer;

/// Writes streams into the tables of one database.
///
/// After an error or a dropped call, records that were not committed are lost, and `start` must be
/// called again. Dropping the destination closes the database.
#[derive(Debug)]
pub struct SqliteDestination {
    pub(crate) path: PathBuf,
    pub(crate) patience: Patience,
    /// `None` before `start`, during a call and after an error.
    writer: Option<Writer>,
    pub(crate) claim: Option<FileClaim>,
}

/// What it can do.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new([WriteMode::Upsert, WriteMode::Append, WriteMode::Overwrite])
        .with_state()
        .with_tables()
}

impl SqliteDestination {
    /// Opens nothing yet.
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>, stop: Stop) -> Self {
        Self {
            patience: Patience::new(config.path.clone(), observer, stop),
            path: config.path,
            writer: None,
            claim: None,
        }
    }

    /// Lends the writer to `work`. It is returned only if `work` succeeds.
    async fn with_writer<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut writer = self.writer.take().ok_or_else(|| {
            let message = "nothing can be written before `start` or after a failure";
            Error::new(ErrorKind::Internal, message).with_context("path", self.path.display())
        })?;
        let (writer, result) = run_blocking(move || {
            let result = work(&mut writer)?;
            Ok((writer, result))
        })
        .await?;
        self.writer = Some(writer);
        Ok(result)
    }
}

#[async_trait]
impl Destination for SqliteDestination {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        let path = self.path.clone();
        run_blocking(move || database::check(&path)).await
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let mut streams = plan.streams.iter();
        streams.try_for_each(|stream| capabilities().expect(stream))?;
        self.writer = None;
        let (path, plan, patience) = (self.path.clone(), plan.clone(), self.patience.clone());
        let (writer, state) = run_blocking(move || Writer::start(path, &plan, patience)).await?;
        self.writer = Some(writer);
        Ok(state)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        capabilities().expect(stream)?;
        let stream = stream.clone();
        self.with_writer(move |writer| writer.add(&stream)).await
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.with_writer(move |writer| writer.write(records)).await
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let state = state.map(State::to_json).transpose()?;
        self.with_writer(move |writer| writer.commit(state.as_deref()))
            .await
    }

    async fn finish(&mut self) -> Result<()> {
        self.with_writer(Writer::finish).await
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
        Some(Arc::new(SqliteReplica::of(self.path.clone())))
    }
}
