//! What a read will cost, estimated before it begins.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::StreamName;

/// What a read will cost, as far as is known now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Forecast {
    /// For each stream asked for.
    pub streams: Vec<StreamForecast>,
    /// How long it will take under the limits that the remote reports.
    pub duration: Duration,
    /// The limits that the estimate assumes, in a sentence each.
    pub limits: Vec<String>,
}

impl Forecast {
    /// These streams take this long.
    pub fn new(streams: Vec<StreamForecast>, duration: Duration) -> Self {
        Self {
            streams,
            duration,
            limits: Vec::new(),
        }
    }

    /// Sets the limits that the estimate assumes, in a sentence each.
    #[must_use]
    pub fn with_limits(mut self, limits: Vec<String>) -> Self {
        self.limits = limits;
        self
    }
}

/// What the read of one stream will cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamForecast {
    /// The stream.
    pub stream: StreamName,
    /// Requests sent for it; zero if it is read along with another stream.
    pub requests: u64,
    /// Records.
    pub records: u64,
    /// Bytes of its records.
    pub bytes: u64,
    /// What else the user should know: assumptions behind the numbers, and what they omit.
    pub note: Option<String>,
}

impl StreamForecast {
    /// A stream that costs nothing yet.
    pub fn new(stream: impl Into<StreamName>) -> Self {
        Self {
            stream: stream.into(),
            requests: 0,
            records: 0,
            bytes: 0,
            note: None,
        }
    }

    /// Sets requests, records and bytes.
    #[must_use]
    pub fn with_numbers(mut self, requests: u64, records: u64, bytes: u64) -> Self {
        (self.requests, self.records, self.bytes) = (requests, records, bytes);
        self
    }

    /// Sets what else the user should know.
    #[must_use]
    pub fn with_note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
}
