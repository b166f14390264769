//! Snapshots: the latest of several recorded states of one build counts.

use crate::document::BuildDocument;
use crate::time::parse_millis;

/// A build as one file recorded it.
pub(super) struct Snapshot {
    pub(super) build: BuildDocument,
    pub(super) file: String,
    pub(super) latest: i64,
}

impl Snapshot {
    pub(super) fn is_later_than(&self, other: &Self) -> bool {
        match (poll(&self.file), poll(&other.file)) {
            (Some((stem, mine)), Some((other_stem, theirs))) if stem == other_stem => {
                mine >= theirs
            }
            _ => {
                let rank = |one: &Self| (one.latest, one.build.jobs().len());
                (rank(self), &self.file) >= (rank(other), &other.file)
            }
        }
    }
}

/// `name-poll3.json` as `name-` and 3.
fn poll(file: &str) -> Option<(&str, u32)> {
    let (stem, number) = file.strip_suffix(".json")?.split_once("poll")?;
    Some((stem, number.parse().ok()?))
}

/// The latest time in the build or its jobs, without the times of agents.
pub(super) fn latest_time(build: &BuildDocument) -> i64 {
    const TIMES: [&str; 6] = [
        "created_at",
        "scheduled_at",
        "runnable_at",
        "started_at",
        "finished_at",
        "unblocked_at",
    ];
    std::iter::once(build.fields())
        .chain(build.jobs())
        .flat_map(|object| {
            TIMES
                .iter()
                .filter_map(|key| parse_millis(&object.text(key)?))
        })
        .max()
        .unwrap_or(0)
}
