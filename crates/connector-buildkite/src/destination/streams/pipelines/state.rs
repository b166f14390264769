//! The record of the stream `pipelines`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The state that a pipeline is to have. What is left out, or null, stays as it is.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineState {
    /// Slug of the organization. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub organization: Option<String>,
    /// Its slug, which identifies it. Default: made from the name.
    #[serde(skip_serializing)]
    pub slug: Option<String>,
    /// Another slug that it is to have. All its addresses change: needs `allow` `move_slug`.
    #[serde(skip_serializing)]
    pub new_slug: Option<String>,
    /// Whether it is to be archived; to archive needs `allow` `archive`.
    #[serde(skip_serializing)]
    pub archived: Option<bool>,
    /// What people call it. Needed for a new pipeline that has no slug here.
    pub name: Option<String>,
    /// Address of its repository. Needed for a new pipeline.
    pub repository: Option<String>,
    /// Id of its cluster.
    pub cluster_id: Option<String>,
    /// Its steps, as YAML. While builds run, a change needs `allow` `replace_configuration`.
    pub configuration: Option<String>,
    /// UUID of the template that it takes its steps from.
    pub pipeline_template_uuid: Option<String>,
    /// Steps of a pipeline without YAML.
    pub steps: Option<Vec<Map<String, Value>>>,
    /// Environment variables of a pipeline without YAML.
    pub env: Option<BTreeMap<String, String>>,
    /// Description.
    pub description: Option<String>,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Branches that are built, as `main release/*`.
    pub branch_configuration: Option<String>,
    /// Whether builds may be rebuilt.
    pub allow_rebuilds: Option<bool>,
    /// Whether running builds of a branch are canceled for a newer one.
    pub cancel_running_branch_builds: Option<bool>,
    /// For which branches.
    pub cancel_running_branch_builds_filter: Option<String>,
    /// Whether queued builds of a branch are skipped for a newer one.
    pub skip_queued_branch_builds: Option<bool>,
    /// For which branches.
    pub skip_queued_branch_builds_filter: Option<String>,
    /// Address of a mirror to clone from.
    pub clone_mirror_url: Option<String>,
    /// Colour, as `#FF5733`.
    pub color: Option<String>,
    /// Emoji, as `:rocket:`.
    pub emoji: Option<String>,
    /// Time limit of steps that set none, in minutes.
    pub default_command_step_timeout: Option<u32>,
    /// Time limit of all steps, in minutes.
    pub maximum_command_step_timeout: Option<u32>,
    /// Settings of the source host, by name (API facts 10.6). Others stay as they are.
    pub provider_settings: Option<BTreeMap<String, Value>>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// Teams of a new pipeline: UUID to `read_only`, `build_and_read` or
    /// `manage_build_and_read`. The REST API does not tell or change them later.
    pub teams: Option<BTreeMap<String, String>>,
    /// `private` or `public`.
    pub visibility: Option<String>,
}
