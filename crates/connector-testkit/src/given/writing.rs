//! What the suite is given to write.

use std::fmt;

use connector_core::{Record, Stream};

use super::{Access, Acting};

/// Records for a destination to write, and the expected outcome of each.
///
/// The suite reads back what was written through the connector's replica or its source. For a
/// destination that has neither, such as a pipe, use [`with_reader`](Self::with_reader).
pub struct Writing {
    fresh: Box<dyn Fn() -> Access + Send + Sync>,
    pub(crate) wrong: Vec<Access>,
    streams: Vec<Stream>,
    records: Vec<(Record, Expected)>,
    pub(crate) newer: Vec<Record>,
    pub(crate) reader: Option<Reader>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) marks_removed: bool,
    pub(crate) acting: Acting,
}

/// The expected outcome of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Accepted,
    Rejected,
}

/// Reads what is stored at a place.
type Reader = Box<dyn Fn(&Access) -> Vec<Record> + Send + Sync>;
/// Describes a place.
type Snapshot = Box<dyn Fn(&Access) -> String + Send + Sync>;

impl Writing {
    /// Writes `streams`. Each call of `fresh` returns the access to a new, empty place.
    pub fn new(fresh: impl Fn() -> Access + Send + Sync + 'static, streams: &[Stream]) -> Self {
        Self {
            fresh: Box::new(fresh),
            wrong: Vec::new(),
            streams: streams.to_vec(),
            records: Vec::new(),
            newer: Vec::new(),
            reader: None,
            snapshot: None,
            marks_removed: true,
            acting: Acting::new(),
        }
    }

    /// A record that must be accepted. The keys within a stream must differ.
    #[must_use]
    pub fn accepts(mut self, record: Record) -> Self {
        self.records.push((record, Expected::Accepted));
        self
    }

    /// A record that must be rejected: its key is missing, or its stream is not part of the plan.
    #[must_use]
    pub fn rejects(mut self, record: Record) -> Self {
        self.records.push((record, Expected::Rejected));
        self
    }

    /// A newer version of an accepted record: the same key with other values. Without it, the suite
    /// changes a text, a number or a boolean itself.
    #[must_use]
    pub fn with_newer(mut self, record: Record) -> Self {
        self.newer.push(record);
        self
    }

    /// An access that opens and that `check` must refuse: a wrong credential, a missing place.
    #[must_use]
    pub fn with_wrong(mut self, access: Access) -> Self {
        self.wrong.push(access);
        self
    }

    /// Returns what was written with an access, in order, including tombstones: the lines that came
    /// out of a pipe. Nothing if nothing was written.
    #[must_use]
    pub fn with_reader(
        mut self,
        reader: impl Fn(&Access) -> Vec<Record> + Send + Sync + 'static,
    ) -> Self {
        self.reader = Some(Box::new(reader));
        self
    }

    /// A text that differs after any change at a place: names and sizes of files, or a count of
    /// changing requests. Without it, the suite compares what it can read back.
    #[must_use]
    pub fn with_snapshot(
        mut self,
        snapshot: impl Fn(&Access) -> String + Send + Sync + 'static,
    ) -> Self {
        self.snapshot = Some(Box::new(snapshot));
        self
    }

    /// The destination cannot mark rows as removed, and its documentation says so.
    #[must_use]
    pub fn without_tombstones(mut self) -> Self {
        self.marks_removed = false;
        self
    }

    /// How to observe a destination that acts on records.
    #[must_use]
    pub fn with_acting(mut self, acting: Acting) -> Self {
        self.acting = acting;
        self
    }

    pub(crate) fn fresh(&self) -> Access {
        (self.fresh)()
    }

    pub(crate) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    pub(crate) fn all(&self) -> &[(Record, Expected)] {
        &self.records
    }

    /// All records, for one batch.
    pub(crate) fn batch(&self) -> Vec<Record> {
        let records = self.records.iter();
        records.map(|(record, _)| record.clone()).collect()
    }

    /// The records that are accepted and stored: all but tombstones.
    pub(crate) fn accepted(&self) -> Vec<Record> {
        let is_stored = |(record, expected): &&(Record, Expected)| {
            *expected == Expected::Accepted && !record.is_removed()
        };
        let stored = self.records.iter().filter(is_stored);
        stored.map(|(record, _)| record.clone()).collect()
    }
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing")
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}
