//! The streams that are short: organizations and pipelines are compared whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkite_client::Timestamp;
use connector_core::{Comparison, FindingKind, Replica, Result, StreamName};
use futures::stream::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;

use super::super::probe::CostProbe;
use super::report::{Report, some};
use crate::source::plain::{organizations, pipelines};
use crate::source::scope::PipelineRef;
use crate::source::state::SweepState;
use crate::streams::{ORGANIZATIONS, PIPELINES};

/// Counters of a pipeline that change all the time (API facts 22.14).
const COUNTERS: [&str; 5] = [
    "scheduled_builds_count",
    "running_builds_count",
    "scheduled_jobs_count",
    "running_jobs_count",
    "waiting_jobs_count",
];

/// The fields that say which record it is.
#[derive(Deserialize)]
struct Named {
    id: String,
    slug: Option<String>,
    organization_slug: Option<String>,
    created_at: Option<String>,
}

/// Compares all records of a stream.
pub(super) async fn compare(
    probe: &CostProbe,
    sweeps: &[SweepState],
    replica: &dyn Replica,
    stream: &StreamName,
    report: &mut Report,
) -> Result<()> {
    let before = probe.requests();
    let (client, scope) = (&probe.client, &probe.scope);
    let records = if *stream == ORGANIZATIONS {
        organizations(client.clone(), Arc::clone(scope))
    } else {
        pipelines(client.clone(), Arc::clone(scope))
    };
    let records: Vec<_> = records.try_collect().await?;
    let requests = probe.requests() - before;
    let comparisons = replica.compare(records.clone()).await?;
    let mut ids = BTreeSet::new();
    let mut unsynced = 0;
    for (record, comparison) in records.iter().zip(comparisons) {
        let named: Named = record.data.read()?;
        unsynced += note(stream, &named, comparison, sweeps, report);
        ids.insert(named.id);
    }
    let has_all = *stream == PIPELINES && scope.selected(client).await?.is_none();
    if has_all {
        let organizations = scope.organizations(client).await?;
        report_removed(replica, stream, &ids, &organizations, report).await?;
    }
    let count = records.len() as u64;
    report.compared(sentence(stream, count, requests, unsynced));
    Ok(())
}

fn sentence(stream: &StreamName, records: u64, requests: u64, unsynced: u64) -> String {
    let mut sentence = format!(
        "{stream}: {} by their content, with {}",
        some(records, "record"),
        some(requests, "request")
    );
    if *stream == PIPELINES {
        sentence += &format!(
            "; ignored, because they change all the time: {}",
            COUNTERS.join(", ")
        );
    }
    if unsynced > 0 {
        sentence += &format!("; {} not synced yet", some(unsynced, "new or renamed one"));
    }
    sentence
}

/// Returns how many records are too new to be in the copy.
fn note(
    stream: &StreamName,
    named: &Named,
    comparison: Comparison,
    sweeps: &[SweepState],
    report: &mut Report,
) -> u64 {
    let at = named.place();
    match comparison {
        Comparison::Same => 0,
        _ if named.is_new(sweeps) => 1,
        Comparison::Absent => {
            let message = "is not in the copy".to_owned();
            report.found(FindingKind::Missing, stream.as_str(), at, message);
            0
        }
        Comparison::Differs(mut fields) => {
            fields.retain(|field| !COUNTERS.contains(&field.as_str()));
            if !fields.is_empty() {
                let message = format!(
                    "Buildkite has other values, perhaps since the last sync: {}",
                    fields.join(", ")
                );
                report.found(FindingKind::Stale, stream.as_str(), at, message);
            }
            0
        }
    }
}

/// Rows of organizations that were read whole, whose pipelines Buildkite no longer has.
async fn report_removed(
    replica: &dyn Replica,
    stream: &StreamName,
    ids: &BTreeSet<String>,
    organizations: &[String],
    report: &mut Report,
) -> Result<()> {
    let mut rows = replica.rows(stream, &["id", "slug", "organization_slug"]);
    while let Some(row) = rows.try_next().await? {
        let [Value::String(id), slug, Value::String(organization)] = &row[..] else {
            continue;
        };
        if organizations.contains(organization) && !ids.contains(id) {
            let at = format!("{organization}/{}", slug.as_str().unwrap_or(id));
            let message = "no longer at Buildkite, or hidden from the token; kept here".to_owned();
            report.found(FindingKind::Removed, stream.as_str(), at, message);
        }
    }
    Ok(())
}

impl Named {
    fn place(&self) -> String {
        let slug = self.slug.as_ref().unwrap_or(&self.id);
        match &self.organization_slug {
            Some(organization) => format!("{organization}/{slug}"),
            None => slug.clone(),
        }
    }

    /// Whether it was created, became visible or got its slug after the last sync of builds.
    fn is_new(&self, sweeps: &[SweepState]) -> bool {
        let created_at = self.created_at.as_deref().and_then(Timestamp::parse);
        let slug = self.slug.as_deref();
        let Some(organization) = self.organization_slug.as_deref().or(slug) else {
            return false;
        };
        let pipeline = slug.map(|slug| PipelineRef {
            id: self.id.clone(),
            slug: slug.to_owned(),
        });
        let coverage = sweeps.iter().find_map(|sweep| {
            let of_pipeline = sweep.coverage(organization, pipeline.as_ref());
            of_pipeline.or_else(|| sweep.coverage(organization, None))
        });
        coverage.is_some_and(|coverage| {
            let is_later = created_at.is_some_and(|created| created.at > coverage.synced);
            let is_pipeline = self.organization_slug.is_some();
            let known = coverage.pipelines.get(&self.id).map(String::as_str);
            let is_unknown = known != slug;
            is_later || is_pipeline && is_unknown
        })
    }
}
