//! Rows whose build is not finished according to the copy.
//!
//! The state must list each of them as open, so that the next sync looks for it. An open row that
//! it does not list would stay open, unless its build is open again or has finished since: the
//! next sync sees both.

use std::collections::BTreeMap;

use buildkite_client::{Listed, format_timestamp};
use chrono::TimeDelta;
use connector_core::{FindingKind, Result};
use serde::Deserialize;

use super::super::probe::CostProbe;
use super::copy::{Copy, OpenRow};
use super::partition::AuditedPartition;
use super::report::{Report, some};
use crate::source::sweep::Sweep;
use crate::source::sweep::build::ReadBuild;
use crate::source::sweep::listing::BuildFilter;
use crate::source::sweep::marks::OPEN_OR_BLOCKED;
use crate::source::sweep::search::OpenBuildSearch;
use crate::streams::BUILDS;

/// Up to this many rows are looked up at Buildkite.
const MOST_SOUGHT: usize = 20;

/// Rows that no sync would look for again, by id.
type Suspects<'a> = BTreeMap<&'a str, &'a OpenRow>;

/// Compares rows that are open with what is open.
pub(super) async fn compare(
    probe: &CostProbe,
    partition: &AuditedPartition,
    copy: &Copy,
    report: &mut Report,
) -> Result<()> {
    let before = probe.requests();
    let open = copy
        .open
        .iter()
        .filter(|row| row.partition == partition.key);
    let (known, unknown): (Vec<_>, Vec<_>) =
        open.partition(|row| partition.coverage.open.contains_key(&row.id));
    let covered = unknown
        .into_iter()
        .filter(|row| partition.covers(BUILDS, row.build.created_at));
    let mut suspects: Suspects<'_> = covered.map(|row| (row.id.as_str(), row)).collect();
    let unexpected = suspects.len() as u64;
    let mut changed = 0;
    if !suspects.is_empty() {
        changed += drop_seen(partition, &mut suspects, open_now(partition)).await?;
        changed += drop_seen(partition, &mut suspects, finished_since(partition)).await?;
        look_for(partition, copy, suspects, report).await?;
    }
    let mut sentence = format!(
        "{}: {} of unfinished builds, {} of them known to the state, with {}",
        partition.key,
        some(known.len() as u64 + unexpected, "row"),
        known.len(),
        some(probe.requests() - before, "request"),
    );
    if changed > 0 {
        sentence += &format!(
            "; {} changed since and not synced yet",
            some(changed, "build")
        );
    }
    report.compared(sentence);
    Ok(())
}

fn open_now(partition: &AuditedPartition) -> BuildFilter {
    BuildFilter {
        from: partition.coverage.created_from,
        to: Some(partition.coverage.top + TimeDelta::seconds(1)),
        states: OPEN_OR_BLOCKED,
        ..BuildFilter::default()
    }
}

fn finished_since(partition: &AuditedPartition) -> BuildFilter {
    BuildFilter {
        states: &[],
        finished_from: Some(partition.coverage.synced + TimeDelta::milliseconds(1)),
        ..open_now(partition)
    }
}

/// Drops rows whose builds the next sync sees. Returns how many these are.
async fn drop_seen(
    partition: &AuditedPartition,
    suspects: &mut Suspects<'_>,
    filter: BuildFilter,
) -> Result<u64> {
    let is_finished = filter.finished_from.is_some();
    let mut list = partition.listing.list(filter);
    let mut dropped = 0;
    while let Some(listed) = partition.listing.next(&mut list).await? {
        if let Listed::Build(found) = listed {
            // The time asked for may have been cut.
            let is_later = !is_finished || found.latest > partition.coverage.synced;
            if is_later && suspects.remove(found.id.as_str()).is_some() {
                dropped += 1;
            }
        }
    }
    Ok(dropped)
}

/// The rows that are left are stale, or their builds were removed.
async fn look_for(
    partition: &AuditedPartition,
    copy: &Copy,
    mut suspects: Suspects<'_>,
    report: &mut Report,
) -> Result<()> {
    let sought = suspects.iter().take(MOST_SOUGHT);
    let sought = sought.map(|(id, row)| ((*id).to_owned(), row.build.clone()));
    let slugs = partition.coverage.pipelines.clone();
    let mut search = OpenBuildSearch::new(
        &partition.listing,
        &[BUILDS.into()],
        sought.collect(),
        slugs,
    );
    while let Some(mut list) = search.next_list().await? {
        while let Some(listed) = partition.listing.next(&mut list).await? {
            search.note(&listed);
            if let Listed::Build(found) = listed
                && let Some(row) = suspects.remove(found.id.as_str())
            {
                report_stale(copy, row, &says(&found), report);
            }
        }
    }
    for id in search.removed() {
        if let Some(row) = suspects.remove(id) {
            report_gone(copy, row, "the build", report);
        }
    }
    for row in suspects.into_values() {
        report_stale(copy, row, "that it has ended, or no longer has it", report);
    }
    Ok(())
}

/// Rows that are open and belong to no partition that is read: their organization or pipeline is
/// no longer there. Those that the settings do not ask for are left alone.
pub(super) async fn compare_others(sweep: &Sweep, copy: &Copy, report: &mut Report) -> Result<()> {
    let mut has = BTreeMap::new();
    for row in copy.open.iter().filter(|row| row.partition.is_empty()) {
        let place = copy.pipelines.name(row.pipeline);
        let (organization, slug) = place.split_once('/').unwrap_or((place, ""));
        if !sweep.scope.wants_organization(organization) || !sweep.scope.wants_pipeline(Some(slug))
        {
            continue;
        }
        if !has.contains_key(organization) {
            let is_there = sweep
                .scope
                .has_organization(&sweep.client, organization)
                .await?;
            has.insert(organization, is_there);
        }
        let what = if has[organization] {
            "the pipeline under this id"
        } else {
            "the organization, or hides it from the token"
        };
        report_gone(copy, row, what, report);
    }
    Ok(())
}

/// The next sync marks the row: the host tells it which rows are open, or the state does.
fn report_gone(copy: &Copy, row: &OpenRow, what: &str, report: &mut Report) {
    let at = copy.pipelines.build(row.pipeline, row.build.number);
    let message = format!(
        "the copy says `{}`; Buildkite no longer has {what}; the next sync marks the row in `_gone`",
        row.state
    );
    report.found(FindingKind::Stale, BUILDS, at, message);
}

fn report_stale(copy: &Copy, row: &OpenRow, says: &str, report: &mut Report) {
    let at = copy.pipelines.build(row.pipeline, row.build.number);
    let message = format!(
        "the copy says `{}`, of a build created at {}; Buildkite says {says}",
        row.state,
        format_timestamp(row.build.created_at)
    );
    report.found(FindingKind::Stale, BUILDS, at, message);
}

/// What Buildkite says of a build.
fn says(build: &ReadBuild) -> String {
    #[derive(Deserialize)]
    struct Build {
        state: Option<String>,
        finished_at: Option<String>,
    }
    let build = build.records.first().and_then(|r| r.data.read().ok());
    let Some(Build {
        state: Some(state),
        finished_at,
    }) = build
    else {
        return "something else".to_owned();
    };
    match finished_at {
        Some(at) => format!("`{state}` since {at}"),
        None => format!("`{state}`"),
    }
}
