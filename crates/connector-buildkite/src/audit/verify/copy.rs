//! The rows of `builds`, read once. Little of each is kept.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use buildkite_client::Timestamp;
use connector_core::{Replica, Result};
use futures::stream::TryStreamExt;
use serde_json::Value;

use super::partition::{AuditedPartition, Row};
use super::report::{Report, some};
use crate::source::state::OpenBuild;
use crate::source::sweep::build::ReadBuild;
use crate::streams::{BUILDS, TERMINAL_STATES};

/// What is read of a row, in the order of [`Fields`].
const FIELDS: [&str; 9] = [
    "id",
    "number",
    "state",
    "blocked",
    "finished_at",
    "created_at",
    "organization_slug",
    "pipeline_slug",
    "pipeline_id",
];

/// What the copy holds, except the rows, which are in their partitions.
#[derive(Debug, Default)]
pub(super) struct Copy {
    pub(super) pipelines: Pipelines,
    /// Rows whose build can still change according to the copy.
    pub(super) open: Vec<OpenRow>,
    /// All builds, if jobs are to be compared too.
    pub(super) builds: HashSet<Fingerprint>,
}

/// A row whose build is not finished.
#[derive(Debug)]
pub(super) struct OpenRow {
    /// The partition it belongs to: `acme`, `acme/web`; empty for none that is read.
    pub(super) partition: String,
    pub(super) id: String,
    /// `running`, or `blocked`.
    pub(super) state: String,
    pub(super) build: OpenBuild,
    pub(super) pipeline: u32,
}

/// Pipelines, each with its index.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    /// By id, or by `acme/web` if a row has none.
    places: HashMap<String, u32>,
    /// `acme/web`.
    names: Vec<String>,
}

/// An id in 16 bytes. Two ids of one copy will hardly ever share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64, u64);

impl Copy {
    /// Reads all rows, and puts each into the partition that it belongs to.
    pub(super) async fn read(
        replica: &dyn Replica,
        partitions: &mut [AuditedPartition],
        keeps_ids: bool,
        report: &mut Report,
    ) -> Result<Self> {
        let mut copy = Self::default();
        let (mut read, mut others, mut unusable) = (0, 0, 0);
        let mut rows = replica.rows(&BUILDS.into(), &FIELDS);
        while let Some(row) = rows.try_next().await? {
            read += 1;
            let Some(fields) = Fields::of(&row) else {
                unusable += 1;
                continue;
            };
            if keeps_ids {
                copy.builds.insert(Fingerprint::of(fields.id));
            }
            let mut partitions = partitions.iter_mut();
            match partitions.find(|partition| fields.is_of(partition)) {
                Some(partition) => copy.enter(&fields, partition),
                None => {
                    others += 1;
                    copy.enter_open(&fields, String::new());
                }
            }
        }
        for partition in partitions {
            partition
                .rows
                .sort_unstable_by_key(|row| (row.at, row.pipeline, row.number));
        }
        let mut sentence = format!("builds: the copy has {}", some(read, "row"));
        if others > 0 {
            sentence += &format!(", {others} of them of other organizations or pipelines");
        }
        if unusable > 0 {
            sentence += &format!(", {unusable} without a usable id, number or created_at");
        }
        report.compared(sentence);
        Ok(copy)
    }

    fn enter(&mut self, fields: &Fields<'_>, partition: &mut AuditedPartition) {
        let pipeline = self.place(fields);
        partition.rows.push(Row {
            at: fields.created_at.at.timestamp_millis(),
            number: fields.number,
            pipeline,
        });
        self.enter_open(fields, partition.key.clone());
    }

    fn place(&mut self, fields: &Fields<'_>) -> u32 {
        let name = format!("{}/{}", fields.organization, fields.pipeline);
        self.pipelines.place(fields.pipeline_id, name)
    }

    /// Keeps a row whose build is not finished.
    fn enter_open(&mut self, fields: &Fields<'_>, partition: String) {
        if let Some(state) = fields.open_state() {
            let place = self.place(fields);
            self.open.push(OpenRow {
                partition,
                id: fields.id.to_owned(),
                state: state.to_owned(),
                build: OpenBuild {
                    pipeline: fields.pipeline_id.unwrap_or(fields.pipeline).to_owned(),
                    number: fields.number,
                    created_at: fields.created_at.at,
                    jobs: Vec::new(),
                },
                pipeline: place,
            });
        }
    }
}

impl Pipelines {
    /// `acme/web`.
    pub(super) fn name(&self, place: u32) -> &str {
        &self.names[place as usize]
    }

    /// `acme/web #12`.
    pub(super) fn build(&self, place: u32, number: u64) -> String {
        format!("{} #{number}", self.name(place))
    }

    /// The pipeline of a build of the API.
    pub(super) fn of(&mut self, organization: &str, build: &ReadBuild) -> u32 {
        let name = format!("{organization}/{}", build.pipeline_slug);
        let id = build.pipeline_id.as_deref();
        let id = id.filter(|id| self.places.contains_key(*id) || !self.places.contains_key(&name));
        self.place(id, name)
    }

    fn place(&mut self, id: Option<&str>, name: String) -> u32 {
        let key = id.unwrap_or(&name);
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.places.insert(key.to_owned(), place);
        self.names.push(name);
        place
    }
}

impl Fingerprint {
    pub(super) fn of(id: &str) -> Self {
        let hash = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, id).hash(&mut hasher);
            hasher.finish()
        };
        Self(hash(0), hash(1))
    }
}

/// A row, with its fields by name.
struct Fields<'a> {
    id: &'a str,
    number: u64,
    state: &'a str,
    is_blocked: bool,
    has_end: bool,
    created_at: Timestamp,
    organization: &'a str,
    pipeline: &'a str,
    pipeline_id: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn of(row: &'a [Value]) -> Option<Self> {
        let [
            id,
            number,
            state,
            blocked,
            finished,
            created,
            organization,
            pipeline,
            pipeline_id,
        ] = row
        else {
            return None;
        };
        Some(Self {
            id: id.as_str()?,
            number: number.as_u64()?,
            state: state.as_str().unwrap_or_default(),
            is_blocked: blocked.as_bool().unwrap_or(blocked.as_i64() == Some(1)),
            has_end: finished.is_string(),
            created_at: Timestamp::parse(created.as_str()?)?,
            organization: organization.as_str().unwrap_or_default(),
            pipeline: pipeline.as_str().unwrap_or_default(),
            pipeline_id: pipeline_id.as_str(),
        })
    }

    fn is_of(&self, partition: &AuditedPartition) -> bool {
        let listing = &partition.listing;
        let is_of_pipeline = match &listing.pipeline {
            None => true,
            Some(_) if self.pipeline_id.is_some() && partition.pipeline_id.is_some() => {
                self.pipeline_id == partition.pipeline_id.as_deref()
            }
            Some(slug) => self.pipeline == slug,
        };
        listing.organization == self.organization && is_of_pipeline
    }

    /// The state, if the build can still change by itself.
    fn open_state(&self) -> Option<&'a str> {
        if self.is_blocked {
            return (!self.has_end).then_some("blocked");
        }
        (!TERMINAL_STATES.contains(&self.state)).then_some(self.state)
    }
}
