//! What the host says is open in the copy: rows whose build may be gone without a trace in the
//! state.

use std::collections::{BTreeMap, HashMap};

use buildkite_client::Timestamp;
use connector_core::StreamName;
use serde_json::Value;

use super::coverage::OpenBuild;
use crate::source::scope::PipelineRef;
use crate::streams::{BUILDS, JOBS, OPEN_BUILD_FIELDS, OPEN_JOB_FIELDS};

/// Builds that are open in the copy, by organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OpenRowsOfCopy(BTreeMap<String, Vec<OpenRow>>);

/// A row whose build can still change according to the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OpenRow {
    id: String,
    /// Slug of its pipeline when it was read.
    slug: String,
    build: OpenBuild,
}

impl OpenRowsOfCopy {
    /// Rows as a request carries them; what cannot be read is left out.
    pub(crate) fn new(rows: &BTreeMap<StreamName, Vec<Vec<Value>>>) -> Self {
        let of = |stream: &str| rows.iter().find(|(name, _)| *name == stream);
        let mut jobs: HashMap<&str, Vec<String>> = HashMap::new();
        for row in of(JOBS).into_iter().flat_map(|(_, rows)| rows) {
            if let Some([id, build]) = texts::<{ OPEN_JOB_FIELDS.len() }>(row) {
                jobs.entry(build).or_default().push(id.to_owned());
            }
        }
        let mut open = Self::default();
        for row in of(BUILDS).into_iter().flat_map(|(_, rows)| rows) {
            let Some((organization, mut row)) = OpenRow::of(row) else {
                continue;
            };
            row.build.jobs = jobs.remove(row.id.as_str()).unwrap_or_default();
            open.0.entry(organization).or_default().push(row);
        }
        open
    }

    /// Those of an organization, or of one of its pipelines.
    pub(super) fn of(
        &self,
        organization: &str,
        pipeline: Option<&PipelineRef>,
    ) -> BTreeMap<String, OpenBuild> {
        let rows = self.0.get(organization).into_iter().flatten();
        let is_of = |row: &&OpenRow| {
            pipeline.is_none_or(|one| row.slug == one.slug || row.build.pipeline == one.id)
        };
        let rows = rows.filter(is_of);
        rows.map(|row| (row.id.clone(), row.build.clone()))
            .collect()
    }

    /// The organizations that have any.
    pub(super) fn organizations(&self) -> impl Iterator<Item = String> {
        self.0.keys().cloned()
    }
}

impl OpenRow {
    /// A row of `builds`, and the slug of its organization.
    fn of(row: &[Value]) -> Option<(String, Self)> {
        let [id, number, created_at, organization, slug, pipeline] = row else {
            return None;
        };
        const { assert!(OPEN_BUILD_FIELDS.len() == 6) };
        let slug = slug.as_str()?;
        let build = OpenBuild {
            pipeline: pipeline.as_str().unwrap_or(slug).to_owned(),
            number: number.as_u64()?,
            created_at: Timestamp::parse(created_at.as_str()?)?.at,
            jobs: Vec::new(),
        };
        let row = Self {
            id: id.as_str()?.to_owned(),
            slug: slug.to_owned(),
            build,
        };
        Some((organization.as_str()?.to_owned(), row))
    }
}

fn texts<const N: usize>(row: &[Value]) -> Option<[&str; N]> {
    let texts: Option<Vec<_>> = row.iter().map(Value::as_str).collect();
    texts?.try_into().ok()
}
