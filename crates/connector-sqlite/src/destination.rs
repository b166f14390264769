//! The contract's side: hands calls to a writer on a thread where they block nobody.

use std::path::PathBuf;

use async_trait::async_trait;
use connector_core::{
    Accepts, Destination, Error, ErrorKind, Outcome, Record, Result, State, WritePlan,
};

use crate::database::{self, PATIENCE};
use crate::writer::Writer;
use crate::{Config, blocking};

/// Writes streams into the tables of one database.
///
/// After an error, or a call that was dropped half-way, what was not committed is rolled back and
/// `start` must be called again. Dropping it rolls back and closes the database.
#[derive(Debug)]
pub struct SqliteDestination {
    path: PathBuf,
    /// None before `start`, during a call and after an error.
    writer: Option<Writer>,
}

impl SqliteDestination {
    /// Opens nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            path: config.path,
            writer: None,
        }
    }

    /// Lends the writer to `work`. It comes back only if all went well.
    async fn with_writer<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut writer = self.writer.take().ok_or_else(|| {
            let message = "nothing can be written before `start`, or after a failure";
            Error::new(ErrorKind::Internal, message).with_context("path", self.path.display())
        })?;
        let (writer, result) = blocking::run(move || {
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
    async fn check(&mut self) -> Result<()> {
        let path = self.path.clone();
        blocking::run(move || database::check(&path, PATIENCE)).await
    }

    async fn accepts(&mut self) -> Result<Accepts> {
        Ok(Accepts::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        // A writer that is still open would hold its lock against the new one.
        self.writer = None;
        let (path, plan) = (self.path.clone(), plan.clone());
        let (writer, state) = blocking::run(move || Writer::start(path, &plan, PATIENCE)).await?;
        self.writer = Some(writer);
        Ok(state)
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.with_writer(move |writer| writer.write(&records)).await
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let state = state.map(State::to_json).transpose()?;
        self.with_writer(move |writer| writer.commit(state.as_deref()))
            .await
    }
}
