//! Build numbers that no row has.
//!
//! Gaps are normal (API facts 9.5), so a gap alone proves nothing. Once the windows agree, except for
//! builds that were found to be missing, all other gaps are real. Otherwise Buildkite is asked.

use std::collections::BTreeMap;

use buildkite_client::Error as ClientError;
use chrono::DateTime;
use connector_core::{FindingKind, Result};

use super::super::probe::CostProbe;
use super::copy::Copy;
use super::partition::{AuditedPartition, Row};
use super::report::{Report, Runs, some, text_of};
use crate::error::explain;
use crate::streams::BUILDS;

/// The most numbers that are looked up.
const MOST_LOOKUPS: u64 = 20;

/// Looks for numbers that are missing between others of their pipeline.
pub(super) async fn compare(
    probe: &CostProbe,
    partition: &AuditedPartition,
    copy: &Copy,
    report: &mut Report,
) -> Result<()> {
    let before = probe.requests();
    let mut unchecked = 0;
    for (pipeline, mut runs) in gaps(partition) {
        if !partition.is_resolved {
            let lookups = MOST_LOOKUPS.saturating_sub(probe.requests() - before);
            let numbers = runs.iter().flat_map(|(first, last)| *first..=*last);
            let numbers: Vec<_> = numbers.take(lookups as usize).collect();
            unchecked += count(&runs) - numbers.len() as u64;
            runs.clear();
            for number in numbers {
                if exists(partition, copy.pipelines.name(pipeline), number).await? {
                    let message = "Buildkite has this build, the copy does not".to_owned();
                    let at = copy.pipelines.build(pipeline, number);
                    report.found(FindingKind::Missing, BUILDS, at, message);
                } else {
                    join(&mut runs, number);
                }
            }
        }
        report_never_given(copy.pipelines.name(pipeline), &runs, report);
    }
    let requests = probe.requests() - before;
    report.compared(sentence(&partition.key, requests, unchecked));
    Ok(())
}

fn sentence(key: &str, requests: u64, unchecked: u64) -> String {
    let mut sentence = format!("{key}: the numbers of builds of each pipeline");
    if requests > 0 {
        sentence += &format!(", with {}", some(requests, "request"));
    }
    if unchecked > 0 {
        sentence += &format!("; {} not checked", some(unchecked, "missing number"));
    }
    sentence
}

/// By pipeline: the runs of numbers that no row has, between rows that the copy claims to have all
/// of.
fn gaps(partition: &AuditedPartition) -> BTreeMap<u32, Runs> {
    let covered = partition.covered(BUILDS);
    let at = |row: &Row| DateTime::from_timestamp_millis(row.at).unwrap_or_default();
    let is_covered = |one: &Row, other: &Row| {
        let mut covered = covered.iter();
        covered.any(|interval| interval.contains(at(one)) && interval.contains(at(other)))
    };
    let mut rows: Vec<&Row> = partition.rows.iter().collect();
    rows.sort_unstable_by_key(|row| (row.pipeline, row.number));
    let mut gaps: BTreeMap<u32, Runs> = BTreeMap::new();
    for pair in rows.windows(2) {
        let (one, next) = (pair[0], pair[1]);
        let is_gap = one.pipeline == next.pipeline && next.number - one.number > 1;
        if is_gap && is_covered(one, next) {
            let runs = gaps.entry(one.pipeline).or_default();
            let mut first = one.number + 1;
            let known = (one.pipeline, first)..(one.pipeline, next.number);
            // Numbers that are known to be missing divide the run.
            for (_, missing) in partition.missing.range(known) {
                runs.extend((first < *missing).then(|| (first, missing - 1)));
                first = missing + 1;
            }
            runs.extend((first < next.number).then(|| (first, next.number - 1)));
        }
    }
    gaps
}

async fn exists(partition: &AuditedPartition, pipeline: &str, number: u64) -> Result<bool> {
    let (organization, slug) = pipeline.split_once('/').unwrap_or_default();
    let number = number.to_string();
    let path = [
        "v2",
        "organizations",
        organization,
        "pipelines",
        slug,
        "builds",
        &number,
    ];
    match partition.listing.client.object(&path).await {
        Ok(_) => Ok(true),
        Err(ClientError::NotFound { .. }) => Ok(false),
        Err(error) => Err(explain(error)),
    }
}

fn count(runs: &Runs) -> u64 {
    let lengths = runs.iter().map(|(first, last)| last - first + 1);
    lengths.fold(0, u64::saturating_add)
}

fn join(runs: &mut Runs, number: u64) {
    match runs.last_mut() {
        Some((_, last)) if *last + 1 == number => *last = number,
        _ => runs.push((number, number)),
    }
}

fn report_never_given(pipeline: &str, runs: &Runs, report: &mut Report) {
    let count = count(runs);
    if count == 0 {
        return;
    }
    let message = format!(
        "Buildkite has no builds with {} either: {}",
        some(count, "missing number"),
        text_of(runs)
    );
    report.found(FindingKind::Harmless, BUILDS, pipeline.to_owned(), message);
}
