//! A partition, with what the copy claims to have of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Result, StreamName};

use super::report::Report;
use crate::source::state::{Coverage, Gap};
use crate::source::sweep::Sweep;
use crate::source::sweep::build::{ReadBuild, Settledness};
use crate::source::sweep::listing::Listing;
use crate::source::sweep::partition::Partition;
use crate::streams::BUILDS;

/// A partition that has been synced, at least partly.
pub(super) struct AuditedPartition {
    /// `acme`, `acme/web`.
    pub(super) key: String,
    pub(super) listing: Listing,
    pub(super) coverage: Coverage,
    pub(super) streams: Vec<StreamName>,
    /// The id of its pipeline, if it is one.
    pub(super) pipeline_id: Option<String>,
    /// Its rows of `builds`, oldest first.
    pub(super) rows: Vec<Row>,
    /// Pipeline and number of builds that are known to be missing.
    pub(super) missing: BTreeSet<(u32, u64)>,
    /// Whether no window differs for an unknown reason.
    pub(super) is_resolved: bool,
}

/// What is kept of a row of `builds`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// When it was created, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) number: u64,
    /// Its pipeline's place among the pipelines of the copy.
    pub(super) pipeline: u32,
}

/// An interval of creation times that the copy claims to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    /// The lower end; absent for none.
    pub(super) from: Option<DateTime<Utc>>,
    /// The upper end, not included.
    pub(super) to: DateTime<Utc>,
}

impl AuditedPartition {
    /// All partitions of a sweep that have been synced; reports which have not.
    pub(super) async fn all(sweep: &Arc<Sweep>, report: &mut Report) -> Result<Vec<Self>> {
        let mut partitions = Vec::new();
        for partition in sweep.partitions().await? {
            let (key, pipeline) = (partition.key(), partition.pipeline.clone());
            let partition = Partition::new(Arc::clone(sweep), partition);
            if partition.coverage.is_nothing() {
                report.compared(format!("{key}: nothing, it has not been synced yet"));
                continue;
            }
            partitions.push(Self {
                key,
                pipeline_id: pipeline.map(|pipeline| pipeline.id),
                listing: partition.listing,
                coverage: partition.coverage,
                streams: sweep.state.streams().to_vec(),
                rows: Vec::new(),
                missing: BTreeSet::new(),
                is_resolved: true,
            });
        }
        Ok(partitions)
    }

    /// What the copy claims to have of a stream, oldest first.
    pub(super) fn covered(&self, stream: &str) -> Vec<Interval> {
        let whole = Interval {
            from: self.coverage.created_from,
            to: self.coverage.top + TimeDelta::milliseconds(1),
        };
        let mut covered = vec![whole];
        for gap in self.gaps(stream) {
            let rest = covered
                .into_iter()
                .flat_map(|one| one.without(gap.from, gap.to));
            covered = rest.collect();
        }
        covered.sort_by_key(|interval| interval.to);
        covered
    }

    /// Whether some of a stream has not been read yet.
    pub(super) fn has_gaps(&self, stream: &str) -> bool {
        self.gaps(stream).next().is_some()
    }

    fn gaps(&self, stream: &str) -> impl Iterator<Item = &Gap> {
        let gaps = self.coverage.missing.iter();
        let of_all = gaps.filter(|gap| gap.pipeline.is_none());
        of_all.filter(move |gap| gap.streams.iter().any(|of| *of == stream))
    }

    /// Whether the copy claims to have builds of a stream that were created then.
    pub(super) fn covers(&self, stream: &str, at: DateTime<Utc>) -> bool {
        let covered = self.covered(stream);
        covered.iter().any(|interval| interval.contains(at))
    }

    /// Whether the copy claims to have the version of a build that Buildkite has now.
    pub(super) fn has_latest(&self, stream: &str, build: &ReadBuild) -> bool {
        let is_of_gap = self.coverage.missing.iter().any(|gap| {
            gap.pipeline.is_some()
                && gap.pipeline == build.pipeline_id
                && gap.streams.iter().any(|of| *of == stream)
        });
        build.settledness == Settledness::Settled
            && build.latest <= self.coverage.synced
            && !self.coverage.open.contains_key(&build.id)
            && !is_of_gap
            && self.covers(stream, build.build.created_at)
            && self.knows_pipeline(build)
    }

    /// Whether builds of its pipeline have been read, under the slug that it has now. If not, the
    /// next sync reads them.
    pub(super) fn knows_pipeline(&self, build: &ReadBuild) -> bool {
        let known = |id: &String| self.coverage.pipelines.get(id);
        let id = build.pipeline_id.as_ref();
        id.is_none_or(|id| known(id) == Some(&build.pipeline_slug))
    }

    /// Its rows that were created in an interval.
    pub(super) fn rows_in(&self, interval: Interval) -> &[Row] {
        let place = |at: DateTime<Utc>| {
            let millis = at.timestamp_millis();
            self.rows.partition_point(|row| row.at < millis)
        };
        &self.rows[interval.from.map_or(0, place)..place(interval.to)]
    }

    /// Its rows that the copy claims to have all of.
    pub(super) fn covered_rows(&self) -> u64 {
        let covered = self.covered(BUILDS).into_iter();
        covered.map(|one| self.rows_in(one).len() as u64).sum()
    }
}

impl Interval {
    pub(super) fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= at) && at < self.to
    }

    /// What lies before and after a gap.
    fn without(self, from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> impl Iterator<Item = Self> {
        let before = from.map(|from| Self {
            from: self.from,
            to: self.to.min(from),
        });
        let after = Self {
            from: Some(self.from.map_or(to, |own| own.max(to))),
            to: self.to,
        };
        let is_some = |one: &Self| one.from.is_none_or(|from| from < one.to);
        before.into_iter().chain([after]).filter(is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-01-01T{hour:02}:00:00Z").parse().unwrap()
    }

    #[test]
    fn a_gap_leaves_what_lies_before_and_after_it() {
        let whole = |from: Option<u32>| Interval {
            from: from.map(at),
            to: at(9),
        };
        let rest = |from, gap: (Option<u32>, u32)| {
            let rest = whole(from).without(gap.0.map(at), at(gap.1));
            let hours = rest.map(|one| (one.from, one.to));
            hours.collect::<Vec<_>>()
        };
        let some = |hour| Some(at(hour));
        assert_eq!(rest(None, (Some(3), 5)), [(None, at(3)), (some(5), at(9))]);
        assert_eq!(rest(Some(1), (None, 5)), [(some(5), at(9))]);
        assert_eq!(rest(Some(1), (Some(3), 12)), [(some(1), at(3))]);
        assert_eq!(rest(Some(4), (Some(1), 2)), [(some(4), at(9))]);
        assert_eq!(rest(Some(4), (Some(10), 12)), [(some(4), at(9))]);
        assert_eq!(rest(None, (None, 12)), []);
    }
}
