//! How near a forecast must come.

use std::time::Duration;

/// How near a forecast must come to the read that it is about.
///
/// Unless set: records exactly; requests and bytes between half and twice of what the read takes;
/// at most ten minutes; and the forecast itself sends no more requests than the read.
#[derive(Debug, Clone)]
pub struct Accuracy {
    pub(crate) records: f64,
    pub(crate) requests: f64,
    pub(crate) bytes: f64,
    pub(crate) duration: Duration,
    pub(crate) cost: Option<u64>,
}

impl Accuracy {
    /// The accuracy that holds unless something else is set.
    pub fn new() -> Self {
        Self {
            records: 1.0,
            requests: 2.0,
            bytes: 2.0,
            duration: Duration::from_secs(600),
            cost: None,
        }
    }

    /// Records of a stream: at most this many times as many as there are, and no fewer than
    /// that part of them. 1 means exactly.
    #[must_use]
    pub fn with_records(mut self, factor: f64) -> Self {
        self.records = factor;
        self
    }

    /// Requests of all streams, by the same measure.
    #[must_use]
    pub fn with_requests(mut self, factor: f64) -> Self {
        self.requests = factor;
        self
    }

    /// Bytes of a stream's records, by the same measure.
    #[must_use]
    pub fn with_bytes(mut self, factor: f64) -> Self {
        self.bytes = factor;
        self
    }

    /// The longest time that the forecast may give for this small read.
    #[must_use]
    pub fn with_duration(mut self, at_most: Duration) -> Self {
        self.duration = at_most;
        self
    }

    /// The most requests that the forecast itself may send. A forecast pays off in a large world,
    /// so in a small one it may cost more than the read.
    #[must_use]
    pub fn with_cost(mut self, requests: u64) -> Self {
        self.cost = Some(requests);
        self
    }
}

impl Default for Accuracy {
    fn default() -> Self {
        Self::new()
    }
}
