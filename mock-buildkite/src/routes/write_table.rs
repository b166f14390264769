//! Everything that changes the objects of lists.

use super::route::{Handler, Route, route};
use super::writes::objects::{create, delete, update};
use super::writes::{
    agents, cache_registries, cluster_queues, cluster_secrets, clusters, hosted_agents, job_parts,
    maintainers, organization_settings, organizations, package_uploads, pipeline_lists, registries,
    services, teams, test_engine,
};

const CLUSTERS: &str = "write_clusters";
const SECRETS: &str = "write_secrets";
const PIPELINES: &str = "write_pipelines";
const TEMPLATES: &str = "write_pipeline_templates";
const ORGANIZATIONS: &str = "write_organizations";
const INVITATIONS: &str = "write_organization_invitations";
const SETTINGS: &str = "write_organization_settings";
const SERVICES: &str = "write_notification_services";
const TEAMS: &str = "write_teams";
const RULES: &str = "write_rules";
const PORTALS: &str = "write_portals";
const SUITES: &str = "write_suites";
const REGISTRIES: &str = "write_registries";

const UPDATE_CLUSTER: Handler = |call, params| update(call, params, &clusters::CLUSTER);
const UPDATE_QUEUE: Handler = |call, params| update(call, params, &cluster_queues::QUEUE);
const UPDATE_TOKEN: Handler = |call, params| update(call, params, &cluster_secrets::TOKEN);
const UPDATE_REGISTRY: Handler = |call, params| update(call, params, &registries::REGISTRY);

#[rustfmt::skip]
pub(super) const LIST_WRITES: &[Route] = &[
    route("PUT", "ORG/agents/{id}/stop", "write_agents", agents::stop),
    route("PUT", "ORG/agents/{id}/pause", "write_agents", agents::pause),
    route("PUT", "ORG/agents/{id}/resume", "write_agents", agents::resume),
    route("POST", "ORG/clusters", CLUSTERS, |call, params| create(call, params, &clusters::CLUSTER, 201)),
    route("PUT", "ORG/clusters/{id}", CLUSTERS, UPDATE_CLUSTER),
    route("PATCH", "ORG/clusters/{id}", CLUSTERS, UPDATE_CLUSTER),
    route("DELETE", "ORG/clusters/{id}", CLUSTERS, |call, params| delete(call, params, &clusters::CLUSTER, 204)),
    route("POST", "CLUSTER/queues", CLUSTERS, |call, params| create(call, params, &cluster_queues::QUEUE, 201)),
    route("PUT", "CLUSTER/queues/{id}", CLUSTERS, UPDATE_QUEUE),
    route("PATCH", "CLUSTER/queues/{id}", CLUSTERS, UPDATE_QUEUE),
    route("DELETE", "CLUSTER/queues/{id}", CLUSTERS, |call, params| delete(call, params, &cluster_queues::QUEUE, 204)),
    route("POST", "CLUSTER/queues/{id}/pause_dispatch", CLUSTERS, cluster_queues::pause),
    route("POST", "CLUSTER/queues/{id}/resume_dispatch", CLUSTERS, cluster_queues::resume),
    route("POST", "CLUSTER/tokens", CLUSTERS, |call, params| create(call, params, &cluster_secrets::TOKEN, 201)),
    route("PUT", "CLUSTER/tokens/{id}", CLUSTERS, UPDATE_TOKEN),
    route("PATCH", "CLUSTER/tokens/{id}", CLUSTERS, UPDATE_TOKEN),
    route("DELETE", "CLUSTER/tokens/{id}", CLUSTERS, |call, params| delete(call, params, &cluster_secrets::TOKEN, 204)),
    route("POST", "CLUSTER/maintainers", CLUSTERS, maintainers::add_maintainer),
    route("DELETE", "CLUSTER/maintainers/{id}", CLUSTERS, maintainers::remove_maintainer),
    route("POST", "CLUSTER/secrets", SECRETS, |call, params| create(call, params, &cluster_secrets::SECRET, 201)),
    route("PUT", "CLUSTER/secrets/{id}", SECRETS, |call, params| update(call, params, &cluster_secrets::SECRET)),
    route("PUT", "CLUSTER/secrets/{id}/value", SECRETS, cluster_secrets::set_secret),
    route("DELETE", "CLUSTER/secrets/{id}", SECRETS, |call, params| delete(call, params, &cluster_secrets::SECRET, 204)),
    route("POST", "CLUSTER/cache-registries", CLUSTERS, |call, params| create(call, params, &cache_registries::CACHE, 201)),
    route("PATCH", "CLUSTER/cache-registries/{id}", CLUSTERS, |call, params| update(call, params, &cache_registries::CACHE)),
    route("DELETE", "CLUSTER/cache-registries/{id}", CLUSTERS, |call, params| delete(call, params, &cache_registries::CACHE, 204)),
    route("POST", "CLUSTER/agent-images", CLUSTERS, hosted_agents::create_image),
    route("DELETE", "CLUSTER/agent-images/{id}", CLUSTERS, hosted_agents::delete_image),
    route("DELETE", "CLUSTER/cache_volumes", CLUSTERS, hosted_agents::delete_volume),
    route("POST", "ORG/jobs/{job_id}/vnc-session", "write_builds", job_parts::open_session),
    route("POST", "ORG/jobs/{job_id}/ssh-session", "write_builds", job_parts::open_session),
    route("DELETE", "JOB/log", "write_build_logs", job_parts::delete_log),
    route("DELETE", "JOB/artifacts/{id}", "write_artifacts", job_parts::delete_artifact),
    route("PATCH", "ORG/members/{id}", ORGANIZATIONS, organizations::change_member),
    route("DELETE", "ORG/members/{id}", ORGANIZATIONS, organizations::remove_member),
    route("POST", "ORG/invitations", INVITATIONS, organizations::invite),
    route("DELETE", "ORG/invitations/{id}", INVITATIONS, organizations::revoke),
    route("POST", "ORG/services", SERVICES, services::add_service),
    route("PATCH", "ORG/services/{id}", SERVICES, services::change_service),
    route("DELETE", "ORG/services/{id}", SERVICES, services::remove_service),
    route("PUT", "ORG/services/{id}/enable", SERVICES, services::enable_service),
    route("PUT", "ORG/services/{id}/disable", SERVICES, services::disable_service),
    route("PATCH", "ORG/api-settings", SETTINGS, organization_settings::change_api_settings),
    route("PATCH", "ORG/pipeline-settings", SETTINGS, organization_settings::change_pipeline_settings),
    route("PUT", "ORG/pipeline-settings/hosted-agents-ssh", SETTINGS, organization_settings::toggle_setting),
    route("DELETE", "ORG/pipeline-settings/hosted-agents-ssh", SETTINGS, organization_settings::toggle_setting),
    route("PUT", "ORG/pipeline-settings/public-pipelines", SETTINGS, organization_settings::toggle_setting),
    route("DELETE", "ORG/pipeline-settings/public-pipelines", SETTINGS, organization_settings::toggle_setting),
    route("PUT", "ORG/pipeline-settings/advanced-queue-metrics", SETTINGS, organization_settings::toggle_setting),
    route("PUT", "ORG/pipeline-settings/build-export", SETTINGS, organization_settings::set_build_export),
    route("DELETE", "ORG/pipeline-settings/build-export", SETTINGS, organization_settings::set_build_export),
    route("POST", "PIPE/schedules", PIPELINES, pipeline_lists::add_schedule),
    route("PUT", "PIPE/schedules/{id}", PIPELINES, pipeline_lists::change_schedule),
    route("PATCH", "PIPE/schedules/{id}", PIPELINES, pipeline_lists::change_schedule),
    route("DELETE", "PIPE/schedules/{id}", PIPELINES, pipeline_lists::remove_schedule),
    route("POST", "PIPE/webhook", PIPELINES, pipeline_lists::add_webhook),
    route("PUT", "PIPE/github-webhooks", PIPELINES, pipeline_lists::set_github_webhooks),
    route("DELETE", "PIPE/github-webhooks", PIPELINES, pipeline_lists::set_github_webhooks),
    route("POST", "ORG/pipeline-templates", TEMPLATES, |call, params| create(call, params, &pipeline_lists::TEMPLATE, 201)),
    route("PATCH", "ORG/pipeline-templates/{id}", TEMPLATES, |call, params| update(call, params, &pipeline_lists::TEMPLATE)),
    route("DELETE", "ORG/pipeline-templates/{id}", TEMPLATES, |call, params| delete(call, params, &pipeline_lists::TEMPLATE, 204)),
    route("POST", "ORG/portals", PORTALS, |call, params| create(call, params, &teams::PORTAL, 201)),
    route("PUT", "ORG/portals/{id}", PORTALS, |call, params| update(call, params, &teams::PORTAL)),
    route("DELETE", "ORG/portals/{id}", PORTALS, |call, params| delete(call, params, &teams::PORTAL, 204)),
    route("POST", "ORG/rules", RULES, |call, params| create(call, params, &teams::RULE, 201)),
    route("DELETE", "ORG/rules/{id}", RULES, |call, params| delete(call, params, &teams::RULE, 204)),
    route("POST", "ORG/teams/enable", TEAMS, teams::enable),
    route("POST", "ORG/teams", TEAMS, |call, params| create(call, params, &teams::TEAM, 201)),
    route("PATCH", "ORG/teams/{id}", TEAMS, |call, params| update(call, params, &teams::TEAM)),
    route("DELETE", "ORG/teams/{id}", TEAMS, |call, params| delete(call, params, &teams::TEAM, 204)),
    route("POST", "TEAM/members", TEAMS, |call, params| create(call, params, &teams::MEMBER, 201)),
    route("PATCH", "TEAM/members/{id}", TEAMS, |call, params| update(call, params, &teams::MEMBER)),
    route("DELETE", "TEAM/members/{id}", TEAMS, |call, params| delete(call, params, &teams::MEMBER, 204)),
    route("POST", "TEAM/pipelines", TEAMS, |call, params| create(call, params, &teams::PIPELINE, 201)),
    route("PATCH", "TEAM/pipelines/{id}", TEAMS, |call, params| update(call, params, &teams::PIPELINE)),
    route("DELETE", "TEAM/pipelines/{id}", TEAMS, |call, params| delete(call, params, &teams::PIPELINE, 204)),
    route("POST", "TEAM/suites", TEAMS, |call, params| create(call, params, &teams::SUITE, 201)),
    route("PATCH", "TEAM/suites/{id}", TEAMS, |call, params| update(call, params, &teams::SUITE)),
    route("DELETE", "TEAM/suites/{id}", TEAMS, |call, params| delete(call, params, &teams::SUITE, 204)),
    route("POST", "ANALYTICS/suites", SUITES, test_engine::create_suite),
    route("PATCH", "ANALYTICS/suites/{id}", SUITES, test_engine::change_suite),
    route("DELETE", "ANALYTICS/suites/{id}", SUITES, test_engine::remove_suite),
    route("PUT", "SUITE/execution-tags", SUITES, test_engine::tag_executions),
    route("POST", "SUITE/tests/find", "read_suites", test_engine::find_test),
    route("PATCH", "SUITE/tests/{id}/labels", SUITES, test_engine::label_test),
    route("PUT", "SUITE/tests/{id}/mute", SUITES, test_engine::quarantine),
    route("PUT", "SUITE/tests/{id}/skip", SUITES, test_engine::quarantine),
    route("PUT", "SUITE/tests/{id}/enable", SUITES, test_engine::quarantine),
    route("POST", "PACKAGES/registries", REGISTRIES, |call, params| create(call, params, &registries::REGISTRY, 200)),
    route("POST", "PACKAGES/registries/{id}", REGISTRIES, UPDATE_REGISTRY),
    route("PUT", "PACKAGES/registries/{id}", REGISTRIES, UPDATE_REGISTRY),
    route("PATCH", "PACKAGES/registries/{id}", REGISTRIES, UPDATE_REGISTRY),
    route("DELETE", "PACKAGES/registries/{id}", "delete_registries", |call, params| delete(call, params, &registries::REGISTRY, 200)),
    route("POST", "REGISTRY/tokens", REGISTRIES, |call, params| create(call, params, &registries::TOKEN, 200)),
    route("PATCH", "REGISTRY/tokens/{id}", REGISTRIES, |call, params| update(call, params, &registries::TOKEN)),
    route("POST", "REGISTRY/tokens/{id}", REGISTRIES, |call, params| update(call, params, &registries::TOKEN)),
    route("DELETE", "REGISTRY/tokens/{id}", REGISTRIES, |call, params| delete(call, params, &registries::TOKEN, 200)),
    route("POST", "REGISTRY/packages", "write_packages", registries::publish),
    route("POST", "REGISTRY/packages/upload", "write_packages", package_uploads::request_upload),
    route("POST", "REGISTRY/packages/{id}/copy", "read_packages", registries::copy),
    route("DELETE", "REGISTRY/packages/{id}", "delete_packages", |call, params| delete(call, params, &registries::PACKAGE, 200)),
];
