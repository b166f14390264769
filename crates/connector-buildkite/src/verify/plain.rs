//! Streams that are short lists: organizations and pipelines are compared whole.

use std::collections::BTreeSet;

use buildkite_client::Timestamp;
use connector_core::{Comparison, FindingKind, Record, Replica, Result, StreamName};
use futures::stream::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;

use super::report::{Report, some};
use crate::inquiry::Inquiry;
use crate::pipelines::pipelines_of;
use crate::scope::{Identified, Selected};
use crate::state::PassState;
use crate::streams::{ORGANIZATIONS, PIPELINES, organization_record, pipeline_record};

/// Counters of a pipeline that change all the time (API facts 22.14).
const COUNTERS: [&str; 5] = [
    "scheduled_builds_count",
    "running_builds_count",
    "scheduled_jobs_count",
    "running_jobs_count",
    "waiting_jobs_count",
];

/// What is needed to say which record it is.
#[derive(Deserialize)]
struct Named {
    id: String,
    slug: Option<String>,
    organization_slug: Option<String>,
    created_at: Option<String>,
}

/// Compares all records of a stream.
pub(super) async fn compare(
    inquiry: &Inquiry,
    passes: &[PassState],
    replica: &dyn Replica,
    stream: &StreamName,
    report: &mut Report,
) -> Result<()> {
    let before = inquiry.asked();
    let (records, read_whole) = match stream.as_str() {
        ORGANIZATIONS => (organizations(inquiry).await?, Vec::new()),
        _ => pipelines(inquiry).await?,
    };
    let comparisons = replica.compare(records.clone()).await?;
    let mut ids = BTreeSet::new();
    let mut unsynced = 0;
    for (record, comparison) in records.iter().zip(comparisons) {
        let named: Named = record.data.read()?;
        unsynced += note(stream, &named, comparison, passes, report);
        ids.insert(named.id);
    }
    tell_gone(replica, stream, &ids, &read_whole, report).await?;
    let mut sentence = format!(
        "{stream}: {} by their content, with {}",
        some(records.len() as u64, "record"),
        some(inquiry.asked() - before, "request")
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
    report.compared(sentence);
    Ok(())
}

async fn organizations(inquiry: &Inquiry) -> Result<Vec<Record>> {
    let objects = inquiry.scope.organization_objects(&inquiry.client).await?;
    objects
        .iter()
        .map(|named| organization_record(&named.raw))
        .collect()
}

/// The pipelines, and the organizations of which these are all.
async fn pipelines(inquiry: &Inquiry) -> Result<(Vec<Record>, Vec<String>)> {
    let Inquiry { client, scope, .. } = inquiry;
    if let Some(selected) = scope.selected(client).await? {
        let record = |s: &Selected| pipeline_record(&s.pipeline.raw, &s.organization);
        let records: Result<_> = selected.iter().map(record).collect();
        return Ok((records?, Vec::new()));
    }
    let organizations = scope.organizations(client).await?;
    let mut records = Vec::new();
    for organization in &organizations {
        let list = pipelines_of(client, scope, organization.clone());
        records.extend(list.try_collect::<Vec<_>>().await?);
    }
    Ok((records, organizations))
}

/// Returns how many records are too new to be in the copy.
fn note(
    stream: &StreamName,
    named: &Named,
    comparison: Comparison,
    passes: &[PassState],
    report: &mut Report,
) -> u64 {
    let at = named.place();
    match comparison {
        Comparison::Same => 0,
        _ if named.is_new(passes) => 1,
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

/// Rows of organizations that were read whole, and that Buildkite has no more.
async fn tell_gone(
    replica: &dyn Replica,
    stream: &StreamName,
    ids: &BTreeSet<String>,
    organizations: &[String],
    report: &mut Report,
) -> Result<()> {
    if organizations.is_empty() {
        return Ok(());
    }
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

    /// Whether it was created, came into sight or got its slug after the last sync of builds.
    fn is_new(&self, passes: &[PassState]) -> bool {
        let created_at = self.created_at.as_deref().and_then(Timestamp::parse);
        let slug = self.slug.as_deref();
        let Some(organization) = self.organization_slug.as_deref().or(slug) else {
            return false;
        };
        let pipeline = slug.map(|slug| Identified {
            id: self.id.clone(),
            slug: slug.to_owned(),
        });
        let coverage = passes.iter().find_map(|pass| {
            let of_pipeline = pass.coverage(organization, pipeline.as_ref());
            of_pipeline.or_else(|| pass.coverage(organization, None))
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
