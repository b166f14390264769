//! Settings of pipelines and organizations, among them those that refuse writes.

use serde_json::{Value, json};

use super::World;
use crate::document::Document;
use crate::steps::{Step, read};
use crate::time::millis_to_string;

impl World {
    /// Changes the object of a pipeline, for example its `branch_configuration`. Its id, slug and
    /// addresses do not change; use [`rename_pipeline`](Self::rename_pipeline) for those.
    /// Returns false if there is no such pipeline.
    pub fn change_pipeline(
        &mut self,
        organization: &str,
        slug: &str,
        change: impl FnOnce(&mut Document),
    ) -> bool {
        let Some(at) = self.pipeline_of(organization, slug) else {
            return false;
        };
        let before = self.pipeline_object(at);
        let mut object = before.clone();
        change(&mut object);
        for key in ["id", "slug", "url", "web_url"] {
            object.set(key, before.get(key));
        }
        self.pipelines[at].set_object(object);
        true
    }

    /// Sets the steps of a pipeline's builds, as its configuration in JSON:
    /// `[{"command": "make", "key": "make"}, "wait", {"block": "Release?", "fields": […]}]`.
    pub fn set_steps(&mut self, organization: &str, slug: &str, steps: &Value) -> bool {
        let configuration = json!({ "steps": steps }).to_string();
        self.change_pipeline(organization, slug, |object| {
            let steps = read(Some(&configuration), &Value::Null).unwrap_or_default();
            let steps: Vec<Value> = steps.iter().map(Step::object).collect();
            object.set("steps", steps);
            object.set("configuration", configuration);
        })
    }

    /// Archives a pipeline, which then takes no new builds, or unarchives it.
    pub fn set_archived(&mut self, organization: &str, slug: &str, is_archived: bool) -> bool {
        let now = millis_to_string(self.clock.now_millis());
        self.change_pipeline(organization, slug, |object| {
            object.set("archived_at", is_archived.then_some(now));
        })
    }

    /// Sets the branches that a pipeline builds: `main release/* !wip`. Empty means all.
    pub fn set_branch_filter(&mut self, organization: &str, slug: &str, filter: &str) -> bool {
        self.change_pipeline(organization, slug, |object| {
            object.set("branch_configuration", filter);
        })
    }

    /// Sets some of a pipeline's `provider.settings`: `{"trigger_mode": "none"}`.
    pub fn set_provider_settings(
        &mut self,
        organization: &str,
        slug: &str,
        settings: &Value,
    ) -> bool {
        self.change_pipeline(organization, slug, |object| {
            merge_settings(object, settings);
        })
    }

    /// Requires a cluster for every new pipeline of an organization.
    pub fn require_clusters(&mut self, organization: &str) {
        self.clustered.insert(organization.to_owned());
    }

    /// Whether pipelines of an organization need a cluster.
    pub(crate) fn requires_clusters(&self, organization: &str) -> bool {
        self.clustered.contains(organization)
    }
}

/// Merges settings into those of the provider.
pub(crate) fn merge_settings(pipeline: &mut Document, settings: &Value) {
    let mut provider = pipeline.get("provider");
    if !provider["settings"].is_object() {
        provider = json!({"id": "unknown", "settings": {}, "webhook_url": ""});
    }
    for (key, value) in settings.as_object().into_iter().flatten() {
        provider["settings"][key] = value.clone();
    }
    pipeline.set("provider", provider);
}
