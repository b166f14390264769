//! The JSON form of a part: what [`ReadRequest::partition`] holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, ReadRequest, Result, StreamName, SyncMode};
use serde::{Deserialize, Serialize};

use crate::source::scope::Slugs;
use crate::source::state::{Gap, OpenBuild};
use crate::source::sweep::PartitionRef;

/// The version of the form.
const FORM: u32 = 1;

/// A part of a read. Small, and without a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    form: u32,
    /// Address of the Buildkite that it reads.
    base_url: String,
    /// `organizations` and `pipelines`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) plain: BTreeSet<StreamName>,
    /// Pipelines that the copy knows and the API no longer has, by organization.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) removed_pipelines: BTreeMap<String, Slugs>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trees: Vec<TreePiece>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sweeps: Vec<SweepPiece>,
}

/// A tree of lists, or those of some of its parents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TreePiece {
    /// The list at its root.
    pub(crate) root: StreamName,
    /// The wanted streams of the tree.
    pub(crate) streams: Vec<StreamName>,
    /// Of how many pieces it is one, and which.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) shards: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) shard: u32,
}

/// Builds of one partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SweepPiece {
    pub(crate) mode: SyncMode,
    /// All streams of the sweep.
    pub(crate) streams: BTreeSet<StreamName>,
    pub(crate) partition: PartitionRef,
    /// Intervals of creation times that are read in full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) windows: Vec<Gap>,
    /// An interval of which only what changed is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<Changes>,
    /// Builds that were open at the last read, by id. They are looked for if they are in none of
    /// the lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) open_before: BTreeMap<String, OpenBuild>,
    /// The ids of builds that the end lists as open.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) open_at_end: BTreeSet<String>,
    /// The next read reads all builds again that were created since this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open_since: Option<DateTime<Utc>>,
    /// The pipelines of these windows and builds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) slugs: Slugs,
}

/// An interval of creation times of which only what changed is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Not included.
    pub(crate) to: DateTime<Utc>,
    pub(crate) finished_from: DateTime<Utc>,
    pub(crate) with_blocked: bool,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Part {
    /// A part without pieces, of the Buildkite at this address.
    pub(super) fn new(base_url: &str) -> Self {
        Self {
            form: FORM,
            base_url: base_url.trim_end_matches('/').to_owned(),
            plain: BTreeSet::new(),
            removed_pipelines: BTreeMap::new(),
            trees: Vec::new(),
            sweeps: Vec::new(),
        }
    }

    /// The part that a request carries.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it is not a part of the Buildkite at this address, or does not
    /// belong to the streams of the request.
    pub(crate) fn of(request: &ReadRequest, base_url: &str) -> Result<Option<Self>> {
        let Some(value) = &request.partition else {
            return Ok(None);
        };
        let part = Self::deserialize(value).ok();
        let is_ours = |part: &Self| {
            let base_url = base_url.trim_end_matches('/');
            let has = |name: &StreamName| request.streams.iter().any(|one| one.stream == *name);
            part.form == FORM && part.base_url == base_url && part.streams().iter().all(has)
        };
        let part = part.filter(is_ours).ok_or_else(|| {
            let message = "the read request carries a part that was not made for this source; \
                           divide the read again";
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(Some(part))
    }

    /// The streams that it reads.
    pub(super) fn streams(&self) -> BTreeSet<StreamName> {
        let of_trees = self.trees.iter().flat_map(|piece| &piece.streams);
        let of_sweeps = self.sweeps.iter().flat_map(|piece| &piece.streams);
        let all = self.plain.iter().chain(of_trees).chain(of_sweeps);
        all.cloned().collect()
    }
}
