//! Listing builds: keyset pages, split while they arrive, at a page size that the server can
//! handle.
//!
//! A page that fails or breaks off is requested again at half the size, from the last complete
//! build on. A build that cannot be read in one answer with all of its jobs is read without them,
//! and its jobs from their own list.

mod channel;
mod count;
mod jobs;
mod keyset;
mod listing;
mod page;
mod query;
mod raw_build;
mod reader;
mod splitter;
mod unusable;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};

use listing::Listing;
pub use query::{BuildQuery, LowerBound};
pub use raw_build::RawBuild;
use reader::Reader;
pub use unusable::Unusable;

use crate::client::Client;
use crate::error::Result;

/// What a listing yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed<T> {
    /// A build, newest first, each once.
    Build(T),
    /// A build that cannot be used. It is left out, and the rest is read.
    Unusable(Unusable),
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
    /// caller needs. It is called as the builds arrive, in a task of the runtime. The next page is
    /// requested when the caller has taken everything of the one before.
    ///
    /// # Errors
    /// Those of [`object`](Client::object). [`Error::TooLarge`](crate::Error::TooLarge) for a build
    /// that is larger than `element_bytes`. [`Error::NoProgress`](crate::Error::NoProgress) if the
    /// list does not end. The stream ends after its first error.
    pub fn builds<T, F>(
        &self,
        query: BuildQuery,
        decode: F,
    ) -> impl Stream<Item = Result<Listed<T>>> + Send + 'static
    where
        T: Send + 'static,
        F: Fn(RawBuild<'_>) -> T + Send + Sync + 'static,
    {
        let listing = Listing::new(Reader::new(self.clone(), query, decode));
        stream::try_unfold(listing, |mut listing| async move {
            let listed = listing.next().await?;
            Ok(listed.map(|listed| (listed, listing)))
        })
    }
}
