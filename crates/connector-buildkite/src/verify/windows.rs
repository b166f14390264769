//! How many builds there are, window by window.

use std::collections::{BTreeMap, BTreeSet};

use buildkite_client::{Listed, format_timestamp};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use connector_core::{FindingKind, Result};

use super::copy::Copy;
use super::part::{Interval, Part};
use super::report::{Report, some};
use crate::inquiry::Inquiry;
use crate::pass::lists::Which;
use crate::streams::BUILDS;

/// Windows of a partition, all with about as many rows.
const WINDOWS: usize = 8;
/// Builds of a page: a window with no more of them is listed.
const PAGE: u64 = 100;
/// So many requests go into finding out what differs; the rest is told by its number.
const MOST_REQUESTS: u64 = 100;
/// Times may be cut to the second.
const PRECISION: TimeDelta = TimeDelta::seconds(1);
/// Nothing at Buildkite is older.
const BUILDKITE_BEGAN: i32 = 2013;

/// Compares the numbers of builds, and finds the builds that make a difference.
pub(super) async fn compare(
    inquiry: &Inquiry,
    part: &mut Part,
    copy: &mut Copy,
    report: &mut Report,
) -> Result<()> {
    let before = inquiry.asked();
    let mut comparer = Comparer {
        inquiry,
        part,
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
            part.is_resolved = false;
            let key = &part.key;
            report.compared(format!(
                "{key}: no numbers of builds, because the server does not tell them"
            ));
            return Ok(());
        };
        differing.push((*window, count));
    }
    comparer.limit = inquiry.asked() + MOST_REQUESTS;
    while let Some((window, count)) = differing.pop() {
        let halves = comparer.look_into(window, count).await?;
        differing.extend(halves);
    }
    let unsynced = comparer.unsynced;
    (part.missing, part.is_resolved) = (comparer.missing, comparer.is_resolved);
    let asked = inquiry.asked() - before;
    report.compared(sentence(part, windows.len() as u64, asked));
    if unsynced > 0 {
        let builds = some(unsynced, "build");
        let key = &part.key;
        report.compared(format!(
            "{key}: {builds} of pipelines that came into sight since, and not synced yet"
        ));
    }
    tell_gaps(part, report);
    Ok(())
}

struct Comparer<'a> {
    inquiry: &'a Inquiry,
    part: &'a Part,
    copy: &'a mut Copy,
    report: &'a mut Report,
    /// After so many requests no window is looked into.
    limit: u64,
    missing: BTreeSet<(u32, u64)>,
    /// Builds of pipelines that have not been read yet.
    unsynced: u64,
    is_resolved: bool,
}

impl Comparer<'_> {
    /// What is covered, cut at whole seconds.
    fn windows(&self) -> Vec<Interval> {
        let total = self.part.covered_rows().max(1) as usize;
        let mut windows = Vec::new();
        for interval in self.part.covered(BUILDS) {
            let rows = self.part.rows_in(interval);
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
        let lists = &self.part.lists;
        let query = lists.query(which(window));
        match lists.client.count_builds(&query).await {
            Ok(count) => Ok(count),
            Err(error) => Err(lists.explain(error).await),
        }
    }

    /// Finds what differs in a window, or gives its halves.
    async fn look_into(&mut self, window: Interval, count: u64) -> Result<Vec<(Interval, u64)>> {
        let part = self.part;
        let rows = part.rows_in(window);
        let held = rows.len() as u64;
        if held == count {
            return Ok(Vec::new());
        }
        if count == 0 {
            for row in rows {
                let pipeline = self.copy.pipelines.name(row.pipeline);
                self.report.gone(pipeline, row.number);
            }
            return Ok(Vec::new());
        }
        if self.inquiry.asked() >= self.limit {
            self.tell_difference(window, held, count);
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
        let rows = self.part.rows_in(window);
        let middle = match rows.len() as u64 >= count.div_ceil(2) {
            true => whole_second(rows[rows.len() / 2].at),
            false => {
                let from = window.from.unwrap_or_else(beginning).timestamp_millis();
                let to = window.to.timestamp_millis();
                whole_second(from + (to - from) / 2)
            }
        };
        let is_inside = window.from.is_none_or(|from| from < middle) && middle < window.to;
        is_inside.then_some(middle)
    }

    /// Compares builds one by one. Asks for a little more than the window, in case its borders
    /// are cut.
    async fn list(&mut self, window: Interval) -> Result<()> {
        let part = self.part;
        let wider = Interval {
            from: window.from.map(|from| from - PRECISION),
            to: window.to + PRECISION,
        };
        let mut list = part.lists.list(which(wider));
        let mut there = BTreeMap::new();
        while let Some(listed) = part.lists.next(&mut list).await? {
            if let Listed::Build(found) = listed
                && window.contains(found.build.created_at)
            {
                let organization = &part.lists.organization;
                let pipeline = self.copy.pipelines.of(organization, &found);
                let known = part
                    .knows_pipeline(&found)
                    .then_some(found.build.created_at);
                there.insert((pipeline, found.build.number), known);
            }
        }
        for row in part.rows_in(window) {
            if there.remove(&(row.pipeline, row.number)).is_none() {
                let pipeline = self.copy.pipelines.name(row.pipeline);
                self.report.gone(pipeline, row.number);
            }
        }
        for ((pipeline, number), known) in there {
            let Some(created_at) = known else {
                self.unsynced += 1;
                continue;
            };
            let at = self.copy.pipelines.build(pipeline, number);
            let message = format!(
                "created at {}, is not in the copy",
                format_timestamp(created_at)
            );
            self.report.found(FindingKind::Missing, BUILDS, at, message);
            self.missing.insert((pipeline, number));
        }
        Ok(())
    }

    fn tell_difference(&mut self, window: Interval, held: u64, count: u64) {
        self.is_resolved = false;
        let from = window
            .from
            .map_or("the beginning".to_owned(), format_timestamp);
        let at = format!(
            "{}, created from {from} to {}",
            self.part.key,
            format_timestamp(window.to)
        );
        let kind = match held < count {
            true => FindingKind::Missing,
            false => FindingKind::Removed,
        };
        let message = format!(
            "Buildkite has {}, the copy {held}; which ones was not looked into, because so many \
             differ",
            some(count, "build")
        );
        self.report.found(kind, BUILDS, at, message);
    }
}

fn which(window: Interval) -> Which {
    Which {
        from: window.from,
        to: Some(window.to),
        ..Which::default()
    }
}

fn whole_second(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(millis.div_euclid(1_000), 0).unwrap_or_default()
}

fn beginning() -> DateTime<Utc> {
    let date = NaiveDate::from_ymd_opt(BUILDKITE_BEGAN, 1, 1).unwrap_or_default();
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}

fn sentence(part: &Part, windows: u64, asked: u64) -> String {
    format!(
        "{}: {} counted in {}, with {}",
        part.key,
        some(part.covered_rows(), "row"),
        some(windows, "window"),
        some(asked, "request")
    )
}

/// Says what the copy does not claim to have.
fn tell_gaps(part: &Part, report: &mut Report) {
    for gap in &part.coverage.missing {
        let streams: Vec<_> = gap.streams.iter().map(|stream| stream.as_str()).collect();
        let from = gap
            .from
            .map_or("the beginning".to_owned(), format_timestamp);
        let of = match gap
            .pipeline
            .as_ref()
            .map(|id| part.coverage.pipelines.get(id))
        {
            Some(Some(slug)) => format!(" of the pipeline {slug}"),
            Some(None) => " of one pipeline".to_owned(),
            None => String::new(),
        };
        report.compared(format!(
            "{}: not compared, because not synced yet: {} of builds{of} created from {from} to {}",
            part.key,
            streams.join(" and "),
            format_timestamp(gap.to)
        ));
    }
}
