//! The contract's side of reading: which streams there are, and where.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connector_core::{Catalog, Event, Message, Observer, ReadRequest, Result, Source, StreamName};
use connector_local::run_blocking;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::config::Config;
use crate::files;
use crate::input::Form;
use crate::location::Location;
use crate::piped::Piped;
use crate::position::Positions;
use crate::reading::{Part, Reading};

/// Reads JSON lines out of files and pipes.
///
/// - A folder: each `<stream>.jsonl` in it is a stream of bare records. An object that begins with
///   a text `_gone` says that the record with the key behind it is gone.
/// - One file: if its first line is `{"stream":…,"record":…}`, `{"stream":…,"gone":…,"key":…}` or a
///   commit, all lines are one of these; else all are bare records of a stream that is named like the file. With the key
///   `stream`, all lines are bare records of that stream.
/// - Standard input and named pipes: as a file, but bare lines need the key `stream`. They can be
///   read once and have no checkpoints. Their streams are those of the first MiB.
///
/// A line that is no JSON object is an error with its number; empty lines, `\r\n` and a missing
/// end of the last line are not. At most one line and one chunk of 256 KiB are in memory.
///
/// The schema of a stream lists the fields and types that there are: to tell, all is read once.
pub struct JsonlSource {
    inner: Arc<Inner>,
}

struct Inner {
    origin: Origin,
    observer: Arc<dyn Observer>,
    stream: Option<StreamName>,
    /// The last answer, to check requests against.
    catalog: Mutex<Option<Catalog>>,
}

enum Origin {
    File(PathBuf),
    Folder(PathBuf),
    Pipe(Piped),
}

impl JsonlSource {
    /// Opens nothing yet.
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>) -> Self {
        let stream = config.stream.map(StreamName::from);
        let origin = match Location::of(&config.path) {
            Location::File(path) => Origin::File(path),
            Location::Folder(path) => Origin::Folder(path),
            Location::Pipe(path) => Origin::Pipe(Piped::new(&path, stream.clone())),
            Location::Standard => Origin::Pipe(Piped::new(Path::new("-"), stream.clone())),
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
        // What is in a pipe is left to those who read it.
        run_blocking(move || inner.files().map(drop)).await
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
                // A pipe has no state: what was read is gone.
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
                self.tell_uncommitted(&parts);
                Ok(Reading::new(parts, positions))
            }
        }
    }

    fn tell_uncommitted(&self, parts: &[Part]) {
        for part in parts.iter().filter(|part| files::has_uncommitted(part)) {
            let path = part.path.display();
            self.observer.observe(Event::notice(format!(
                "{path}: the lines after the last commit are not read, because the sync that \
                 wrote them has not committed them"
            )));
        }
    }

    /// Looks all streams up, in what is known already if they are there.
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
            Origin::File(_) | Origin::Folder(_) => files::catalog(&self.files()?)?,
        };
        *self.known() = Some(catalog.clone());
        Ok(catalog)
    }

    fn files(&self) -> Result<Vec<Part>> {
        match &self.origin {
            Origin::File(path) => files::of_file(path, self.stream.as_ref()),
            Origin::Folder(path) => files::of_folder(path, self.stream.as_ref()),
            Origin::Pipe(_) => Ok(Vec::new()),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Catalog>> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
