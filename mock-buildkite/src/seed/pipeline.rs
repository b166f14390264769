//! Pipelines of a seeded world: text written once, but for the live counters in its middle.

use serde_json::{Value, json};

use super::organization::SeededOrganization;
use super::words::PIPELINES;
use crate::address::{ORGANIZATIONS, WEB};
use crate::document::Document;
use crate::ids::graphql_id;
use crate::rng::Rng;
use crate::time::millis_to_string;

/// A pipeline of about 4 KB, ready to be written.
#[derive(Debug)]
pub(crate) struct SeededPipeline {
    pub(crate) organization: usize,
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) repository: String,
    /// The object before and after its counters.
    text: (String, String),
    salt: u64,
}

/// The counters, in their order. They say what runs right now, so they change on every look.
const COUNTERS: [(&str, u64); 5] = [
    ("scheduled_builds_count", 4),
    ("running_builds_count", 40),
    ("scheduled_jobs_count", 200),
    ("running_jobs_count", 450),
    ("waiting_jobs_count", 190),
];

impl SeededPipeline {
    /// The pipeline number `index`, counted from 0.
    pub(crate) fn new(
        seed: u64,
        index: usize,
        organization: usize,
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
        let owner = &organizations[organization];
        let repository = format!("git@github.com:{}/{slug}.git", owner.slug);
        let text = texts(rng, owner, &id, [&name, &slug, &repository], now);
        Self {
            organization,
            id,
            slug,
            name,
            repository,
            text,
            salt: seed ^ index as u64,
        }
    }

    /// Writes the object; its counters follow the clock, one step every ten seconds.
    pub(crate) fn write(&self, out: &mut Vec<u8>, now: i64) {
        out.extend_from_slice(self.text.0.as_bytes());
        let step = u64::try_from(now.div_euclid(10_000)).unwrap_or(0);
        let mut rng = Rng::of(&[self.salt, 3, step]);
        for (name, limit) in COUNTERS {
            let counter = format!(",\"{name}\":{}", rng.below(limit));
            out.extend_from_slice(counter.as_bytes());
        }
        out.extend_from_slice(self.text.1.as_bytes());
    }
}

/// When the pipelines of a seed were made.
fn created(now: i64) -> i64 {
    now - 900 * 86_400_000
}

/// The text before the counters (without the closing brace) and after them.
fn texts(
    mut rng: Rng,
    owner: &SeededOrganization,
    id: &str,
    [name, slug, repository]: [&str; 3],
    now: i64,
) -> (String, String) {
    let url = format!("{ORGANIZATIONS}/{}/pipelines/{slug}", owner.slug);
    let mut head = Document::default();
    head.set("id", id);
    head.set("graphql_id", graphql_id("Pipeline", id));
    head.set("url", &url);
    head.set("web_url", format!("{WEB}/{}/{slug}", owner.slug));
    head.set("name", name);
    head.set("description", format!("Builds and tests of {name}"));
    head.set("slug", slug);
    head.set("repository", repository);
    head.set("cluster_id", owner.cluster.to_string());
    head.set("pipeline_template_uuid", Value::Null);
    head.set("branch_configuration", "");
    head.set("default_branch", "main");
    head.set("skip_queued_branch_builds", true);
    head.set("skip_queued_branch_builds_filter", "!main !release/*");
    head.set("cancel_running_branch_builds", false);
    head.set("cancel_running_branch_builds_filter", Value::Null);
    head.set("allow_rebuilds", true);
    head.set("provider", provider(&owner.slug, slug));
    head.set("builds_url", format!("{url}/builds"));
    let badge = rng.hex(50);
    head.set(
        "badge_url",
        format!("https://badge.buildkite.com/{badge}.svg"),
    );
    let creator: Value = serde_json::from_str(&owner.people[0].object).unwrap_or_default();
    head.set("created_by", Document::from(creator));
    head.set("created_at", millis_to_string(created(now)));
    head.set("archived_at", Value::Null);
    head.set("env", Value::Null);
    let mut head = head.to_json();
    head.pop();
    (head, tail(owner, rng.percent(50)))
}

/// The keys after the counters, with the comma before them and the closing brace.
fn tail(owner: &SeededOrganization, has_emoji: bool) -> String {
    let mut tail = Document::default();
    tail.set("visibility", "private");
    tail.set("tags", Value::Null);
    tail.set("emoji", has_emoji.then_some(":test_tube:"));
    tail.set("color", Value::Null);
    tail.set("configuration", CONFIGURATION);
    tail.set("steps", [step()]);
    tail.set("cluster_url", &owner.cluster_url);
    tail.to_json().replacen('{', ",", 1)
}

const CONFIGURATION: &str = concat!(
    "steps:\n  - label: \":pipeline: Upload\"\n    key: upload\n    agents:\n      queue: default\n",
    "    retry:\n      automatic:\n        - exit_status: -1  # Agent was lost\n          limit: 2\n",
    "        - exit_status: 255\n          limit: 1\n    commands:\n      - |\n",
    "        if [[ -f .buildkite/generate.sh ]]; then\n",
    "          .buildkite/generate.sh > .buildkite/generated.yml\n",
    "          buildkite-agent artifact upload .buildkite/generated.yml\n",
    "          buildkite-agent pipeline upload .buildkite/generated.yml\n          exit 0\n        fi\n",
    "      - buildkite-agent pipeline upload\n"
);

/// The step that the API derives from the configuration.
fn step() -> Document {
    let mut step = Document::default();
    step.set("type", "script");
    step.set("name", ":pipeline: Upload");
    step.set("command", concat!(
        "if [[ -f .buildkite/generate.sh ]]; then\n  .buildkite/generate.sh > .buildkite/generated.yml\n",
        "  buildkite-agent artifact upload .buildkite/generated.yml\n",
        "  buildkite-agent pipeline upload .buildkite/generated.yml\n  exit 0\nfi\nbuildkite-agent pipeline upload"
    ));
    step.set("artifact_paths", Value::Null);
    step.set("branch_configuration", Value::Null);
    step.set("env", json!({}));
    step.set("timeout_in_minutes", Value::Null);
    step.set("agent_query_rules", ["queue=default"]);
    step.set("concurrency", Value::Null);
    step.set("parallelism", Value::Null);
    step
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
