//! What a read will cost, told before it begins.

use std::time::Duration;

use crate::StreamName;

/// What a read will cost, as far as can be known now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    /// For each stream asked for.
    pub streams: Vec<StreamForecast>,
    /// How long it will take under the limits that the remote told.
    pub duration: Duration,
    /// The limits that it was reckoned with, in a sentence each.
    pub limits: Vec<String>,
}

/// What the read of one stream will cost.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamForecast {
    /// The stream.
    pub stream: StreamName,
    /// Requests sent for it; none if it comes with another.
    pub requests: u64,
    /// Records.
    pub records: u64,
    /// Bytes of its records.
    pub bytes: u64,
    /// What else the user should know: what the numbers rest on, what was left out.
    pub note: Option<String>,
}
