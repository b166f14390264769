//! A stream of items that a thread reads, at most a few chunks ahead of the consumer.

use std::path::PathBuf;
use std::thread;

use connector_core::{Error, ErrorKind, Result};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc::{self, Receiver, Sender};

const CHUNKS_IN_CHANNEL: usize = 2;

/// A chunk of items, or `None` at the end.
type Chunk<T> = Option<Vec<T>>;

/// Where the thread sends its items.
pub(crate) struct Outlet<T>(Sender<Result<Chunk<T>>>);

impl<T> Outlet<T> {
    /// Sends a chunk, once there is room. False if the consumer is gone.
    pub(crate) fn send(&self, chunk: Vec<T>) -> bool {
        self.0.blocking_send(Ok(Some(chunk))).is_ok()
    }
}

/// The items that `read` sends. The thread starts when the first item is requested, and needs no
/// runtime. It stops at its next chunk once the stream is dropped.
pub(crate) fn read_in_thread<T: Send + 'static>(
    name: &'static str,
    path: PathBuf,
    read: impl FnOnce(&Outlet<T>) -> Result<()> + Send + 'static,
) -> impl Stream<Item = Result<T>> + Send {
    stream::once(async move { start(name, path, read) })
        .map_ok(chunks)
        .try_flatten()
        .map_ok(|chunk| stream::iter(chunk).map(Ok))
        .try_flatten()
}

fn start<T: Send + 'static>(
    name: &'static str,
    path: PathBuf,
    read: impl FnOnce(&Outlet<T>) -> Result<()> + Send + 'static,
) -> Result<Receiver<Result<Chunk<T>>>> {
    let (sender, chunks) = mpsc::channel(CHUNKS_IN_CHANNEL);
    let run = move || {
        let outlet = Outlet(sender);
        let end = read(&outlet).map(|()| None);
        // A consumer that is gone needs no end.
        outlet.0.blocking_send(end).ok();
    };
    match thread::Builder::new().name(name.to_owned()).spawn(run) {
        Ok(_detached) => Ok(chunks),
        Err(error) => Err(Error::new(ErrorKind::Io, "no thread can be started")
            .with_source(error)
            .with_context("path", path.display())),
    }
}

/// The chunks up to the end.
fn chunks<T>(chunks: Receiver<Result<Chunk<T>>>) -> impl Stream<Item = Result<Vec<T>>> {
    stream::unfold(Some(chunks), |chunks| async move {
        let mut chunks = chunks?;
        match chunks.recv().await.unwrap_or_else(|| Err(cut_off())) {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(chunks))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}

fn cut_off() -> Error {
    let message = "the reading of the database was cut off by a panic";
    Error::new(ErrorKind::Internal, message)
}
