//! How many builds there are, window by window.

use std::collections::{BTreeMap, BTreeSet};

use buildkite_client::{Listed, format_timestamp};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use connector_core::{FindingKind, Result};

use super::super::probe::CostProbe;
use super::copy::Copy;
use super::partition::{AuditedPartition, Interval};
use super::report::{Report, some};
use crate::connection::PAGE;
use crate::source::sweep::listing::BuildFilter;
use crate::streams::BUILDS;

/// Windows of a partition; each holds about the same number of rows.
const WINDOWS: usize = 8;
/// The most requests to find out which builds differ. Of the rest only the number is reported.
const MOST_REQUESTS: u64 = 100;
/// Times may be cut to the second.
const PRECISION: TimeDelta = TimeDelta::seconds(1);
/// The year of the oldest builds there can be.
const BUILDKITE_BEGAN: i32 = 2013;

/// Compares the numbers of builds, and finds the builds that make a difference.
pub(super) async fn compare(
    probe: &CostProbe,
    partition: &mut AuditedPartition,
    copy: &mut Copy,
    report: &mut Report,
) -> Result<()> {
    let before = probe.requests();
    let mut comparer = Comparer {
        probe,
        partition,
        copy,
        report,
        limit: 0,
        missing: BTreeSet::new(),
        unsynced: 0,
        is_resolved: true,
    };
    let windows = comparer.windows();
    let mut differing = Vec::new();
    for window in &windows {
        let Some(count) = comparer.count(*window).await? else {
            partition.is_resolved = false;
            let key = &partition.key;
            report.compared(format!(
                "{key}: no numbers of builds, because the server does not report them"
            ));
            return Ok(());
        };
        differing.push((*window, count));
    }
    comparer.limit = probe.requests() + MOST_REQUESTS;
    while let Some((window, count)) = differing.pop() {
        let halves = comparer.examine(window, count).await?;
        differing.extend(halves);
    }
    let unsynced = comparer.unsynced;
    (partition.missing, partition.is_resolved) = (comparer.missing, comparer.is_resolved);
    let asked = probe.requests() - before;
    report.compared(sentence(partition, windows.len() as u64, asked));
    if unsynced > 0 {
        let builds = some(unsynced, "build");
        let key = &partition.key;
        report.compared(format!(
            "{key}: {builds} of pipelines that became visible since and are not synced yet"
        ));
    }
    report_gaps(partition, report);
    Ok(())
}

/// By pipeline and number: when they were created, if their pipeline is known.
type Builds = BTreeMap<(u32, u64), Option<DateTime<Utc>>>;

struct Comparer<'a> {
    probe: &'a CostProbe,
    partition: &'a AuditedPartition,
    copy: &'a mut Copy,
    report: &'a mut Report,
    /// After this many requests no window is examined any more.
    limit: u64,
    missing: BTreeSet<(u32, u64)>,
    /// Builds of pipelines that have not been read yet.
    unsynced: u64,
    is_resolved: bool,
}

impl Comparer<'_> {
    /// What is covered, cut at whole seconds.
    fn windows(&self) -> Vec<Interval> {
        let total = self.partition.covered_rows().max(1) as usize;
        let mut windows = Vec::new();
        for interval in self.partition.covered(BUILDS) {
            let rows = self.partition.rows_in(interval);
            let share = (WINDOWS * rows.len()).div_ceil(total);
            let count = share.min(rows.len().div_ceil(PAGE as usize)).max(1);
            let mut from = interval.from;
            for index in 1..count {
                let to = whole_second(rows[index * rows.len() / count].at);
                if from.is_none_or(|from| from < to) {
                    windows.push(Interval { from, to });
                    from = Some(to);
                }
            }
            windows.push(Interval {
                from,
                to: interval.to,
            });
        }
        windows
    }

    async fn count(&self, window: Interval) -> Result<Option<u64>> {
        self.partition.listing.count(filter_of(window)).await
    }

    /// Finds what differs in a window, or gives its halves.
    async fn examine(&mut self, window: Interval, count: u64) -> Result<Vec<(Interval, u64)>> {
        let partition = self.partition;
        let rows = partition.rows_in(window);
        let held = rows.len() as u64;
        if held == count {
            return Ok(Vec::new());
        }
        if count == 0 {
            for row in rows {
                let pipeline = self.copy.pipelines.name(row.pipeline);
                self.report.removed(pipeline, row.number);
            }
            return Ok(Vec::new());
        }
        if self.probe.requests() >= self.limit {
            self.report_difference(window, held, count);
            return Ok(Vec::new());
        }
        let middle = self
            .middle(window, count)
            .filter(|_| held.max(count) > PAGE);
        let Some(middle) = middle else {
            self.list(window).await?;
            return Ok(Vec::new());
        };
        let older = Interval {
            to: middle,
            ..window
        };
        let newer = Interval {
            from: Some(middle),
            ..window
        };
        let of_older = self.count(older).await?.unwrap_or_default();
        Ok(vec![
            (older, of_older),
            (newer, count.saturating_sub(of_older)),
        ])
    }

    /// Where half of the rows are, or half of the time if most are missing; `None` if it cannot
    /// be halved.
    fn middle(&self, window: Interval, count: u64) -> Option<DateTime<Utc>> {
        let rows = self.partition.rows_in(window);
        let middle = if rows.len() as u64 >= count.div_ceil(2) {
            whole_second(rows[rows.len() / 2].at)
        } else {
            let from = window.from.unwrap_or_else(beginning).timestamp_millis();
            let to = window.to.timestamp_millis();
            whole_second(from + (to - from) / 2)
        };
        let is_inside = window.from.is_none_or(|from| from < middle) && middle < window.to;
        is_inside.then_some(middle)
    }

    /// Compares the builds of a window one by one.
    async fn list(&mut self, window: Interval) -> Result<()> {
        let mut there = self.builds_in(window).await?;
        for row in self.partition.rows_in(window) {
            if there.remove(&(row.pipeline, row.number)).is_none() {
                let pipeline = self.copy.pipelines.name(row.pipeline);
                self.report.removed(pipeline, row.number);
            }
        }
        for ((pipeline, number), known) in there {
            let Some(created_at) = known else {
                self.unsynced += 1;
                continue;
            };
            let at = self.copy.pipelines.build(pipeline, number);
            let created_at = format_timestamp(created_at);
            let message = format!("created at {created_at}, is not in the copy");
            self.report.found(FindingKind::Missing, BUILDS, at, message);
            self.missing.insert((pipeline, number));
        }
        Ok(())
    }

    /// Buildkite's builds of a window by pipeline and number, each with its time of creation if
    /// its pipeline is known. Lists a little more than the window, in case its borders are cut.
    async fn builds_in(&mut self, window: Interval) -> Result<Builds> {
        let partition = self.partition;
        let wider = Interval {
            from: window.from.map(|from| from - PRECISION),
            to: window.to + PRECISION,
        };
        let mut list = partition.listing.list(filter_of(wider));
        let mut there = BTreeMap::new();
        while let Some(listed) = partition.listing.next(&mut list).await? {
            if let Listed::Build(build) = listed
                && window.contains(build.build.created_at)
            {
                let organization = &partition.listing.organization;
                let pipeline = self.copy.pipelines.of(organization, &build);
                let known = partition
                    .knows_pipeline(&build)
                    .then_some(build.build.created_at);
                there.insert((pipeline, build.build.number), known);
            }
        }
        Ok(there)
    }

    fn report_difference(&mut self, window: Interval, held: u64, count: u64) {
        self.is_resolved = false;
        let from = window
            .from
            .map_or("the beginning".to_owned(), format_timestamp);
        let at = format!(
            "{}, created from {from} to {}",
            self.partition.key,
            format_timestamp(window.to)
        );
        let kind = if held < count {
            FindingKind::Missing
        } else {
            FindingKind::Removed
        };
        let message = format!(
            "Buildkite has {}, the copy {held}; too many differ to find out which",
            some(count, "build")
        );
        self.report.found(kind, BUILDS, at, message);
    }
}

fn filter_of(window: Interval) -> BuildFilter {
    BuildFilter {
        from: window.from,
        to: Some(window.to),
        ..BuildFilter::default()
    }
}

fn whole_second(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(millis.div_euclid(1_000), 0).unwrap_or_default()
}

fn beginning() -> DateTime<Utc> {
    let date = NaiveDate::from_ymd_opt(BUILDKITE_BEGAN, 1, 1).unwrap_or_default();
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}

fn sentence(partition: &AuditedPartition, windows: u64, asked: u64) -> String {
    format!(
        "{}: {} counted in {}, with {}",
        partition.key,
        some(partition.covered_rows(), "row"),
        some(windows, "window"),
        some(asked, "request")
    )
}

/// Reports what the copy does not claim to have.
fn report_gaps(partition: &AuditedPartition, report: &mut Report) {
    for gap in &partition.coverage.missing {
        let streams: Vec<_> = gap.streams.iter().map(|stream| stream.as_str()).collect();
        let from = gap
            .from
            .map_or("the beginning".to_owned(), format_timestamp);
        let of = match gap
            .pipeline
            .as_ref()
            .map(|id| partition.coverage.pipelines.get(id))
        {
            Some(Some(slug)) => format!(" of the pipeline {slug}"),
            Some(None) => " of one pipeline".to_owned(),
            None => String::new(),
        };
        report.compared(format!(
            "{}: not compared, because not synced yet: {} of builds{of} created from {from} to {}",
            partition.key,
            streams.join(" and "),
            format_timestamp(gap.to)
        ));
    }
}
