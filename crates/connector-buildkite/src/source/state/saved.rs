//! The JSON form of a stream's state, versions 2 and 3.
//!
//! ```json
//! {
//!   "base_url": "https://api.buildkite.com",
//!   "mode": "incremental",
//!   "partitions": {
//!     "acme": {
//!       "top": "2026-11-24T09:00:00.123Z",
//!       "synced": "2026-11-24T09:00:00.123Z",
//!       "missing": [{"from": "2026-01-01T00:00:00Z", "to": "2026-05-01T00:00:00.001Z"}],
//!       "open": {"0190…": ["0189…", 12, "2026-11-24T08:59:00Z"]},
//!       "jobs": {"0190…": ["0191…"]},
//!       "pipelines": {"0189…": "web"}
//!     }
//!   },
//!   "check": "1a2b3c4d"
//! }
//! ```
//!
//! `check` is a checksum of the rest. A state that was edited could lose records silently, so it is
//! refused.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{StreamName, SyncMode};
use serde::{Deserialize, Serialize};

use super::coverage::{Coverage, Gap, OpenBuild, Version};
use super::end::Cut;
use super::unusable::UnusableBuild;

/// The state of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedStream {
    /// Address of the Buildkite that it was read from.
    pub(super) base_url: String,
    /// A full refresh has a state only until its end.
    pub(super) mode: SyncMode,
    /// Version 3: the end of a full refresh, from which nothing resumes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ended: bool,
    /// What was shown, in the words of `include_sensitive`, when rows of the copy were read. Absent
    /// in states of versions that did not note it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) shown: BTreeSet<String>,
    /// By organization, or by organization and pipeline: `acme`, `acme/web`.
    pub(super) partitions: BTreeMap<String, SavedPartition>,
    /// CRC-32 of the rest, in hexadecimal digits.
    pub(super) check: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedPartition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_from: Option<DateTime<Utc>>,
    top: DateTime<Utc>,
    synced: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<SavedGap>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<String, (String, u64, DateTime<Utc>)>,
    /// The jobs of these builds, in the state of `jobs`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    jobs: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
    /// Version 3: see [`Coverage::is_carried`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    carried: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unusable: Vec<UnusableBuild>,
    /// Builds created since this moment may be open, too. Earlier versions, which did not list all
    /// open builds, wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    blocked_are_open: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pipelines: BTreeMap<String, String>,
    /// Versions of builds whose lists were read, by id: checksum and latest time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    listed: BTreeMap<String, (u32, DateTime<Utc>)>,
    /// Version 3: where the read of this partition is divided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cuts: Vec<Cut>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedGap {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    to: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pipeline: Option<String>,
}

impl SavedStream {
    pub(super) fn new(
        base_url: &str,
        mode: SyncMode,
        ended: bool,
        shown: BTreeSet<String>,
        partitions: BTreeMap<String, SavedPartition>,
    ) -> Self {
        let mut saved = Self {
            base_url: base_url.to_owned(),
            mode,
            ended,
            shown,
            partitions,
            check: String::new(),
        };
        saved.check = saved.checksum();
        saved
    }

    /// Whether it is exactly what was written.
    pub(super) fn is_intact(&self) -> bool {
        self.check == self.checksum() && self.partitions.values().all(SavedPartition::is_sound)
    }

    fn checksum(&self) -> String {
        let unchecked = Self {
            check: String::new(),
            ..self.clone()
        };
        // Cannot fail: all keys are texts.
        let text = serde_json::to_string(&unchecked).unwrap_or_default();
        format!("{:08x}", crc32fast::hash(text.as_bytes()))
    }
}

impl SavedPartition {
    pub(super) fn new(coverage: &Coverage, cuts: &[Cut]) -> Self {
        let entry = |(id, build): (&String, &OpenBuild)| {
            let entry = (build.pipeline.clone(), build.number, build.created_at);
            (id.clone(), entry)
        };
        let gap = |gap: &Gap| SavedGap {
            from: gap.from,
            to: gap.to,
            pipeline: gap.pipeline.clone(),
        };
        Self {
            created_from: coverage.created_from,
            top: coverage.top,
            synced: coverage.synced,
            missing: coverage.missing.iter().map(gap).collect(),
            open: coverage.open.iter().map(entry).collect(),
            jobs: (coverage.open.iter())
                .filter(|(_, build)| !build.jobs.is_empty())
                .map(|(id, build)| (id.clone(), build.jobs.clone()))
                .collect(),
            lost: coverage.is_lost,
            carried: coverage.is_carried,
            unusable: coverage.unusable.clone(),
            open_since: None,
            blocked_are_open: coverage.blocked_are_open,
            pipelines: coverage.pipelines.clone(),
            listed: (coverage.listed.values().flatten())
                .map(|(id, listed)| (id.clone(), (listed.checksum, listed.latest)))
                .collect(),
            cuts: cuts.to_vec(),
        }
    }

    pub(super) fn coverage(mut self, stream: &StreamName) -> Coverage {
        let gap = |gap: SavedGap| Gap {
            streams: [stream.clone()].into(),
            pipeline: gap.pipeline,
            from: gap.from,
            to: gap.to,
        };
        let maybe_open = self.open_since.map(|since| SavedGap {
            from: Some(since),
            to: self.top.max(since + TimeDelta::seconds(1)),
            pipeline: None,
        });
        let missing = self.missing.into_iter().chain(maybe_open).map(gap);
        let mut jobs = std::mem::take(&mut self.jobs);
        let open = |(id, (pipeline, number, created_at))| {
            let build = OpenBuild {
                pipeline,
                number,
                created_at,
                jobs: jobs.remove(&id).unwrap_or_default(),
            };
            (id, build)
        };
        let listed = self.listed.into_iter();
        let listed: BTreeMap<_, _> = listed
            .map(|(id, (checksum, latest))| (id, Version { checksum, latest }))
            .collect();
        let listed = Some((stream.clone(), listed)).filter(|(_, listed)| !listed.is_empty());
        Coverage {
            created_from: self.created_from,
            top: self.top,
            synced: self.synced,
            missing: missing.collect(),
            open: self.open.into_iter().map(open).collect(),
            blocked_are_open: self.blocked_are_open,
            pipelines: self.pipelines,
            listed: listed.into_iter().collect(),
            unusable: self.unusable,
            is_lost: self.lost,
            is_carried: self.carried,
        }
    }

    pub(super) fn created_from(&self) -> Option<DateTime<Utc>> {
        self.created_from
    }

    fn is_sound(&self) -> bool {
        let is_interval = |gap: &SavedGap| {
            gap.from.is_none_or(|from| from <= gap.to) && gap.from >= self.created_from
        };
        self.missing.iter().all(is_interval)
    }
}
