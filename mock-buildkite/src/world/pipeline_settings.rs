//! Settings of pipelines and organizations, among them those that refuse writes.

use serde_json::{Value, json};

use super::World;
use crate::document::Document;
use crate::rng::Rng;
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
        provider = provider_of("", "");
        provider["webhook_url"] = "".into();
    }
    for (key, value) in settings.as_object().into_iter().flatten() {
        provider["settings"][key] = value.clone();
    }
    pipeline.set("provider", provider);
}

/// The provider of a new pipeline. GitHub's has the settings that the documentation shows.
pub(crate) fn provider_of(repository: &str, pipeline_id: &str) -> Value {
    let webhook = Rng::of_text(pipeline_id).hex(50);
    let (id, settings) = if repository.contains("github.com") {
        let settings = serde_json::from_str(GITHUB_SETTINGS);
        ("github", settings.expect("this text is JSON"))
    } else {
        ("unknown", json!({}))
    };
    json!({
        "id": id,
        "settings": settings,
        "webhook_url": format!("https://webhook.buildkite.com/deliver/{webhook}"),
    })
}

const GITHUB_SETTINGS: &str = r#"{
    "trigger_mode": "code", "build_pull_requests": true, "pull_request_branch_filter_enabled": false,
    "skip_builds_for_existing_commits": false, "skip_pull_request_builds_for_existing_commits": true,
    "build_pull_request_ready_for_review": false, "build_pull_request_labels_changed": false,
    "build_pull_request_forks": false, "prefix_pull_request_fork_branch_names": true,
    "build_branches": true, "build_tags": false, "cancel_deleted_branch_builds": false,
    "publish_commit_status": true, "publish_commit_status_per_step": false,
    "separate_pull_request_statuses": false, "publish_blocked_as_pending": false,
    "use_step_key_as_commit_status": false, "filter_enabled": false
}"#;
