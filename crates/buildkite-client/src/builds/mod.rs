//! Listing builds: keyset pages, split while they arrive, at a page size that the server can
//! handle.
//!
//! A page that fails or breaks off is requested again at half the size, from the last complete
//! build on. A build that cannot be read in one answer with all of its jobs is read without them,
//! and its jobs from their own list.

mod jobs;
mod keyset;
mod query;
mod raw_build;
mod reader;
mod splitter;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};

pub(crate) use keyset::Keyset;
pub use query::{BuildQuery, LowerBound};
pub use raw_build::RawBuild;
use reader::Reader;

use crate::client::Client;
use crate::error::Result;

/// What a listing yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed<T> {
    /// A build, newest first, each once.
    Build(T),
    /// A page ended or broke off. All builds before this have been yielded.
    Page(ListingProgress),
}

/// How far a listing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingProgress {
    /// All builds have been yielded.
    pub is_end: bool,
    /// All builds created at or after this time have been yielded. Absent at the end, and when
    /// the list turns out not to be in order.
    pub remaining_to: Option<DateTime<Utc>>,
    /// The server's time when it answered. Without one, the creation time of the newest build.
    pub server_time: Option<DateTime<Utc>>,
    /// About how many builds are left, according to the server's page count.
    pub estimate: Option<u64>,
}

impl Client {
    /// Every build of `query`, newest first, each once. `decode` takes from a build what the
    /// caller needs. It is called as the builds arrive.
    ///
    /// # Errors
    /// Those of [`object`](Client::object). The stream ends after its first error.
    pub fn builds<T, F>(
        &self,
        query: BuildQuery,
        decode: F,
    ) -> impl Stream<Item = Result<Listed<T>>> + Send + 'static
    where
        T: Send + 'static,
        F: Fn(RawBuild<'_>) -> T + Send + Sync + 'static,
    {
        let reader = Reader::new(self.clone(), query, decode);
        stream::try_unfold(reader, |mut reader| async move {
            let listed = reader.next().await?;
            Ok(listed.map(|listed| (listed, reader)))
        })
    }
}
