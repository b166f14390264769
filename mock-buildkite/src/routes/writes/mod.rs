//! The writes: everything that changes builds, jobs, annotations and pipelines over the API.
//!
//! Texts of refusals that no source gives are inferred, and marked so where they stand.

mod admission;
pub(super) mod agents;
pub(super) mod annotations;
mod body;
pub(super) mod builds;
pub(super) mod cache_registries;
pub(super) mod cluster_queues;
pub(super) mod cluster_secrets;
pub(super) mod clusters;
pub(super) mod hosted_agents;
pub(super) mod job_parts;
pub(super) mod jobs;
pub(super) mod maintainers;
pub(super) mod objects;
pub(super) mod organization_settings;
pub(super) mod organizations;
pub(super) mod package_uploads;
pub(super) mod pipeline_lists;
pub(super) mod pipelines;
pub(super) mod registries;
pub(super) mod services;
pub(super) mod teams;
pub(super) mod test_engine;

use super::{Call, Outcome, Reply};
pub(crate) use package_uploads::{UPLOADS, keep_upload};

impl Call<'_> {
    /// Refuses a user who may only read a pipeline, given its index.
    fn may_write(&self, pipeline: usize) -> Result<(), Reply> {
        self.writes(pipeline).then_some(()).ok_or_else(not_allowed)
    }

    fn writes(&self, pipeline: usize) -> bool {
        let pipeline = &self.world.pipelines[pipeline];
        let organization = &self.world.organizations[pipeline.organization].slug;
        let token = self.token.as_ref();
        token.is_some_and(|token| token.writes_pipeline(organization, &pipeline.slug))
    }

    /// The id of a build that the user may change, and the index of its pipeline.
    fn build_to_change(&self, path: [&str; 3]) -> Result<(String, usize), Reply> {
        let summary = &self.build(path)?.summary;
        self.may_write(summary.pipeline)?;
        Ok((summary.id.to_string(), summary.pipeline))
    }
}

/// 403 for a user without the permission.
fn not_allowed() -> Reply {
    Reply::error(403, "You're not allowed to do that")
}

/// 422 with one reason, as builds answer it.
fn refused(reason: &str) -> Reply {
    Reply::error(422, reason)
}
