//! The contract's side of writing: chooses where lines go, and writes where it blocks nobody.

use async_trait::async_trait;
use connector_core::{
    Accepts, Destination, Error, ErrorKind, Outcome, Record, Result, State, WritePlan,
};

use crate::config::refused;
use crate::file::{self, SingleFile};
use crate::folder::{self, Folder};
use crate::location::Location;
use crate::pipe::Pipe;
use crate::{Config, blocking};

/// Takes records one after the other.
pub(crate) trait Sink: Send {
    /// Adds a record, unless it is refused.
    fn put(&mut self, record: &Record) -> Result<Outcome>;

    /// Makes durable what was added, and the state with it.
    fn commit(&mut self, state: Option<&State>) -> Result<()>;
}

/// Writes JSON lines into a file, a folder or a pipe; the crate's documentation has the forms.
///
/// After an error, or a call that was dropped half-way, `start` must be called again: it cuts off
/// what was not committed. So does the next sync if this one is dropped without a commit.
pub struct JsonlDestination {
    path: String,
    /// None before `start`, during a call and after an error.
    sink: Option<Box<dyn Sink>>,
}

impl JsonlDestination {
    /// Opens nothing yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if a key is set that only a source has.
    pub fn new(config: Config) -> Result<Self> {
        if config.stream.is_some() {
            return Err(refused("stream", "is only for a source; remove it"));
        }
        Ok(Self {
            path: config.path,
            sink: None,
        })
    }

    /// Lends the sink to `work`. It comes back only if all went well.
    async fn with_sink<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Sink) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut sink = self.sink.take().ok_or_else(|| {
            let message = "nothing can be written before `start`, or after a failure";
            Error::new(ErrorKind::Internal, message).with_context("path", &self.path)
        })?;
        let (sink, result) = blocking::run(move || {
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
    async fn check(&mut self) -> Result<()> {
        let location = Location::of(&self.path);
        blocking::run(move || match location {
            // Opening a named pipe would wait for its reader.
            Location::Standard | Location::Pipe(_) => Ok(()),
            Location::File(path) => file::check(&path),
            Location::Folder(path) => folder::check(&path),
        })
        .await
    }

    async fn accepts(&mut self) -> Result<Accepts> {
        Ok(Accepts::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        // What is still open would hold its lock against the new one.
        self.sink = None;
        let (location, plan) = (Location::of(&self.path), plan.clone());
        let (sink, state) = blocking::run(move || open(&location, &plan)).await?;
        self.sink = Some(sink);
        Ok(state)
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

/// What becomes of a record whose stream is not in the plan.
pub(crate) fn not_announced() -> Outcome {
    let reason = "its stream is not among those that the sync was started with";
    Outcome::Rejected(reason.to_owned())
}
