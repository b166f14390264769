//! The state after a read that is divided into parts, known before the parts are read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, Result, State};
use serde::{Deserialize, Serialize};

use super::{CONNECTOR, SweepState, VERSION};

/// Where the windows of a partition begin, and how many builds each held. By partition, oldest
/// first.
pub(crate) type Cuts = BTreeMap<String, Vec<Cut>>;

/// The beginning of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    /// Absent for the beginning of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<DateTime<Utc>>,
    /// How many builds the window held when the read was planned.
    pub(crate) builds: u64,
}

/// What the copy has after a sweep that is divided into parts, and where it is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SweepEnd {
    pub(crate) state: SweepState,
    pub(crate) cuts: Cuts,
}

impl SweepEnd {
    /// Its JSON form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has none.
    pub(crate) fn to_state(&self) -> Result<State> {
        self.state.save(Some(&self.cuts))
    }

    /// What `end` says about the streams of a sweep at its beginning.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if it is damaged, or the end of another read.
    pub(crate) fn parse(mut fresh: SweepState, end: &State) -> Result<Self> {
        end.expect(CONNECTOR, VERSION)?;
        if end.version() < VERSION {
            return Err(of_another_read());
        }
        let saved = fresh.parse(end)?;
        let is_its_end = saved.len() == fresh.streams.len()
            && saved.values().all(|saved| {
                let mut partitions = saved.partitions.values();
                saved.base_url == fresh.base_url
                    && saved.mode == fresh.mode
                    && partitions.all(|partition| partition.created_from() == fresh.created_from)
            });
        if !is_its_end {
            return Err(of_another_read());
        }
        let mut cuts = Cuts::new();
        for (key, partition) in saved.values().flat_map(|saved| &saved.partitions) {
            cuts.insert(key.clone(), partition.cuts.clone());
        }
        fresh.join(saved);
        Ok(Self { state: fresh, cuts })
    }
}

fn of_another_read() -> Error {
    let message = "the given end belongs to a read of other streams or with other settings; divide \
                   the read without it";
    Error::new(ErrorKind::State, message)
}
