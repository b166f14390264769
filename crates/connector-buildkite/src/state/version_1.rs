//! The first form of the state. Nothing of it is used, but one that is damaged is not taken for
//! one that can be passed over.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use connector_core::{Result, State, StreamName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the form is looked at")]
struct Pass {
    base_url: String,
    created_from: Option<DateTime<Utc>>,
    partitions: BTreeMap<String, Partition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the form is looked at")]
struct Partition {
    top: DateTime<Utc>,
    remaining_to: Option<DateTime<Utc>>,
}

/// Checks the form of what `state` says of a stream.
///
/// # Errors
/// [`ErrorKind::State`](connector_core::ErrorKind::State) if it is damaged.
pub(super) fn check(state: &State, stream: &StreamName) -> Result<()> {
    let Some(value) = state.stream(stream.as_str()) else {
        return Ok(());
    };
    match Pass::deserialize(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(super::damaged(stream)),
    }
}
