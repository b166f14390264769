//! What hangs off the builds and jobs of a seed, worked out when it is asked for.
//!
//! It follows from the seed and from the ids of build and job alone, so it is the same however
//! often it is asked for, and a retried job has its own. Jobs that never started have nothing.

mod annotations;
mod artifacts;
mod logs;
mod tests;
mod uploads;

use serde_json::{Value, json};

pub(crate) use artifacts::artifact_content;

use crate::address::BuildUrls;
use crate::document::{BuildDocument, Document};
use crate::rng::Rng;

/// One build of the seed as the parent of its collections.
pub(crate) struct BuildChildren<'a> {
    pub(crate) seed: u64,
    pub(crate) organization: &'a str,
    pub(crate) pipeline: &'a str,
    pub(crate) build: &'a BuildDocument,
}

/// An object, and its job if it belongs to one.
pub(super) type Child = (Option<String>, Document);

impl BuildChildren<'_> {
    /// The objects of a collection; none if it is not one of builds.
    pub(crate) fn of(&self, collection: &str) -> Vec<Child> {
        match collection {
            "artifacts" => self.artifacts(),
            "annotations" => self.annotations(),
            "job_logs" => self.each_job(|job| self.log(job)),
            "job_environments" => self.each_job(|job| self.environment(job)),
            "step_uploads" => self.step_uploads(),
            "build_tests" => self.tests(),
            _ => Vec::new(),
        }
    }

    /// One object of each job that has started.
    fn each_job(&self, object: impl Fn(&Document) -> Value) -> Vec<Child> {
        let jobs = self.started_jobs();
        jobs.map(|job| (job.text("id"), Document::from(object(job))))
            .collect()
    }

    /// The commands that agents took.
    fn started_jobs(&self) -> impl Iterator<Item = &Document> {
        self.build.jobs().iter().filter(|job| {
            job.text("type").as_deref() == Some("script") && job.text("started_at").is_some()
        })
    }

    /// The address of the build on the API.
    fn url(&self) -> String {
        let number = self.build.get("number").as_u64().unwrap_or(0);
        BuildUrls::new(self.organization, self.pipeline, number).url
    }

    /// The id of the build.
    fn id(&self) -> String {
        self.build.fields().text("id").unwrap_or_default()
    }

    /// Rng of an object and a purpose.
    fn rng(&self, purpose: u64, id: &str) -> Rng {
        Rng::of(&[self.seed, purpose, number_of(id)])
    }

    /// `GET …/env`
    fn environment(&self, job: &Document) -> Value {
        let text = |key| self.build.fields().text(key).unwrap_or_default();
        json!({"env": {
            "CI": "true",
            "BUILDKITE": "true",
            "BUILDKITE_BRANCH": text("branch"),
            "BUILDKITE_BUILD_ID": self.id(),
            "BUILDKITE_BUILD_NUMBER": self.build.get("number").to_string(),
            "BUILDKITE_COMMIT": text("commit"),
            "BUILDKITE_COMMAND": job.text("command").unwrap_or_default(),
            "BUILDKITE_JOB_ID": job.text("id").unwrap_or_default(),
            "BUILDKITE_LABEL": job.text("name").unwrap_or_default(),
            "BUILDKITE_MESSAGE": text("message"),
            "BUILDKITE_ORGANIZATION_SLUG": self.organization,
            "BUILDKITE_PIPELINE_SLUG": self.pipeline,
            "BUILDKITE_RETRY_COUNT": job.get("retries_count").as_u64().unwrap_or(0).to_string(),
            "BUILDKITE_SOURCE": text("source"),
        }})
    }
}

/// A number that follows from an id (FNV-1a).
fn number_of(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
