//! The fields of each type, and where their values are in the objects of REST.
//!
//! A field that is missing here has the value of the key of the same name in REST: `createdAt` is
//! `created_at`.

use serde_json::{Value, json};

use super::node::Node;

/// Where the value of a field is.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Under another key.
    Key(&'static str),
    /// A word of an enumeration, under this key.
    Word(&'static str),
    /// Always the same, in JSON.
    Fixed(&'static str),
    /// Computed.
    Made(fn(&Node) -> Value),
    /// An object inside of the object, under this key.
    Inside(&'static str, &'static str),
    /// An object that is the object itself, seen differently.
    Itself(&'static str),
    /// An object of its own, by a path of REST.
    At(&'static str, &'static str),
    /// A list of objects inside of the object.
    Items(&'static str, &'static str),
    /// A connection over a list of REST: arguments and the parameters that they become.
    List(&'static str, &'static str, &'static [(&'static str, &'static str)]),
    /// A connection over the teams of an object: their list, and the key with its id.
    Teams(&'static str, &'static str, &'static str),
    /// A connection over jobs of an organization.
    Jobs,
    /// The object with the id in the argument `id`.
    ById,
    /// A build that belongs to a job, or a pipeline.
    Build,
    Pipeline,
}

use Rule::{At, ById, Fixed, Inside, Items, Itself, Jobs, Key, List, Made, Teams, Word};

const ORGANIZATION: Rule = At("Organization", "organizations/{org}");
const CLUSTER: Rule = At("Cluster", "organizations/{org}/clusters/{cluster_id}");

#[rustfmt::skip]
const FIELDS: &[(&str, &str, Rule)] = &[
    ("Viewer", "user", Itself("User")),
    ("Organization", "pipelines", List("Pipeline", "organizations/{org}/pipelines", &[("search", "name"), ("archived", "archived")])),
    ("Organization", "clusters", List("Cluster", "organizations/{org}/clusters", &[])),
    ("Organization", "cluster", ById),
    ("Organization", "teams", List("Team", "organizations/{org}/teams", &[])),
    ("Organization", "members", List("OrganizationMember", "organizations/{org}/members", &[])),
    ("Organization", "agents", List("Agent", "organizations/{org}/agents", &[])),
    ("Organization", "jobs", Jobs),
    ("Organization", "suites", List("Suite", "analytics/organizations/{org}/suites", &[])),
    ("Organization", "rules", List("Rule", "organizations/{org}/rules", &[])),
    ("Organization", "pipelineTemplates", List("PipelineTemplate", "organizations/{org}/pipeline-templates", &[])),
    ("Organization", "allowedApiIpAddresses", Key("allowed_ip_addresses")),
    ("Organization", "membersRequireTwoFactorAuthentication", Fixed("false")),
    ("Organization", "isTeamsEnabled", Fixed("true")),
    ("Pipeline", "url", Key("web_url")),
    ("Pipeline", "organization", ORGANIZATION),
    ("Pipeline", "cluster", CLUSTER),
    ("Pipeline", "badgeURL", Key("badge_url")),
    ("Pipeline", "webhookURL", Made(|one| one.value["provider"]["webhook_url"].clone())),
    ("Pipeline", "branchConfiguration", Key("branch_configuration")),
    ("Pipeline", "cancelIntermediateBuilds", Key("cancel_running_branch_builds")),
    ("Pipeline", "cancelIntermediateBuildsBranchFilter", Made(|one| or_empty(one, "cancel_running_branch_builds_filter"))),
    ("Pipeline", "skipIntermediateBuilds", Key("skip_queued_branch_builds")),
    ("Pipeline", "skipIntermediateBuildsBranchFilter", Made(|one| or_empty(one, "skip_queued_branch_builds_filter"))),
    ("Pipeline", "cloneMirrorUrl", Fixed("null")),
    ("Pipeline", "description", Made(|one| or_empty(one, "description"))),
    ("Pipeline", "defaultTimeoutInMinutes", Key("default_timeout_in_minutes")),
    ("Pipeline", "maximumTimeoutInMinutes", Key("maximum_timeout_in_minutes")),
    ("Pipeline", "visibility", Word("visibility")),
    ("Pipeline", "archived", Made(|one| json!(one.value["archived_at"].is_string()))),
    ("Pipeline", "favorite", Fixed("false")),
    ("Pipeline", "public", Made(|one| json!(one.value["visibility"] == "public"))),
    ("Pipeline", "steps", Itself("PipelineSteps")),
    ("Pipeline", "repository", Itself("Repository")),
    ("Pipeline", "pipelineTemplate", At("PipelineTemplate", "organizations/{org}/pipeline-templates/{pipeline_template_uuid}")),
    ("Pipeline", "tags", Items("PipelineTag", "tags")),
    ("Pipeline", "metrics", Items("PipelineMetric", "metrics")),
    ("Pipeline", "teams", Teams("TeamPipeline", "pipelines", "pipeline_id")),
    ("Pipeline", "builds", List("Build", "organizations/{org}/pipelines/{slug}/builds", &[("branch", "branch[]"), ("state", "state[]"), ("commit", "commit[]")])),
    ("Pipeline", "schedules", List("PipelineSchedule", "organizations/{org}/pipelines/{slug}/schedules", &[])),
    ("PipelineSteps", "yaml", Made(|one| or_empty(one, "configuration"))),
    ("PipelineTag", "label", Key("label")),
    ("Repository", "url", Key("repository")),
    ("Repository", "provider", Made(|_| Value::Null)),
    ("Cluster", "organization", ORGANIZATION),
    ("Cluster", "queues", List("ClusterQueue", "organizations/{org}/clusters/{id}/queues", &[])),
    ("Cluster", "agentTokens", List("ClusterToken", "organizations/{org}/clusters/{id}/tokens", &[])),
    ("Cluster", "defaultQueue", At("ClusterQueue", "organizations/{org}/clusters/{id}/queues/{default_queue_id}")),
    ("ClusterQueue", "cluster", Rule::ClusterOfUrl),
    ("ClusterQueue", "hosted", Made(|one| json!(one.value["hosted"] == true))),
    ("ClusterQueue", "hostedAgents", Inside("HostedAgentQueueSettings", "hosted_agents")),
    ("ClusterQueue", "dispatchPausedBy", Inside("User", "dispatch_paused_by")),
    ("HostedAgentQueueSettings", "instanceShape", Inside("HostedAgentInstanceShape", "instance_shape")),
    ("HostedAgentQueueSettings", "platformSettings", Inside("HostedAgentsPlatformSettings", "platform_settings")),
    ("HostedAgentsPlatformSettings", "linux", Inside("HostedAgentsLinuxPlatformSettings", "linux")),
    ("HostedAgentsPlatformSettings", "macos", Inside("HostedAgentsMacosPlatformSettings", "macos")),
    ("HostedAgentsLinuxPlatformSettings", "agentImageRef", Key("agent_image_ref")),
    ("HostedAgentsMacosPlatformSettings", "xcodeVersion", Key("xcode_version")),
    ("HostedAgentInstanceShape", "vcpu", Key("cpu")),
    ("HostedAgentInstanceShape", "size", Key("size")),
    ("HostedAgentInstanceShape", "machineType", Word("machine_type")),
    ("HostedAgentInstanceShape", "architecture", Word("architecture")),
    ("ClusterToken", "cluster", Rule::ClusterOfUrl),
    ("Team", "privacy", Word("privacy")),
    ("Team", "isDefaultTeam", Key("default")),
    ("Team", "defaultMemberRole", Word("default_member_role")),
    ("Team", "description", Key("description")),
    ("Team", "organization", ORGANIZATION),
    ("Team", "members", List("TeamMember", "organizations/{org}/teams/{id}/members", &[])),
    ("Team", "pipelines", List("TeamPipeline", "organizations/{org}/teams/{id}/pipelines", &[])),
    ("TeamMember", "role", Word("role")),
    ("TeamMember", "user", At("User", "organizations/{org}/members/{user_id}")),
    ("TeamMember", "team", At("Team", "organizations/{org}/teams/{team_id}")),
    ("TeamPipeline", "accessLevel", Word("access_level")),
    ("TeamPipeline", "team", At("Team", "organizations/{org}/teams/{team_id}")),
    ("TeamPipeline", "pipeline", Rule::Pipeline),
    ("TeamSuite", "accessLevel", Made(suite_access)),
    ("TeamSuite", "team", At("Team", "organizations/{org}/teams/{team_id}")),
    ("OrganizationMember", "role", Word("role")),
    ("OrganizationMember", "user", Itself("User")),
    ("Suite", "teams", Teams("TeamSuite", "suites", "suite_id")),
    ("Agent", "userAgent", Key("user_agent")),
    ("Agent", "isRunningJob", Made(|one| json!(one.value["job"].is_object()))),
    ("Agent", "job", Inside("JobTypeCommand", "job")),
    ("Agent", "pausedBy", Inside("User", "paused_by")),
    ("Agent", "pausedTimeoutInMinutes", Key("paused_timeout_in_minutes")),
    ("Agent", "url", Key("web_url")),
    ("Agent", "clusterQueue", Rule::QueueOfUrl),
    ("Build", "url", Key("web_url")),
    ("Build", "state", Word("state")),
    ("Build", "pipeline", Inside("Pipeline", "pipeline")),
    ("Build", "organization", ORGANIZATION),
    ("Build", "createdBy", Inside("User", "creator")),
    ("Build", "jobs", Items("Job", "jobs")),
    ("Build", "canceledAt", Key("canceled_at")),
    ("JobTypeCommand", "label", Key("name")),
    ("JobTypeCommand", "url", Key("web_url")),
    ("JobTypeCommand", "exitStatus", Made(|one| text_of(&one.value["exit_status"]))),
    ("JobTypeCommand", "passed", Made(|one| json!(one.value["state"] == "passed"))),
    ("JobTypeCommand", "agent", Inside("Agent", "agent")),
    ("JobTypeCommand", "cluster", At("Cluster", "organizations/{org}/clusters/{cluster_id}")),
    ("JobTypeCommand", "clusterQueue", At("ClusterQueue", "organizations/{org}/clusters/{cluster_id}/queues/{cluster_queue_id}")),
    ("JobTypeBlock", "isUnblockable", Key("unblockable")),
    ("JobTypeBlock", "unblockedBy", Inside("User", "unblocked_by")),
    ("JobTypeTrigger", "label", Key("name")),
    ("Artifact", "downloadURL", Key("download_url")),
    ("Artifact", "state", Word("state")),
    ("Artifact", "job", Rule::Job),
    ("PipelineSchedule", "pipeline", Inside("Pipeline", "pipeline")),
    ("PipelineSchedule", "env", Made(environment)),
    ("Rule", "type", Key("type")),
    ("Rule", "source", At("Pipeline", "organizations/{org}/pipelines/{source_slug}")),
    ("Rule", "target", At("Pipeline", "organizations/{org}/pipelines/{target_slug}")),
    ("Rule", "sourceType", Word("source_type")),
    ("Rule", "targetType", Word("target_type")),
    ("Rule", "effect", Word("effect")),
    ("Rule", "action", Word("action")),
];
