//! What the suite is given to write.

use std::fmt;

use connector_core::{Record, Stream};

use crate::Access;

/// Records to write, by a connector that is a destination, and what must become of each.
pub struct Writing {
    fresh: Box<dyn Fn() -> Access + Send + Sync>,
    pub(crate) wrong: Vec<Access>,
    streams: Vec<Stream>,
    records: Vec<(Record, Expected)>,
}

/// What must become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Accepted,
    Rejected,
}

impl Writing {
    /// Writes `streams`. Each call of `fresh` leads to a place to which nothing has been written.
    pub fn new(fresh: impl Fn() -> Access + Send + Sync + 'static, streams: &[Stream]) -> Self {
        Self {
            fresh: Box::new(fresh),
            wrong: Vec::new(),
            streams: streams.to_vec(),
            records: Vec::new(),
        }
    }

    /// A record that is taken. Those of one stream have different keys.
    #[must_use]
    pub fn accepts(mut self, record: Record) -> Self {
        self.records.push((record, Expected::Accepted));
        self
    }

    /// A record that is refused for itself: its key is missing, or its stream is not of the plan.
    #[must_use]
    pub fn rejects(mut self, record: Record) -> Self {
        self.records.push((record, Expected::Rejected));
        self
    }

    /// What opens and must be refused by `check`: a wrong credential, a place that is not there.
    #[must_use]
    pub fn with_wrong(mut self, access: Access) -> Self {
        self.wrong.push(access);
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

    /// The records that are taken, but for news that something is gone.
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
