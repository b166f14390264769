//! The objects of a build and its jobs: derived from the seed, or stored.

use super::super::{Body, Build, World};
use super::{Entry, Kind};
use crate::seed::BuildChildren;

impl World {
    /// Everything that a collection holds for a build and its jobs, in the order of the API.
    pub(crate) fn of_build(&self, collection: &str, build: &Build) -> Vec<Entry> {
        let kind = Kind::of(collection);
        let mut entries = self.worked_out(collection, build, &kind);
        let of_build = self
            .stored(collection)
            .iter()
            .filter(|entry| self.is_of(entry, build));
        for entry in of_build {
            let identity = entry.identity(&kind);
            let is_same = |other: &Entry| identity.is_some() && other.identity(&kind) == identity;
            match entries.iter().position(is_same) {
                Some(at) => entries[at] = entry.clone(),
                None => entries.push(entry.clone()),
            }
        }
        entries
    }

    /// The objects that follow from the build: all of a seeded build, logs and environments of one
    /// that was created over the API.
    fn worked_out(&self, collection: &str, build: &Build, kind: &Kind) -> Vec<Entry> {
        let is_of_jobs = matches!(collection, "job_logs" | "job_environments");
        let is_derived = build.origin.is_some() || (build.has_logs && is_of_jobs);
        if !is_derived {
            return Vec::new();
        }
        let pipeline = &self.pipelines[build.summary.pipeline];
        let document = self.document(build);
        let children = BuildChildren {
            seed: self.seeded.seed,
            organization: &self.organizations[pipeline.organization].slug,
            pipeline: &pipeline.slug,
            build: &document,
        };
        let number = build.summary.number.to_string();
        let parents = [
            ("organization_slug", children.organization),
            ("pipeline_slug", children.pipeline),
            ("build_id", &*build.summary.id),
            ("build_number", &number),
        ];
        let objects = children.of(collection).into_iter();
        objects
            .map(|(job, object)| {
                let mut entry = Entry::new(&parents, object);
                entry
                    .parents
                    .extend(job.map(|job| ("job_id".to_owned(), job)));
                entry
            })
            .filter(|entry| !self.collections.is_gone(collection, entry, kind))
            .collect()
    }

    /// True if all parents of the object are those of the build.
    fn is_of(&self, entry: &Entry, build: &Build) -> bool {
        let pipeline = &self.pipelines[build.summary.pipeline];
        let organization = &self.organizations[pipeline.organization].slug;
        let mut is_named = false;
        let agrees = entry.parents.iter().all(|(key, value)| match key.as_str() {
            "organization_slug" => value == organization,
            "pipeline_slug" => *value == pipeline.slug,
            "build_number" => {
                is_named = true;
                value.parse() == Ok(build.summary.number)
            }
            "build_id" => {
                is_named = true;
                **value == *build.summary.id
            }
            "job_id" => {
                is_named || {
                    is_named = true;
                    self.has_job(build, value)
                }
            }
            _ => true,
        });
        agrees && is_named
    }

    /// The build with this id.
    pub(crate) fn build_by_id(&self, id: &str) -> Option<&Build> {
        self.position(id).map(|at| &self.builds[at])
    }

    /// The build in an organization that has the job.
    pub(crate) fn build_of_job(&self, organization: usize, job: &str) -> Option<&Build> {
        self.builds.iter().find(|build| {
            let owner = self.pipelines[build.summary.pipeline].organization;
            // Ids of jobs of the seed begin with the moment their build was made.
            let is_possible = matches!(build.body, Body::Stored(_))
                || job.get(..13) == build.summary.id.get(..13);
            owner == organization && is_possible && self.has_job(build, job)
        })
    }
}
