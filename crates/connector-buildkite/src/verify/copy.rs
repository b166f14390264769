//! One look over all rows of `builds`, of which little is kept.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use buildkite_client::Timestamp;
use connector_core::{Replica, Result};
use futures::stream::TryStreamExt;
use serde_json::Value;

use super::part::{Part, Row};
use super::report::{Report, some};
use crate::pass::found::{Found, TERMINAL};
use crate::state::OpenBuild;
use crate::streams::BUILDS;

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

/// What the copy holds, but for the rows, which are in their parts.
#[derive(Debug, Default)]
pub(super) struct Copy {
    pub(super) pipelines: Pipelines,
    /// Rows that say that their build can still change.
    pub(super) open: Vec<OpenRow>,
    /// All builds, if jobs are to be compared too.
    pub(super) builds: HashSet<Fingerprint>,
}

/// A row whose build is not finished.
#[derive(Debug)]
pub(super) struct OpenRow {
    /// Which part it belongs to: `acme`, `acme/web`.
    pub(super) part: String,
    pub(super) id: String,
    /// `running`, or `blocked`.
    pub(super) state: String,
    pub(super) build: OpenBuild,
    pub(super) pipeline: u32,
}

/// Pipelines, each with its place.
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
    /// Reads all rows, and puts each into the part that it belongs to.
    pub(super) async fn read(
        replica: &dyn Replica,
        parts: &mut [Part],
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
            match parts.iter_mut().find(|part| fields.is_of(part)) {
                Some(part) => copy.enter(&fields, part),
                None => others += 1,
            }
        }
        drop(rows);
        for part in parts {
            part.rows
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

    fn enter(&mut self, fields: &Fields<'_>, part: &mut Part) {
        let name = format!("{}/{}", fields.organization, fields.pipeline);
        let pipeline = self.pipelines.place(fields.pipeline_id, name);
        part.rows.push(Row {
            at: fields.created_at.at.timestamp_millis(),
            number: fields.number,
            pipeline,
        });
        if let Some(state) = fields.open_state() {
            self.open.push(OpenRow {
                part: part.key.clone(),
                id: fields.id.to_owned(),
                state: state.to_owned(),
                build: OpenBuild {
                    pipeline: fields.pipeline_id.unwrap_or(fields.pipeline).to_owned(),
                    number: fields.number,
                    created_at: fields.created_at.at,
                },
                pipeline,
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
    pub(super) fn of(&mut self, organization: &str, found: &Found) -> u32 {
        let name = format!("{organization}/{}", found.pipeline_slug);
        let id = found.pipeline_id.as_deref();
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

    fn is_of(&self, part: &Part) -> bool {
        let lists = &part.lists;
        let is_of_pipeline = match &lists.pipeline {
            None => true,
            Some(_) if self.pipeline_id.is_some() && part.pipeline_id.is_some() => {
                self.pipeline_id == part.pipeline_id.as_deref()
            }
            Some(slug) => self.pipeline == slug,
        };
        lists.organization == self.organization && is_of_pipeline
    }

    /// The state, if the build can still change by itself.
    fn open_state(&self) -> Option<&'a str> {
        match self.is_blocked {
            true => (!self.has_end).then_some("blocked"),
            false => (!TERMINAL.contains(&self.state)).then_some(self.state),
        }
    }
}
