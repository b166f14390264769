//! Pipelines of a seeded world.

use serde_json::{Value, json};

use super::organization::SeededOrganization;
use super::recipe::{Recipe, Role, Slot, Step, Trait};
use super::timeline::Line;
use super::words::{PIPELINES, QUEUES};
use crate::address::{ORGANIZATIONS, WEB};
use crate::document::Document;
use crate::ids::graphql_id;
use crate::rng::Rng;
use crate::time::millis_to_string;

/// A pipeline.
#[derive(Debug)]
pub(crate) struct SeededPipeline {
    pub(crate) organization: usize,
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) repository: String,
    pub(crate) role: Role,
    pub(crate) recipe: Recipe,
    /// About 4 KB. Its counters are derived from the builds when it is served.
    pub(crate) object: Document,
}

/// The counters of what runs now, in their order.
pub(crate) const COUNTERS: [&str; 5] = [
    "scheduled_builds_count",
    "running_builds_count",
    "scheduled_jobs_count",
    "running_jobs_count",
    "waiting_jobs_count",
];

impl SeededPipeline {
    /// The pipeline number `index`, counted from 0.
    pub(super) fn new(
        seed: u64,
        index: usize,
        line: &Line,
        organizations: &[SeededOrganization],
        now: i64,
    ) -> Self {
        let mut rng = Rng::of(&[seed, 2, index as u64]);
        let id = rng.uuid(created(now)).to_string();
        let round = index / PIPELINES.len();
        let base = PIPELINES[index % PIPELINES.len()];
        let name = match round {
            0 => base.to_owned(),
            _ => format!("{base} {}", round + 1),
        };
        let slug = name.to_lowercase().replace(' ', "-");
        let owner = &organizations[line.organization];
        let repository = format!("git@github.com:{}/{slug}.git", owner.slug);
        let mut object = identity(owner, &id, [&name, &slug, &repository]);
        settings(&mut object, owner, &slug);
        let badge = rng.hex(50);
        object.set(
            "badge_url",
            format!("https://badge.buildkite.com/{badge}.svg"),
        );
        origin(&mut object, owner, now);
        tail(&mut object, owner, index, &line.recipe);
        Self {
            organization: line.organization,
            id,
            slug,
            repository,
            role: Role::of(index),
            recipe: line.recipe,
            object,
        }
    }
}

/// When the pipelines of a seed were created.
fn created(now: i64) -> i64 {
    now - 900 * 86_400_000
}

fn identity(owner: &SeededOrganization, id: &str, [name, slug, repository]: [&str; 3]) -> Document {
    let url = format!("{ORGANIZATIONS}/{}/pipelines/{slug}", owner.slug);
    let mut object = Document::default();
    object.set("id", id);
    object.set("graphql_id", graphql_id("Pipeline", id));
    object.set("url", &url);
    object.set("web_url", format!("{WEB}/{}/{slug}", owner.slug));
    object.set("name", name);
    object.set("description", format!("Builds and tests of {name}"));
    object.set("slug", slug);
    object.set("repository", repository);
    object.set("cluster_id", owner.cluster.to_string());
    object
}

fn settings(object: &mut Document, owner: &SeededOrganization, slug: &str) {
    object.set("pipeline_template_uuid", Value::Null);
    object.set("branch_configuration", "");
    object.set("default_branch", "main");
    object.set("skip_queued_branch_builds", true);
    object.set("skip_queued_branch_builds_filter", "!main !release/*");
    object.set("cancel_running_branch_builds", false);
    object.set("cancel_running_branch_builds_filter", Value::Null);
    object.set("allow_rebuilds", true);
    object.set("provider", provider(&owner.slug, slug));
    let url = object.text("url").unwrap_or_default();
    object.set("builds_url", format!("{url}/builds"));
}

fn origin(object: &mut Document, owner: &SeededOrganization, now: i64) {
    let creator: Value = serde_json::from_str(&owner.people[0].object).unwrap_or_default();
    object.set("created_by", creator);
    object.set("created_at", millis_to_string(created(now)));
    object.set("archived_at", Value::Null);
    object.set("env", Value::Null);
    for counter in COUNTERS {
        object.set(counter, 0);
    }
}

fn tail(object: &mut Document, owner: &SeededOrganization, index: usize, recipe: &Recipe) {
    object.set("visibility", "private");
    let tags = (index % 3 == 1).then_some(["team-platform", "tier-1"]);
    object.set("tags", tags);
    object.set("emoji", (index % 2 == 1).then_some(":test_tube:"));
    object.set("color", (index % 4 == 1).then_some("#FF5733"));
    object.set("configuration", configuration(recipe));
    object.set("steps", steps(recipe));
    object.set("cluster_url", &owner.cluster_url);
}

/// The steps as YAML.
fn configuration(recipe: &Recipe) -> String {
    let mut yaml = "steps:\n".to_owned();
    for slot in distinct(recipe) {
        let text = match slot {
            Slot::Waiter => "  - wait\n".to_owned(),
            Slot::Block => BLOCK.to_owned(),
            Slot::Trigger => TRIGGER.to_owned(),
            slot => slot.step().map(command).unwrap_or_default(),
        };
        yaml.push_str(&text);
    }
    yaml
}

const BLOCK: &str = concat!(
    "  - block: \":rocket: Release to production?\"\n    key: release-gate\n",
    "    branches: main\n"
);
const TRIGGER: &str =
    "  - trigger: deploy\n    label: \":zap: Deploy\"\n    key: deploy\n    branches: main\n";

/// A command step as YAML.
fn command(step: &Step) -> String {
    let mut yaml = format!(
        "  - label: {}\n    key: {}\n    command: {}\n    agents:\n      queue: {}\n",
        Value::from(step.label),
        step.key,
        Value::from(step.command),
        QUEUES[step.queue]
    );
    yaml.push_str(match step.trait_of {
        Trait::Ordinary | Trait::Slower => "",
        Trait::Flaky => {
            "    retry:\n      automatic:\n        - exit_status: 1\n          limit: 1\n"
        }
        Trait::SoftFail => "    soft_fail: true\n",
        Trait::Parallel => concat!(
            "    retry:\n      automatic:\n        - exit_status: -1  # Agent was lost\n",
            "          limit: 2\n"
        ),
        Trait::Concurrency => {
            "    branches: main\n    concurrency: 1\n    concurrency_group: deploy/production\n"
        }
    });
    if step.trait_of == Trait::Parallel {
        yaml.push_str("    parallelism: 2\n");
    }
    if let Some(paths) = step.artifact_paths {
        yaml.push_str(&format!("    artifact_paths: \"{paths}\"\n"));
    }
    yaml
}

/// The steps that the API derives from the configuration.
fn steps(recipe: &Recipe) -> Vec<Value> {
    let slots = distinct(recipe);
    slots.iter().map(|slot| step_object(*slot)).collect()
}

fn step_object(slot: Slot) -> Value {
    match (slot, slot.step()) {
        (Slot::Block, _) => json!({"type": "manual", "label": ":rocket: Release to production?"}),
        (Slot::Trigger, _) => json!({"type": "trigger", "name": ":zap: Deploy"}),
        (_, None) => json!({"type": "waiter"}),
        (_, Some(step)) => json!({
            "type": "script",
            "name": step.label,
            "command": step.command,
            "artifact_paths": step.artifact_paths,
            "branch_configuration": null,
            "env": {},
            "timeout_in_minutes": null,
            "agent_query_rules": [format!("queue={}", QUEUES[step.queue])],
            "concurrency": (step.trait_of == Trait::Concurrency).then_some(1),
            "parallelism": (step.trait_of == Trait::Parallel).then_some(2),
        }),
    }
}

/// The slots of a recipe, parallel jobs once.
fn distinct(recipe: &Recipe) -> Vec<Slot> {
    let mut slots = Vec::new();
    for slot in recipe.slots(None) {
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    slots
}

fn provider(owner: &str, slug: &str) -> Document {
    let mut settings = Document::default();
    for (name, value) in SETTINGS {
        settings.set(name, value);
    }
    settings.set("trigger_mode", "code");
    settings.set("repository", format!("{owner}/{slug}"));
    settings.set("pull_request_branch_filter_configuration", "");
    settings.set(
        "filter_condition",
        "!build.pull_request.draft || build.branch == \"main\"",
    );
    let mut provider = Document::default();
    provider.set("id", "github");
    provider.set("settings", settings);
    provider.set("webhook_url", "");
    provider
}

const SETTINGS: [(&str, bool); 24] = [
    ("build_branches", true),
    ("build_merge_group_checks_requested", false),
    ("build_pull_request_base_branch_changed", false),
    ("build_pull_request_forks", true),
    ("build_pull_request_labels_changed", true),
    ("build_pull_request_ready_for_review", true),
    ("build_pull_request_merge_commits", false),
    ("build_pull_requests", true),
    ("build_tags", false),
    ("cancel_deleted_branch_builds", false),
    ("cancel_when_merge_group_destroyed", false),
    ("filter_enabled", true),
    ("ignore_default_branch_pull_requests", false),
    ("prefix_pull_request_fork_branch_names", true),
    ("prevent_custom_statuses_from_using_buildkite_prefix", true),
    ("publish_blocked_as_pending", false),
    ("publish_commit_status_per_step", true),
    ("publish_commit_status", true),
    ("pull_request_branch_filter_enabled", false),
    ("separate_pull_request_statuses", true),
    ("skip_builds_for_existing_commits", false),
    ("skip_pull_request_builds_for_existing_commits", true),
    ("use_merge_group_base_commit_for_git_diff_base", false),
    ("use_step_key_as_commit_status", false),
];
