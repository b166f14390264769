//! The first form of the state. Nothing of it is used, but a damaged one is not ignored.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use connector_core::{Result, State, StreamName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its form is checked")]
struct Stream {
    base_url: String,
    created_from: Option<DateTime<Utc>>,
    partitions: BTreeMap<String, Partition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its form is checked")]
struct Partition {
    top: DateTime<Utc>,
    remaining_to: Option<DateTime<Utc>>,
}

/// Checks the form of what `state` says about a stream.
///
/// # Errors
/// [`ErrorKind::State`](connector_core::ErrorKind::State) if it is damaged.
pub(super) fn check(state: &State, stream: &StreamName) -> Result<()> {
    let Some(value) = state.stream(stream.as_str()) else {
        return Ok(());
    };
    Stream::deserialize(value)
        .map(|_| ())
        .map_err(|_| super::damaged(stream))
}
