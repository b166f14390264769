//! What rows of jobs refer to: the attempts before and after a retry, and the build.
//!
//! Nothing is requested. The rows are read twice, so that only references are kept, and not all
//! jobs.

use std::collections::HashMap;

use connector_core::{Comparison, FindingKind, Replica, Result};
use futures::stream::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;

use super::copy::{Copy, Fingerprint};
use super::partition::AuditedPartition;
use super::report::{Report, some};
use crate::streams::{BUILDS, JOBS, removed};

/// What is read of a row, in the order of [`Fields`].
const FIELDS: [&str; 7] = [
    "id",
    "retried_in_job_id",
    "retry_source",
    "build_id",
    "organization_slug",
    "pipeline_slug",
    "build_number",
];

/// Compares the rows of `jobs` with each other, and with those of `builds` if there are any.
pub(super) async fn compare(
    replica: &dyn Replica,
    partitions: &[AuditedPartition],
    copy: Option<&Copy>,
    report: &mut Report,
) -> Result<()> {
    let mut seen = Seen::default();
    let mut rows = replica.rows(&JOBS.into(), &FIELDS);
    while let Some(row) = rows.try_next().await? {
        if let Some(fields) = Fields::of(&row).filter(|fields| fields.is_of_any(partitions)) {
            seen.enter(&fields, copy);
        }
    }
    let references = seen.attempts.len() as u64;
    let mut rows = replica.rows(&JOBS.into(), &["id"]);
    while !seen.attempts.is_empty()
        && let Some(row) = rows.try_next().await?
    {
        if let Some(id) = row.first().and_then(Value::as_str) {
            seen.attempts.remove(&Fingerprint::of(id));
        }
    }
    report.compared(format!(
        "jobs: {} and the {} that they refer to, without a request",
        some(seen.rows, "row"),
        some(references, "other attempt")
    ));
    for (id, at) in seen.attempts.into_values() {
        let message = format!("the attempt {id}, which another one refers to, is not in the copy");
        report.found(FindingKind::Missing, JOBS, at, message);
    }
    report_missing_builds(replica, seen.builds, report).await
}

/// What the rows refer to.
#[derive(Default)]
struct Seen {
    rows: u64,
    /// Attempts, each with its id and place.
    attempts: HashMap<Fingerprint, (String, String)>,
    /// Places of builds that have jobs and no row, by id.
    builds: HashMap<String, String>,
}

impl Seen {
    fn enter(&mut self, fields: &Fields<'_>, copy: Option<&Copy>) {
        self.rows += 1;
        let before = fields.retry_source.as_ref().and_then(job_id);
        for id in [fields.retried_in.map(str::to_owned), before]
            .into_iter()
            .flatten()
        {
            let attempt = self.attempts.entry(Fingerprint::of(&id));
            attempt.or_insert_with(|| (id, fields.place()));
        }
        if let (Some(copy), Some(build)) = (copy, fields.build)
            && !copy.builds.contains(&Fingerprint::of(build))
            && !self.builds.contains_key(build)
        {
            self.builds.insert(build.to_owned(), fields.place());
        }
    }
}

/// A build that is marked as removed has a row too, though `rows` leaves it out.
async fn report_missing_builds(
    replica: &dyn Replica,
    builds: HashMap<String, String>,
    report: &mut Report,
) -> Result<()> {
    let (ids, places): (Vec<_>, Vec<_>) = builds.into_iter().unzip();
    let record = |id: &String| removed(BUILDS.into(), id, "");
    let comparisons = replica.compare(ids.iter().map(record).collect()).await?;
    let absent = places
        .into_iter()
        .zip(comparisons)
        .filter(|(_, comparison)| *comparison == Comparison::Absent);
    for (at, _) in absent {
        let message = "its jobs are in the copy, the build is not".to_owned();
        report.found(FindingKind::Missing, BUILDS, at, message);
    }
    Ok(())
}

/// A row, with its fields by name.
struct Fields<'a> {
    retried_in: Option<&'a str>,
    retry_source: Option<Value>,
    build: Option<&'a str>,
    organization: &'a str,
    pipeline: &'a str,
    number: u64,
}

impl<'a> Fields<'a> {
    fn of(row: &'a [Value]) -> Option<Self> {
        let [
            _,
            retried_in,
            retry_source,
            build,
            organization,
            pipeline,
            number,
        ] = row
        else {
            return None;
        };
        Some(Self {
            retried_in: retried_in.as_str(),
            retry_source: object(retry_source),
            build: build.as_str(),
            organization: organization.as_str().unwrap_or_default(),
            pipeline: pipeline.as_str().unwrap_or_default(),
            number: number.as_u64().unwrap_or_default(),
        })
    }

    fn is_of_any(&self, partitions: &[AuditedPartition]) -> bool {
        let is_of = |partition: &AuditedPartition| {
            let listing = &partition.listing;
            let slug = listing.pipeline.as_deref();
            listing.organization == self.organization
                && slug.is_none_or(|slug| slug == self.pipeline)
        };
        partitions.iter().any(is_of)
    }

    /// `acme/web #12`.
    fn place(&self) -> String {
        format!("{}/{} #{}", self.organization, self.pipeline, self.number)
    }
}

/// An object. Some destinations keep it as a text.
fn object(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Object(_) => Some(value.clone()),
        _ => None,
    }
}

fn job_id(retry_source: &Value) -> Option<String> {
    #[derive(Deserialize)]
    struct Source {
        job_id: String,
    }
    let source = Source::deserialize(retry_source).ok()?;
    Some(source.job_id)
}
