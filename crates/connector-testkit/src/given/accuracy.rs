//! How accurate a forecast must be.

use std::time::Duration;

/// How accurate a forecast must be, compared with the actual read.
///
/// By default: records exactly, requests and bytes within a factor of 2, a duration of at most ten
/// minutes, and no more requests for the forecast than for the read.
#[derive(Debug, Clone)]
pub struct Accuracy {
    pub(crate) records: f64,
    pub(crate) requests: f64,
    pub(crate) bytes: f64,
    pub(crate) duration: Duration,
    pub(crate) cost: Option<u64>,
}

impl Accuracy {
    /// The default accuracy.
    pub fn new() -> Self {
        Self {
            records: 1.0,
            requests: 2.0,
            bytes: 2.0,
            duration: Duration::from_secs(600),
            cost: None,
        }
    }

    /// Records per stream within this factor, up or down. 1 means exactly.
    #[must_use]
    pub fn with_records(mut self, factor: f64) -> Self {
        self.records = factor;
        self
    }

    /// Requests of all streams within this factor.
    #[must_use]
    pub fn with_requests(mut self, factor: f64) -> Self {
        self.requests = factor;
        self
    }

    /// Bytes per stream within this factor.
    #[must_use]
    pub fn with_bytes(mut self, factor: f64) -> Self {
        self.bytes = factor;
        self
    }

    /// The longest duration that the forecast may state for this small read.
    #[must_use]
    pub fn with_duration(mut self, at_most: Duration) -> Self {
        self.duration = at_most;
        self
    }

    /// The most requests that the forecast itself may send. In a small world a forecast may cost
    /// more than the read.
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
