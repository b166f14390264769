//! What the suite is given to read.

use std::fmt;

use connector_core::{Catalog, ReadRequest, Result, Selection, Stream, StreamName, SyncMode};

use crate::Access;

/// A world to read, by a connector that is a source.
///
/// It must stay as it is while the suite runs, and be small: with n messages, n reads are killed
/// and resumed. It should take several checkpoints to read, and several requests, if it takes any.
pub struct Reading {
    pub(crate) access: Access,
    pub(crate) wrong: Vec<Access>,
    pub(crate) failures: Vec<Failure>,
    streams: Vec<StreamName>,
    pub(crate) counts: Vec<(StreamName, usize)>,
    pub(crate) requests: Option<Box<dyn Fn() -> u64 + Send + Sync>>,
}

/// A read that fails half-way.
pub(crate) struct Failure {
    pub(crate) prepare: Box<dyn Fn() -> Access + Send + Sync>,
    arm: Box<dyn Fn() + Send + Sync>,
}

impl Failure {
    /// Breaks the world until what this gives is dropped.
    pub(crate) fn arm(&self) -> Armed<'_> {
        (self.arm)();
        Armed(self)
    }
}

/// A world that is broken.
pub(crate) struct Armed<'f>(&'f Failure);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        drop((self.0.prepare)());
    }
}

impl Reading {
    /// Reads the default streams of the catalog with `access`.
    pub fn new(access: Access) -> Self {
        Self {
            access,
            wrong: Vec::new(),
            failures: Vec::new(),
            streams: Vec::new(),
            counts: Vec::new(),
            requests: None,
        }
    }

    /// Reads these streams and no others. Those that differ in each read, as what is left of a
    /// rate limit does, have no place here.
    #[must_use]
    pub fn with_streams(mut self, streams: &[&str]) -> Self {
        self.streams = streams.iter().map(|name| StreamName::from(*name)).collect();
        self
    }

    /// How many records there are in some of the streams. Without it, what every read leaves out
    /// is not seen.
    #[must_use]
    pub fn with_counts(mut self, counts: &[(&str, usize)]) -> Self {
        let counts = counts
            .iter()
            .map(|(name, count)| (StreamName::from(*name), *count));
        self.counts = counts.collect();
        self
    }

    /// What opens and must be refused by `check`: a wrong credential, a name of nothing.
    #[must_use]
    pub fn with_wrong(mut self, access: Access) -> Self {
        self.wrong.push(access);
        self
    }

    /// A read that yields some records and then fails for good. `prepare` makes a world that can
    /// be read, the same each time, and mends it if it is broken; `arm` breaks it, after
    /// `discover` and before the read: the remote is told to fail, or a file is spoilt. It must be
    /// known in which stream the read fails.
    #[must_use]
    pub fn with_failure(
        mut self,
        prepare: impl Fn() -> Access + Send + Sync + 'static,
        arm: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        self.failures.push(Failure {
            prepare: Box::new(prepare),
            arm: Box::new(arm),
        });
        self
    }

    /// How many requests the remote has had so far. Without it, the requests count that the
    /// source tells its observer of.
    #[must_use]
    pub fn with_requests(mut self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.requests = Some(Box::new(count));
        self
    }

    /// The streams that are read.
    pub(crate) fn streams(&self, catalog: &Catalog) -> Result<Vec<Stream>> {
        if self.streams.is_empty() {
            let all = catalog.streams.iter();
            return Ok(all.filter(|stream| stream.is_default).cloned().collect());
        }
        let named = self.streams.iter();
        named
            .map(|name| catalog.stream(name.as_str()).cloned())
            .collect()
    }

    /// Reads of everything: in full, and each stream in its preferred mode, if that differs.
    pub(crate) fn requests(&self, catalog: &Catalog) -> Result<Vec<ReadRequest>> {
        let streams = self.streams(catalog)?;
        let request = |mode: fn(&Stream) -> SyncMode| {
            let selection = |stream: &Stream| Selection::new(stream.name.clone(), mode(stream));
            ReadRequest::new(streams.iter().map(selection))
        };
        let mut requests = vec![request(fullest), request(preferred)];
        requests.dedup();
        Ok(requests)
    }

    /// A read of the streams that can be read incrementally.
    pub(crate) fn incremental(&self, catalog: &Catalog) -> Result<ReadRequest> {
        let streams = self.streams(catalog)?.into_iter();
        let incremental = streams.filter(|s| s.sync_modes.contains(&SyncMode::Incremental));
        Ok(ReadRequest::new(
            incremental.map(|stream| Selection::incremental(stream.name)),
        ))
    }
}

fn fullest(stream: &Stream) -> SyncMode {
    if stream.sync_modes.contains(&SyncMode::FullRefresh) {
        return SyncMode::FullRefresh;
    }
    preferred(stream)
}

fn preferred(stream: &Stream) -> SyncMode {
    let preferred = stream.sync_modes.last();
    preferred.copied().unwrap_or(SyncMode::FullRefresh)
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}
