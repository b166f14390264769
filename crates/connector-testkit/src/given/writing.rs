//! What the suite is given to write.

use std::fmt;

use connector_core::{Record, Stream};

use super::{Access, Acting};

/// Records to write, by a connector that is a destination, and what must become of each.
///
/// The suite reads back what was written through the connector's replica, or else its source. Of
/// a destination that has neither, such as a pipe, the author says what can be observed, see
/// [`with_reader`](Self::with_reader).
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

/// What must become of a record.
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
    /// Writes `streams`. Each call of `fresh` leads to a place to which nothing has been written.
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

    /// A record that is accepted. Those of one stream have different keys.
    #[must_use]
    pub fn accepts(mut self, record: Record) -> Self {
        self.records.push((record, Expected::Accepted));
        self
    }

    /// A record that is rejected for itself: its key is missing, or its stream is not part of the
    /// plan.
    #[must_use]
    pub fn rejects(mut self, record: Record) -> Self {
        self.records.push((record, Expected::Rejected));
        self
    }

    /// A newer version of a record that is accepted: the same key, and other values. Without it,
    /// the suite changes a field of text, a number or a truth value.
    #[must_use]
    pub fn with_newer(mut self, record: Record) -> Self {
        self.newer.push(record);
        self
    }

    /// What opens and must be refused by `check`: a wrong credential, a place that is not there.
    #[must_use]
    pub fn with_wrong(mut self, access: Access) -> Self {
        self.wrong.push(access);
        self
    }

    /// Reads back what was written with an access, in the order of writing, tombstones included:
    /// the lines that came out of a pipe.
    #[must_use]
    pub fn with_reader(
        mut self,
        reader: impl Fn(&Access) -> Vec<Record> + Send + Sync + 'static,
    ) -> Self {
        self.reader = Some(Box::new(reader));
        self
    }

    /// A text that differs once anything was changed at a place: names and sizes of files,
    /// requests that change something. Without it, the suite compares what can be read back.
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

    /// How to see what a destination does that acts on records.
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
