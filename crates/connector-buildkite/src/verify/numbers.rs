//! Numbers that no row has.
//!
//! Gaps are normal (API facts 9.5), so a gap alone proves nothing. Once the windows agree, but for
//! the builds that were found to be missing, all other gaps are real; else Buildkite is asked.

use std::collections::BTreeMap;

use buildkite_client::Error as ClientError;
use chrono::DateTime;
use connector_core::{FindingKind, Result};

use super::copy::Copy;
use super::part::{Part, Row};
use super::report::{Report, some, text_of};
use crate::error::explain;
use crate::inquiry::Inquiry;
use crate::streams::BUILDS;

/// So many numbers are asked for.
const MOST_QUESTIONS: u64 = 20;

/// Looks for numbers that are missing between others of their pipeline.
pub(super) async fn compare(
    inquiry: &Inquiry,
    part: &Part,
    copy: &Copy,
    report: &mut Report,
) -> Result<()> {
    let before = inquiry.asked();
    let mut unasked = 0;
    for (pipeline, mut runs) in gaps(part) {
        if !part.is_resolved {
            let questions = MOST_QUESTIONS.saturating_sub(inquiry.asked() - before);
            let asked = runs.iter().flat_map(|(first, last)| *first..=*last);
            let asked: Vec<_> = asked.take(questions as usize).collect();
            unasked += count(&runs) - asked.len() as u64;
            runs.clear();
            for number in asked {
                match exists(part, copy.pipelines.name(pipeline), number).await? {
                    true => tell_missing(copy.pipelines.build(pipeline, number), report),
                    false => join(&mut runs, number),
                }
            }
        }
        tell_never(copy.pipelines.name(pipeline), &runs, report);
    }
    let asked = inquiry.asked() - before;
    let mut sentence = format!("{}: the numbers of builds of each pipeline", part.key);
    if asked > 0 {
        sentence += &format!(", with {}", some(asked, "request"));
    }
    if unasked > 0 {
        sentence += &format!("; {} not asked for", some(unasked, "missing number"));
    }
    report.compared(sentence);
    Ok(())
}

/// By pipeline: first and last of each run of numbers that no row has, between rows that the copy
/// claims to have all of.
fn gaps(part: &Part) -> BTreeMap<u32, Vec<(u64, u64)>> {
    let covered = part.covered(BUILDS);
    let at = |row: &Row| DateTime::from_timestamp_millis(row.at).unwrap_or_default();
    let is_covered = |one: &Row, other: &Row| {
        let mut covered = covered.iter();
        covered.any(|interval| interval.contains(at(one)) && interval.contains(at(other)))
    };
    let mut rows: Vec<&Row> = part.rows.iter().collect();
    rows.sort_unstable_by_key(|row| (row.pipeline, row.number));
    let mut gaps: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for pair in rows.windows(2) {
        let (one, next) = (pair[0], pair[1]);
        let is_gap = one.pipeline == next.pipeline && one.number + 1 < next.number;
        if is_gap && is_covered(one, next) {
            let runs = gaps.entry(one.pipeline).or_default();
            let mut first = one.number + 1;
            let known = (one.pipeline, first)..(one.pipeline, next.number);
            // Those that are known to be missing part the run.
            for (_, missing) in part.missing.range(known) {
                runs.extend((first < *missing).then(|| (first, missing - 1)));
                first = missing + 1;
            }
            runs.extend((first < next.number).then(|| (first, next.number - 1)));
        }
    }
    gaps
}

async fn exists(part: &Part, pipeline: &str, number: u64) -> Result<bool> {
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
    match part.lists.client.object(&path).await {
        Ok(_) => Ok(true),
        Err(ClientError::NotFound { .. }) => Ok(false),
        Err(error) => Err(explain(error)),
    }
}

fn count(runs: &[(u64, u64)]) -> u64 {
    runs.iter().map(|(first, last)| last - first + 1).sum()
}

fn join(runs: &mut Vec<(u64, u64)>, number: u64) {
    match runs.last_mut() {
        Some((_, last)) if *last + 1 == number => *last = number,
        _ => runs.push((number, number)),
    }
}

fn tell_missing(at: String, report: &mut Report) {
    let message = "Buildkite has this build, the copy does not".to_owned();
    report.found(FindingKind::Missing, BUILDS, at, message);
}

fn tell_never(pipeline: &str, runs: &[(u64, u64)], report: &mut Report) {
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
