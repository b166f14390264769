//! The objects in the path of a list, checked from left to right.

use super::params::Params;
use super::{Call, Reply};
use crate::document::Document;
use crate::world::Build;

/// Keys of paths, the collection and field that they name, and the noun for a 404.
const PARENTS: [(&str, &str, &str, &str); 6] = [
    ("cluster_id", "clusters", "id", "cluster"),
    ("team_id", "teams", "id", "team"),
    ("suite_slug", "test_suites", "slug", "suite"),
    ("run_id", "test_runs", "id", "run"),
    ("registry_slug", "registries", "slug", "registry"),
    (
        "connection_id",
        "repository_connections",
        "id",
        "repository connection",
    ),
];

/// The objects in a path.
pub(super) struct PathObjects<'a> {
    /// The keys and values of the path, as collections store parents.
    pub(super) parents: Vec<(String, String)>,
    /// The build, if the path names a build or a job.
    pub(super) build: Option<&'a Build>,
    /// The job.
    pub(super) job: Option<Document>,
}

impl<'a> PathObjects<'a> {
    /// Looks up all objects in a path.
    pub(super) fn find(call: &'a Call<'_>, params: &Params<'_>) -> Result<Self, Reply> {
        let mut place = Self {
            parents: Vec::new(),
            build: None,
            job: None,
        };
        for (key, value) in params.iter() {
            place.step(call, key, value)?;
            place.parents.push((key.to_owned(), value.to_owned()));
        }
        Ok(place)
    }

    fn step(&mut self, call: &'a Call<'_>, key: &str, value: &str) -> Result<(), Reply> {
        let organization = self.parent("organization_slug");
        match key {
            "organization_slug" => {
                call.organization(value)?;
            }
            "pipeline_slug" => {
                call.pipeline([organization, value])?;
            }
            "build_number" => {
                let path = [organization, self.parent("pipeline_slug"), value];
                self.build = Some(call.build(path)?);
            }
            "build_id" => self.build = Some(build_by_id(call, organization, value)?),
            "job_id" => self.find_job(call, value)?,
            _ => self.find_parent(call, key, value)?,
        }
        Ok(())
    }

    fn find_job(&mut self, call: &'a Call<'_>, id: &str) -> Result<(), Reply> {
        let missing = || Reply::error(404, "No job found");
        if self.build.is_none() {
            let owner = call.organization(self.parent("organization_slug"))?;
            let build = call.world.build_of_job(owner, id);
            self.build = build.filter(|build| call.sees(build.summary.pipeline));
        }
        let build = self.build.ok_or_else(missing)?;
        let jobs = call.world.document(build);
        let mut jobs = jobs.jobs().iter();
        let job = jobs.find(|job| job.text("id").as_deref() == Some(id));
        self.job = Some(job.ok_or_else(missing)?.clone());
        Ok(())
    }

    fn find_parent(&self, call: &Call<'_>, key: &str, value: &str) -> Result<(), Reply> {
        let Some((_, collection, field, noun)) = PARENTS.iter().find(|(name, ..)| *name == key)
        else {
            return Ok(());
        };
        let known = call.world.at(collection, &self.parents);
        let found = known
            .iter()
            .any(|entry| entry.object.text(field).as_deref() == Some(value));
        if found { Ok(()) } else { Err(missing(noun)) }
    }

    /// The value of a key; empty if the path has no such key.
    pub(super) fn parent(&self, key: &str) -> &str {
        let mut parents = self.parents.iter();
        let parent = parents.find(|(name, _)| name == key);
        parent.map_or("", |(_, value)| value)
    }
}

/// 404 for an object.
pub(super) fn missing(noun: &str) -> Reply {
    Reply::error(404, &format!("No {noun} found"))
}

fn build_by_id<'a>(call: &'a Call<'_>, organization: &str, id: &str) -> Result<&'a Build, Reply> {
    let owner = call.organization(organization)?;
    let build = call.world.build_by_id(id).filter(|build| {
        let at = build.summary.pipeline;
        call.world.pipelines[at].organization == owner && call.sees(at)
    });
    build.ok_or_else(|| missing("build"))
}
