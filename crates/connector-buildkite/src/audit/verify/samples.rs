//! Whole records, page by page: the newest page, and others at random.

use std::mem;

use buildkite_client::Listed;
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Comparison, FindingKind, Record, Replica, Result, StreamName};

use super::super::probe::CostProbe;
use super::partition::{AuditedPartition, Interval};
use super::report::{Report, some};
use crate::connection::PAGE;
use crate::source::sweep::build::ReadBuild;
use crate::source::sweep::listing::BuildFilter;
use crate::streams::{BUILDS, JOBS};

/// Builds that a page adds to those of the one before: it begins with the last of them.
const NEW_ON_PAGE: u64 = PAGE - 1;
/// The number of records that are compared at once.
const BATCH: usize = 1_000;
/// Changes without the job: whether its agent is connected, and what that runs now.
const CHANGES_BY_ITSELF: &[&str] = &["agent"];

/// Compares this many pages, or all if there are fewer.
pub(super) async fn compare(
    probe: &CostProbe,
    partitions: &[AuditedPartition],
    replica: &dyn Replica,
    samples: u32,
    report: &mut Report,
) -> Result<()> {
    if samples == 0 {
        return Ok(());
    }
    let before = probe.requests();
    let mut comparer = Comparer::new(replica, report);
    let pages: u64 = partitions
        .iter()
        .map(|partition| partition.covered_rows().div_ceil(NEW_ON_PAGE) + 1)
        .sum();
    if u64::from(samples) >= pages || samples == u32::MAX {
        for partition in partitions {
            for interval in intervals(partition) {
                comparer.list(partition, interval, u32::MAX).await?;
            }
        }
    } else {
        for (partition, page) in choose(partitions, samples) {
            comparer.list(partition, page, 1).await?;
        }
    }
    let requests = probe.requests() - before;
    comparer.finish(partitions, requests);
    Ok(())
}

/// What any of its streams claims to have.
fn intervals(partition: &AuditedPartition) -> Vec<Interval> {
    let first = partition.streams.first();
    first.map_or_else(Vec::new, |stream| partition.covered(stream.as_str()))
}

/// The newest page, and others that begin at a row, or at a time where rows are not known.
fn choose(partitions: &[AuditedPartition], samples: u32) -> Vec<(&AuditedPartition, Interval)> {
    let mut intervals: Vec<_> = partitions
        .iter()
        .flat_map(|partition| {
            intervals(partition)
                .into_iter()
                .map(move |one| (partition, one))
        })
        .collect();
    intervals.sort_by_key(|(_, interval)| interval.to);
    let Some(newest) = intervals.pop() else {
        return Vec::new();
    };
    intervals.push(newest);
    let weight = |(partition, interval): &(&AuditedPartition, Interval)| {
        partition.rows_in(*interval).len().max(1)
    };
    let total: usize = intervals.iter().map(weight).sum();
    let at_random = (1..samples).filter_map(|_| {
        let mut place = fastrand::usize(..total);
        let (partition, interval) = intervals.iter().find(|one| {
            let is_here = place < weight(one);
            place -= if is_here { 0 } else { weight(one) };
            is_here
        })?;
        let to = match partition.rows_in(*interval).get(place) {
            Some(row) => DateTime::from_timestamp_millis(row.at + 1)?,
            None => random_moment(*interval),
        };
        Some((*partition, Interval { to, ..*interval }))
    });
    [newest].into_iter().chain(at_random).collect()
}

fn random_moment(interval: Interval) -> DateTime<Utc> {
    const WITHOUT_LOWER_END: TimeDelta = TimeDelta::days(90);
    let from = interval.from.unwrap_or(interval.to - WITHOUT_LOWER_END);
    let millis = (interval.to - from).num_milliseconds().max(1);
    interval.to - TimeDelta::milliseconds(fastrand::i64(..millis))
}

struct Comparer<'a> {
    replica: &'a dyn Replica,
    report: &'a mut Report,
    waiting: Vec<Waiting>,
    builds: u64,
    records: u64,
    /// Builds whose records differ, which the next sync reads.
    unsynced: u64,
}

/// A record that is to be compared.
struct Waiting {
    record: Record,
    /// `acme/web #12`.
    at: String,
    /// Whether the copy claims to have this version, and whether it claims to have any.
    has_latest: bool,
    is_covered: bool,
}

impl<'a> Comparer<'a> {
    fn new(replica: &'a dyn Replica, report: &'a mut Report) -> Self {
        Self {
            replica,
            report,
            waiting: Vec::new(),
            builds: 0,
            records: 0,
            unsynced: 0,
        }
    }

    /// Compares this many pages of an interval, newest first.
    async fn list(
        &mut self,
        partition: &AuditedPartition,
        interval: Interval,
        pages: u32,
    ) -> Result<()> {
        let mut list = partition.listing.list(BuildFilter {
            streams: partition.streams.iter().cloned().collect(),
            from: interval.from,
            to: Some(interval.to),
            ..BuildFilter::default()
        });
        let mut read = 0;
        while read < pages
            && let Some(listed) = partition.listing.next(&mut list).await?
        {
            match listed {
                Listed::Build(build) => self.take(partition, build),
                Listed::Unusable(_) => {}
                Listed::Page(_) => read += 1,
            }
            if self.waiting.len() >= BATCH {
                self.flush().await?;
            }
        }
        self.flush().await
    }

    fn take(&mut self, partition: &AuditedPartition, mut read: ReadBuild) {
        self.builds += 1;
        let (organization, build) = (&partition.listing.organization, &read.build);
        let at = format!("{organization}/{} #{}", read.pipeline_slug, build.number);
        for record in mem::take(&mut read.records) {
            let stream = record.stream.as_str();
            self.waiting.push(Waiting {
                has_latest: partition.has_latest(stream, &read),
                is_covered: partition.covers(stream, read.build.created_at)
                    && partition.knows_pipeline(&read),
                at: at.clone(),
                record,
            });
        }
    }

    async fn flush(&mut self) -> Result<()> {
        let waiting = mem::take(&mut self.waiting);
        self.records += waiting.len() as u64;
        let records = waiting.iter().map(|one| one.record.clone()).collect();
        let comparisons = self.replica.compare(records).await?;
        for (one, comparison) in waiting.into_iter().zip(comparisons) {
            self.note(one, comparison);
        }
        Ok(())
    }

    fn note(&mut self, one: Waiting, comparison: Comparison) {
        let stream = one.record.stream.as_str();
        let (kind, message) = match comparison {
            Comparison::Same => return,
            Comparison::Absent => (FindingKind::Missing, "is not in the copy".to_owned()),
            Comparison::Differs(fields) => match differing(stream, fields) {
                None => return,
                Some(fields) => {
                    let message = format!("Buildkite has other values: {}", fields.join(", "));
                    (FindingKind::Stale, message)
                }
            },
        };
        // A build is there from its creation on; its jobs may come later.
        let is_missing_build = kind == FindingKind::Missing && stream == BUILDS;
        if !(is_missing_build && one.is_covered || one.has_latest) {
            self.unsynced += 1;
            return;
        }
        if stream == JOBS && self.report.misses_build(&one.at) {
            return;
        }
        let message = match stream {
            JOBS => format!("the job {}: {message}", id_of(&one.record.data)),
            _ => message,
        };
        self.report.found(kind, stream, one.at, message);
    }

    fn finish(self, partitions: &[AuditedPartition], requests: u64) {
        let streams: Vec<_> = partitions.first().map_or_else(Vec::new, |partition| {
            partition.streams.iter().map(StreamName::as_str).collect()
        });
        let mut sentence = format!(
            "{}: {} of {} by their content, with {}",
            streams.join(" and "),
            some(self.records, "record"),
            some(self.builds, "build"),
            some(requests, "request")
        );
        if streams.contains(&JOBS) {
            sentence += &format!("; ignored: {} of jobs", CHANGES_BY_ITSELF.join(", "));
        }
        if self.unsynced > 0 {
            let unsynced = some(self.unsynced, "record");
            sentence += &format!("; {unsynced} changed since and not synced yet");
        }
        self.report.compared(sentence);
    }
}

/// The fields that ought to be the same.
fn differing(stream: &str, mut fields: Vec<String>) -> Option<Vec<String>> {
    if stream == JOBS {
        fields.retain(|field| !CHANGES_BY_ITSELF.contains(&field.as_str()));
    }
    (!fields.is_empty()).then_some(fields)
}

fn id_of(data: &connector_core::JsonObject) -> String {
    #[derive(serde::Deserialize)]
    struct Id {
        id: String,
    }
    data.read().map_or_else(|_| String::new(), |Id { id }| id)
}
