//! What the suite is given to read.

use std::fmt;

use connector_core::{
    Catalog, ReadRequest, Record, Result, Selection, Stream, StreamName, SyncMode,
};
use serde_json::Value;

use super::{Access, Accuracy};

/// A world for a source to read.
///
/// It must not change while the suite runs. Keep it small: a read with n messages is killed and
/// resumed n times. A read should take several checkpoints, and several requests if it sends any.
pub struct Reading {
    pub(crate) access: Access,
    pub(crate) wrong: Vec<Access>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) change: Option<Change>,
    pub(crate) limited: Vec<Limited>,
    streams: Vec<StreamName>,
    pub(crate) counts: Vec<(StreamName, usize)>,
    pub(crate) requests: Option<Count>,
    pub(crate) removed_open_rows: Vec<(StreamName, Vec<Value>)>,
    pub(crate) accuracy: Accuracy,
    verified: Vec<StreamName>,
    pub(crate) removed: Vec<Record>,
    pub(crate) part_bytes: usize,
}

/// Counts requests.
type Count = Box<dyn Fn() -> u64 + Send + Sync>;

/// A read that fails halfway.
pub(crate) struct Failure {
    pub(crate) prepare: Box<dyn Fn() -> Access + Send + Sync>,
    arm: Box<dyn Fn() + Send + Sync>,
}

/// A world that changes.
pub(crate) struct Change {
    prepare: Box<dyn Fn() -> Access + Send + Sync>,
    change: Box<dyn Fn() + Send + Sync>,
}

/// A credential with fewer rights.
pub(crate) struct Limited {
    pub(crate) access: Access,
    pub(crate) unreadable: Vec<StreamName>,
}

impl Failure {
    pub(crate) fn new(
        prepare: impl Fn() -> Access + Send + Sync + 'static,
        arm: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            prepare: Box::new(prepare),
            arm: Box::new(arm),
        }
    }

    /// Breaks the world until the returned guard is dropped.
    pub(crate) fn arm(&self) -> Armed<'_> {
        (self.arm)();
        Armed(self)
    }
}

/// Keeps a world broken.
pub(crate) struct Armed<'f>(&'f Failure);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        (self.0.prepare)();
    }
}

impl Change {
    /// Prepares the world. It is prepared again when the returned guard is dropped.
    pub(crate) fn prepare(&self) -> Prepared<'_> {
        let access = (self.prepare)();
        Prepared {
            access,
            change: self,
        }
    }
}

/// A prepared world, which may have changed.
pub(crate) struct Prepared<'c> {
    pub(crate) access: Access,
    change: &'c Change,
}

impl Prepared<'_> {
    pub(crate) fn change(&self) {
        (self.change.change)();
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        (self.change.prepare)();
    }
}

impl Reading {
    /// Reads the default streams of the catalog with `access`.
    pub fn new(access: Access) -> Self {
        Self {
            access,
            wrong: Vec::new(),
            failures: Vec::new(),
            change: None,
            limited: Vec::new(),
            streams: Vec::new(),
            counts: Vec::new(),
            requests: None,
            removed_open_rows: Vec::new(),
            accuracy: Accuracy::new(),
            verified: Vec::new(),
            removed: Vec::new(),
            part_bytes: 4096,
        }
    }

    /// Reads only these streams. Leave out streams that differ in each read, such as the state of a
    /// rate limit.
    #[must_use]
    pub fn with_streams(mut self, streams: &[&str]) -> Self {
        self.streams = names(streams);
        self
    }

    /// How many records each stream has. Nothing else finds a source that omits the same record in
    /// every read.
    #[must_use]
    pub fn with_counts(mut self, counts: &[(&str, usize)]) -> Self {
        let counts = counts.iter().map(|(name, count)| ((*name).into(), *count));
        self.counts = counts.collect();
        self
    }

    /// An access that opens and that `check` must refuse: a wrong credential, an unknown address.
    #[must_use]
    pub fn with_wrong(mut self, access: Access) -> Self {
        self.wrong.push(access);
        self
    }

    /// A read that yields some records and then fails. `prepare` makes the same readable world each
    /// time, and repairs it if it is broken. `arm` breaks it after `discover` and before the read:
    /// it makes the remote fail, or damages a file. The source must know which stream fails.
    #[must_use]
    pub fn with_failure(
        mut self,
        prepare: impl Fn() -> Access + Send + Sync + 'static,
        arm: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        self.failures.push(Failure::new(prepare, arm));
        self
    }

    /// A world that changes. `prepare` makes the same world each time and undoes earlier changes.
    /// `change` adds some records and changes others.
    #[must_use]
    pub fn with_change(
        mut self,
        prepare: impl Fn() -> Access + Send + Sync + 'static,
        change: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        self.change = Some(Change {
            prepare: Box::new(prepare),
            change: Box::new(change),
        });
        self
    }

    /// A credential that works but cannot read these streams.
    #[must_use]
    pub fn with_limited(mut self, access: Access, unreadable: &[&str]) -> Self {
        let unreadable = names(unreadable);
        self.limited.push(Limited { access, unreadable });
        self
    }

    /// Counts the requests that the remote has received so far. Without it, the suite counts those
    /// that the source reports to its observer.
    #[must_use]
    pub fn with_requests(mut self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.requests = Some(Box::new(count));
        self
    }

    /// An open row of the copy that the remote no longer has, as the values of
    /// [`OpenRows::wanted`](connector_core::OpenRows::wanted). The read must report its removal.
    #[must_use]
    pub fn with_removed_open_row(mut self, stream: &str, wanted: Vec<Value>) -> Self {
        self.removed_open_rows.push((stream.into(), wanted));
        self
    }

    /// Sets how accurate a forecast must be.
    #[must_use]
    pub fn with_accuracy(mut self, accuracy: Accuracy) -> Self {
        self.accuracy = accuracy;
        self
    }

    /// The streams whose records are verified one by one: each missing or stale row must be
    /// reported. All streams that are read unless set.
    #[must_use]
    pub fn with_verified(mut self, streams: &[&str]) -> Self {
        self.verified = names(streams);
        self
    }

    /// A record that the remote does not have, as an older copy may hold it.
    #[must_use]
    pub fn with_removed(mut self, record: Record) -> Self {
        self.removed.push(record);
        self
    }

    /// The maximum size of a part's JSON form in bytes; 4,096 unless set.
    #[must_use]
    pub fn with_part_bytes(mut self, at_most: usize) -> Self {
        self.part_bytes = at_most;
        self
    }

    /// The streams that are read.
    pub(crate) fn streams(&self, catalog: &Catalog) -> Result<Vec<Stream>> {
        if self.streams.is_empty() {
            let all = catalog.streams.iter();
            return Ok(all.filter(|stream| stream.is_default).cloned().collect());
        }
        let chosen = self.streams.iter();
        chosen
            .map(|name| catalog.stream(name.as_str()).cloned())
            .collect()
    }

    /// Two reads of everything: a full refresh, and each stream in its preferred mode. One if they
    /// are the same.
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

    /// Whether each record of a stream is verified.
    pub(crate) fn is_verified(&self, stream: &StreamName) -> bool {
        self.verified.is_empty() || self.verified.contains(stream)
    }
}

fn names(names: &[&str]) -> Vec<StreamName> {
    names.iter().map(|name| (*name).into()).collect()
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
