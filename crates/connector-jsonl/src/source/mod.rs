//! The source: which streams there are, and where.

mod inference;
mod lines;
mod parts;
mod pipe_input;
mod position;
mod reading;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connector_core::{Catalog, Event, Message, Observer, ReadRequest, Result, Source, StreamName};
use connector_local::run_blocking;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::config::Config;
use crate::location::Location;

use lines::Form;
use pipe_input::PipeInput;
use position::Positions;
use reading::{Part, Reading};

/// Reads JSON lines from files and pipes.
///
/// - A folder: each `<stream>.jsonl` in it is a stream of bare records. An object that begins with
///   a text `_gone` is a tombstone, and its other fields are the key.
/// - One file: if its first line is `{"stream":…,"record":…}`, `{"stream":…,"gone":…,"key":…}` or a
///   commit, each line is one of these. Otherwise all lines are bare records, and the name of the
///   file is their stream. With the key `stream`, all lines are bare records of that stream.
/// - Standard input and named pipes: like a file, but bare lines need the key `stream`. They can be
///   read once. Their streams are those of the first MiB, and their only checkpoint is at the end.
///
/// Lines after the last commit of a file or folder are not read. A notice reports them.
///
/// A line that is not a JSON object is an error with its number, after the records and a checkpoint
/// before it. Empty lines, `\r\n` and a missing end of the last line are allowed. At most one line
/// and one chunk of 256 KiB are in memory.
///
/// The schema of a stream lists its fields and types. To find them, all lines are read once.
pub struct JsonlSource {
    inner: Arc<Inner>,
}

struct Inner {
    origin: Origin,
    observer: Arc<dyn Observer>,
    stream: Option<StreamName>,
    /// The last answer, to check requests.
    catalog: Mutex<Option<Catalog>>,
}

enum Origin {
    File(PathBuf),
    Folder(PathBuf),
    Pipe(PipeInput),
}

impl JsonlSource {
    /// Opens nothing yet.
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>) -> Self {
        let stream = config.stream.map(StreamName::from);
        let origin = match Location::of(&config.path) {
            Location::File(path) => Origin::File(path),
            Location::Folder(path) => Origin::Folder(path),
            Location::Pipe(path) => Origin::Pipe(PipeInput::new(&path, stream.clone())),
            Location::Standard => Origin::Pipe(PipeInput::new(Path::new("-"), stream.clone())),
        };
        Self {
            inner: Arc::new(Inner {
                origin,
                observer,
                stream,
                catalog: Mutex::new(None),
            }),
        }
    }
}

#[async_trait]
impl Source for JsonlSource {
    async fn check(&self) -> Result<()> {
        let inner = self.inner.clone();
        // The content of a pipe is left for the read.
        run_blocking(move || inner.files().map(|_| ())).await
    }

    async fn discover(&self) -> Result<Catalog> {
        let inner = self.inner.clone();
        run_blocking(move || inner.catalog()).await
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let inner = self.inner.clone();
        let begin = async move { run_blocking(move || inner.begin(&request)).await };
        stream::once(begin)
            .map_ok(|reading| stream::try_unfold(reading, chunk))
            .try_flatten()
            .map_ok(|chunk| stream::iter(chunk.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

async fn chunk(mut reading: Reading) -> Result<Option<(Vec<Message>, Reading)>> {
    run_blocking(move || {
        let chunk = reading.chunk()?;
        Ok(chunk.map(|chunk| (chunk, reading)))
    })
    .await
}

impl Inner {
    fn begin(&self, request: &ReadRequest) -> Result<Reading> {
        request.expect_whole()?;
        let catalog = self.check_request(request)?;
        match &self.origin {
            Origin::Pipe(pipe) => {
                // A pipe cannot be read again, so no position counts.
                let positions = Positions::of(&ReadRequest::new(request.streams.clone()))?;
                let names = catalog.streams.into_iter().map(|stream| stream.name);
                Ok(Reading::new(vec![pipe.part(names.collect())?], positions))
            }
            Origin::File(_) | Origin::Folder(_) => {
                let positions = Positions::of(request)?;
                let mut parts = self.files()?;
                parts.retain(|part| match &part.form {
                    Form::Enveloped => true,
                    Form::Bare(stream) => positions.get(stream.as_str()).is_some(),
                });
                self.report_uncommitted(&parts);
                Ok(Reading::new(parts, positions))
            }
        }
    }

    fn report_uncommitted(&self, parts: &[Part]) {
        for part in parts.iter().filter(|part| parts::has_uncommitted(part)) {
            let path = part.path.display();
            self.observer.observe(Event::notice(format!(
                "{path}: skipped the lines after the last commit, which their sync has not committed"
            )));
        }
    }

    /// Finds all streams, in the last answer if it has them.
    fn check_request(&self, request: &ReadRequest) -> Result<Catalog> {
        let is_in = |catalog: &Catalog| {
            let mut wanted = request.streams.iter();
            wanted.all(|wanted| catalog.stream(wanted.stream.as_str()).is_ok())
        };
        let known = self.known().clone().filter(is_in);
        let catalog = known.map_or_else(|| self.catalog(), Ok)?;
        for selection in &request.streams {
            let stream = catalog.stream(selection.stream.as_str())?;
            stream.expect_mode(selection.mode)?;
        }
        Ok(catalog)
    }

    fn catalog(&self) -> Result<Catalog> {
        let catalog = match &self.origin {
            Origin::Pipe(pipe) => pipe.catalog()?,
            Origin::File(_) | Origin::Folder(_) => parts::catalog(&self.files()?)?,
        };
        *self.known() = Some(catalog.clone());
        Ok(catalog)
    }

    fn files(&self) -> Result<Vec<Part>> {
        match &self.origin {
            Origin::File(path) => parts::of_file(path, self.stream.as_ref()),
            Origin::Folder(path) => parts::of_folder(path, self.stream.as_ref()),
            Origin::Pipe(_) => Ok(Vec::new()),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Catalog>> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
