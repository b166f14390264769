//! The routes of plain lists, as data.

use super::list_filters::{self, Filter};

/// A list, and perhaps its single objects.
pub(super) struct Resource {
    /// The collection of the world.
    pub(super) collection: &'static str,
    /// The path of the list behind `v2`.
    pub(super) path: &'static str,
    pub(super) scope: Option<&'static str>,
    pub(super) style: Style,
    /// The field in the path of a single object, and the noun for its 404. None if single objects
    /// have no route.
    pub(super) item: Option<(&'static str, &'static str)>,
    pub(super) filter: Option<Filter>,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// An array, paged by number.
    Pages,
    /// An object of `items` and `links`.
    Cursor(Links),
    /// An array of all.
    Whole,
    /// The same, but the documentation does not say so: a setting pages it.
    Plain,
    /// One object.
    Object,
}

/// The links of a list paged by cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// `self`, `first`, `next`, `prev`.
    All,
    /// The same, and also in the `Link` header.
    AllAndHeader,
    /// `self` and `next`.
    Forward,
    /// The same, and also in the `Link` header.
    ForwardAndHeader,
}

use Links::{All, AllAndHeader, Forward, ForwardAndHeader};
use Style::{Cursor, Object, Pages, Plain, Whole};

/// All plain lists.
#[rustfmt::skip]
pub(super) const RESOURCES: [Resource; 48] = [
    list("pipeline_schedules", "PIPE/schedules", "read_pipelines", Pages).item("id", "pipeline schedule"),
    list("pipeline_webhooks", "PIPE/github-webhooks", "read_pipelines", Object),
    list("pipeline_templates", "ORG/pipeline-templates", "read_pipeline_templates", Plain).item("uuid", "pipeline template"),
    list("artifacts", "BUILD/artifacts", "read_artifacts", Pages).filter(list_filters::artifacts),
    list("artifacts", "JOB/artifacts", "read_artifacts", Pages).item("id", "artifact").filter(list_filters::artifacts),
    list("annotations", "BUILD/annotations", "read_builds", Pages).filter(list_filters::annotations),
    list("annotations", "JOB/annotations", "read_builds", Pages),
    list("step_uploads", "BUILD/step-uploads", "read_builds", Cursor(All)).item("uuid", "step upload").filter(list_filters::step_uploads),
    list("agents", "ORG/agents", "read_agents", Pages).item("id", "agent").filter(list_filters::agents),
    list("clusters", "ORG/clusters", "read_clusters", Pages).item("id", "cluster"),
    list("cluster_queues", "CLUSTER/queues", "read_clusters", Pages).item("id", "cluster queue"),
    list("cluster_tokens", "CLUSTER/tokens", "read_clusters", Pages).item("id", "cluster token"),
    list("cluster_maintainers", "CLUSTER/maintainers", "read_clusters", Plain).item("id", "cluster maintainer"),
    list("cluster_secrets", "CLUSTER/secrets", "read_secrets_details", Pages).item("id", "secret"),
    list("cache_registries", "CLUSTER/cache-registries", "read_clusters", Cursor(All)).item("uuid", "cache registry"),
    list("agent_images", "CLUSTER/agent-images", "read_clusters", Whole).item("id", "agent image"),
    list("cache_volumes", "CLUSTER/cache_volumes", "read_clusters", Whole),
    list("network_ranges", "CLUSTER/network_ranges", "read_clusters", Whole),
    list("organization_members", "ORG/members", "read_organizations", Plain).item("id", "organization member"),
    list("organization_invitations", "ORG/invitations", "read_organization_invitations", Cursor(ForwardAndHeader)).item("id", "organization invitation"),
    list("audit_events", "ORG/audit_events", "read_audit_events", Cursor(AllAndHeader)).item("uuid", "audit event"),
    list("notification_services", "ORG/services", "read_notification_services", Cursor(Forward)).item("id", "notification service"),
    list("organization_api_settings", "ORG/api-settings", "read_organization_settings", Object),
    list("organization_pipeline_settings", "ORG/pipeline-settings", "read_organization_settings", Object),
    list("repository_connections", "ORG/repository_connections", "read_organization_repository_connections", Whole).item("id", "repository connection"),
    list("connection_repositories", "ORG/repository_connections/{connection_id}/repositories", "read_organization_repository_connections", Whole).filter(list_filters::repositories),
    list("teams", "ORG/teams", "read_teams", Pages).item("id", "team").filter(list_filters::teams),
    list("team_members", "TEAM/members", "read_teams", Plain).item("user_id", "team member"),
    list("team_pipelines", "TEAM/pipelines", "read_teams", Pages).item("pipeline_id", "team pipeline"),
    list("team_suites", "TEAM/suites", "read_teams", Plain).item("suite_id", "team suite"),
    list("rules", "ORG/rules", "read_rules", Pages).item("uuid", "rule"),
    list("portals", "ORG/portals", "read_portals", Pages).item("slug", "portal"),
    open("emojis", "ORG/emojis", Whole),
    list("test_suites", "ANALYTICS/suites", "read_suites", Pages).item("slug", "suite"),
    list("build_tests", "ANALYTICS/builds/{build_id}/tests", "read_suites", Pages),
    list("test_runs", "SUITE/runs", "read_suites", Pages).item("id", "run").filter(list_filters::runs),
    list("failed_executions", "SUITE/runs/{run_id}/failed_executions", "read_suites", Pages),
    list("tests", "SUITE/tests", "read_suites", Pages).item("id", "test").filter(list_filters::tests),
    list("muted_tests", "SUITE/tests/muted", "read_suites", Plain),
    list("skipped_tests", "SUITE/tests/skipped", "read_suites", Plain),
    list("flaky_tests", "SUITE/flaky-tests", "read_suites", Plain).filter(list_filters::flaky_tests),
    list("registries", "PACKAGES/registries", "read_registries", Plain).item("slug", "registry"),
    list("packages", "REGISTRY/packages", "read_packages", Cursor(Forward)).item("id", "package").filter(list_filters::packages),
    list("registry_tokens", "REGISTRY/tokens", "read_registries", Plain).item("id", "registry token"),
    list("job_logs", "JOB/log", "read_build_logs", Object),
    list("job_logs", "JOB/log.txt", "read_build_logs", Object),
    list("job_environments", "JOB/env", "read_job_env", Object),
    list("job_environments", "JOB/env.txt", "read_job_env", Object),
];

const fn list(
    collection: &'static str,
    path: &'static str,
    scope: &'static str,
    style: Style,
) -> Resource {
    Resource {
        scope: Some(scope),
        ..open(collection, path, style)
    }
}

/// A list that needs no scope.
const fn open(collection: &'static str, path: &'static str, style: Style) -> Resource {
    Resource {
        collection,
        path,
        scope: None,
        style,
        item: None,
        filter: None,
    }
}

impl Resource {
    const fn item(self, field: &'static str, noun: &'static str) -> Self {
        Self {
            item: Some((field, noun)),
            ..self
        }
    }

    const fn filter(self, filter: Filter) -> Self {
        Self {
            filter: Some(filter),
            ..self
        }
    }
}
