//! Links between objects: what pointed to a deleted pipeline points there no longer.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::collection::Entry;
use super::{Body, Build, User, World};
use crate::document::{BuildDocument, Document};

impl World {
    /// Makes the owner of the usual token a member of every organization.
    pub(super) fn add_demo_member(&mut self) {
        let user = User::demo();
        let member = json!({
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "role": "admin",
            "sso_mode": "optional",
        });
        for slug in self.organization_slugs() {
            self.put(
                "organization_members",
                &[("organization_slug", &slug)],
                &member,
            );
        }
    }

    /// Removes the links to a deleted pipeline and its builds.
    pub(super) fn forget_links(&mut self, pipeline: &str, gone: &[Build]) {
        let is_of_pipeline = |entry: &Entry, keys: &[&str]| {
            let mut ids = keys.iter().map(|key| entry.object.text(key));
            ids.any(|id| id.as_deref() == Some(pipeline))
        };
        self.remove_where("team_pipelines", |entry| {
            is_of_pipeline(entry, &["pipeline_id"])
        });
        self.remove_where("rules", |entry| {
            is_of_pipeline(entry, &["source_uuid", "target_uuid"])
        });
        let ids: HashSet<&str> = gone.iter().map(|build| &*build.summary.id).collect();
        self.forget_runs(&ids);
        let ordinals: HashSet<usize> = gone.iter().filter_map(|build| build.origin).collect();
        for at in 0..self.builds.len() {
            if self.may_link(&self.builds[at], &ordinals) {
                let mut document = self.document(&self.builds[at]);
                if unlink(&mut document, &ids) {
                    self.builds[at] = self.builds[at].changed(document);
                }
            }
        }
    }

    fn forget_runs(&mut self, builds: &HashSet<&str>) {
        let is_gone = |entry: &Entry| {
            let build = entry.object.text("build_id");
            build.is_some_and(|id| builds.contains(id.as_str()))
        };
        let runs = self
            .stored_below("test_runs", &[])
            .into_iter()
            .filter(|run| is_gone(run));
        let runs: HashSet<String> = runs.filter_map(|run| run.object.text("id")).collect();
        self.remove_where("test_runs", is_gone);
        self.remove_where("failed_executions", |entry| {
            entry.parent("run_id").is_some_and(|run| runs.contains(run))
        });
    }

    /// Whether a build may name one of these; seeded builds know without being written.
    fn may_link(&self, build: &Build, gone: &HashSet<usize>) -> bool {
        match &build.body {
            Body::Seeded { world, ordinal } => world.links(*ordinal).any(|at| gone.contains(&at)),
            Body::Stored(_) => true,
        }
    }
}

/// Removes the links of a build to builds that are gone. Returns whether there were any.
fn unlink(build: &mut BuildDocument, gone: &HashSet<&str>) -> bool {
    let is_gone = |value: &Value| value.as_str().is_some_and(|id| gone.contains(id));
    let mut has_changed = false;
    for (key, id) in [("triggered_from", "build_id"), ("rebuilt_from", "id")] {
        if is_gone(&build.get(key)[id]) {
            build.set(key, Value::Null);
            has_changed = true;
        }
    }
    let is_trigger = |job: &&mut Document| job.raw("triggered_build").is_some();
    if build.has_jobs() {
        for job in build.jobs_mut().iter_mut().filter(is_trigger) {
            if is_gone(&job.get("triggered_build")["id"]) {
                job.set("triggered_build", Value::Null);
                has_changed = true;
            }
        }
    }
    has_changed
}
