//! The destination: chooses where lines go, and writes on a thread for blocking calls.

mod envelopes;
mod folder;
mod output;
mod pipe;
mod single_file;
mod sink;

use std::path::PathBuf;

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Claim, Destination, Error, ErrorKind, Holder, Outcome, Record,
    Result, State, StreamPlan, WriteMode, WritePlan,
};
use connector_local::{FileClaim, run_blocking};

use crate::config::Config;
use crate::location::Location;

use folder::Folder;
use pipe::Pipe;
use single_file::SingleFile;
use sink::Sink;

/// Writes JSON lines into a file, a folder or a pipe. The crate's documentation has the formats.
///
/// After an error or a dropped call, `start` must be called again. It removes lines that were not
/// committed, and so does the start of the next sync.
pub struct JsonlDestination {
    path: String,
    /// `None` before `start`, during a call and after an error.
    sink: Option<Box<dyn Sink>>,
    claim: Option<FileClaim>,
}

/// What it can do, wherever the lines go.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new([WriteMode::Append]).with_state()
}

impl JsonlDestination {
    /// Opens nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            path: config.path,
            sink: None,
            claim: None,
        }
    }

    /// Lends the sink to `work`. It is returned only if `work` succeeds.
    async fn with_sink<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Sink) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut sink = self.sink.take().ok_or_else(|| {
            let message = "nothing can be written before `start` or after a failure";
            Error::new(ErrorKind::Internal, message).with_context("path", &self.path)
        })?;
        let (sink, result) = run_blocking(move || {
            let result = work(sink.as_mut())?;
            Ok((sink, result))
        })
        .await?;
        self.sink = Some(sink);
        Ok(result)
    }
}

#[async_trait]
impl Destination for JsonlDestination {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        let location = Location::of(&self.path);
        run_blocking(move || match location {
            // Opening a named pipe would wait for its reader.
            Location::Standard | Location::Pipe(_) => Ok(()),
            Location::File(path) => single_file::check(&path),
            Location::Folder(path) => folder::check(&path),
        })
        .await
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let mut streams = plan.streams.iter();
        streams.try_for_each(|stream| capabilities().expect(stream))?;
        // An open sink would hold its lock against the new one.
        self.sink = None;
        let (location, plan) = (Location::of(&self.path), plan.clone());
        let (sink, state) = run_blocking(move || open(&location, &plan)).await?;
        self.sink = Some(sink);
        Ok(state)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        capabilities().expect(stream)?;
        let stream = stream.clone();
        self.with_sink(move |sink| sink.add(&stream)).await
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.with_sink(move |sink| records.iter().map(|record| put(sink, record)).collect())
            .await
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let state = state.cloned();
        self.with_sink(move |sink| sink.commit(state.as_ref()))
            .await
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    /// A pipe keeps nothing, so there is nothing to claim.
    fn claim(&mut self) -> Option<&mut dyn Claim> {
        match Location::of(&self.path) {
            Location::Standard | Location::Pipe(_) => None,
            Location::File(_) | Location::Folder(_) => Some(self),
        }
    }
}

#[async_trait]
impl Claim for JsonlDestination {
    /// Runs of syncs with other names are refused once they start: a file or folder takes the
    /// records of one run at a time.
    async fn claim(&mut self, sync: &str, holder: &Holder) -> Result<()> {
        let (path, name, holder) = (PathBuf::from(&self.path), sync.to_owned(), holder.clone());
        let is_held = self.claim.as_ref().is_some_and(|it| it.is_for(&path, sync));
        if !is_held {
            let take = move || FileClaim::take(&path, &name, &holder);
            self.claim = run_blocking(take).await?;
        }
        Ok(())
    }
}

fn open(location: &Location, plan: &WritePlan) -> Result<(Box<dyn Sink>, Option<State>)> {
    Ok(match location {
        Location::Standard => (Box::new(Pipe::standard(plan)), None),
        Location::Pipe(path) => (Box::new(Pipe::open(path, plan)?), None),
        Location::File(path) => {
            let (file, state) = SingleFile::start(path, plan)?;
            (Box::new(file), state)
        }
        Location::Folder(path) => {
            let (folder, state) = Folder::start(path, plan)?;
            (Box::new(folder), state)
        }
    })
}

fn put(sink: &mut dyn Sink, record: &Record) -> Result<Outcome> {
    let put = sink.put(record);
    put.map_err(|error| error.with_context("stream", &record.stream))
}
