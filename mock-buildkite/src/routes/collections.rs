//! Lists of plain objects: their routes as data, and the one way to answer them.

use serde_json::{Value, json};

use super::page::{Page, array};
use super::{Call, Outcome, Reply};

/// How a list is given (API facts 4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// An array, paged by number.
    Pages,
    /// An object of `items` and `links`.
    Cursor,
    /// An array of all.
    Whole,
    /// One object.
    Object,
}
use Style::{Cursor, Object, Pages, Whole};

/// A route: collection, path behind `v2`, scope, style.
type Route = (&'static str, &'static str, Option<&'static str>, Style);

const ORG: &str = "organizations/{organization_slug}";
const ANALYTICS: &str = "analytics/organizations/{organization_slug}";
const PACKAGES: &str = "packages/organizations/{organization_slug}";

/// Every route below a base (API facts 24).
const ROUTES: [(&str, &[Route]); 3] = [
    (
        ORG,
        &[
            (
                "pipeline_schedules",
                "pipelines/{pipeline_slug}/schedules",
                Some("read_pipelines"),
                Pages,
            ),
            (
                "pipeline_webhooks",
                "pipelines/{pipeline_slug}/github-webhooks",
                Some("read_pipelines"),
                Object,
            ),
            (
                "artifacts",
                "pipelines/{pipeline_slug}/builds/{build_number}/artifacts",
                Some("read_artifacts"),
                Pages,
            ),
            (
                "annotations",
                "pipelines/{pipeline_slug}/builds/{build_number}/annotations",
                Some("read_builds"),
                Pages,
            ),
            (
                "step_uploads",
                "pipelines/{pipeline_slug}/builds/{build_number}/step-uploads",
                Some("read_builds"),
                Cursor,
            ),
            (
                "job_logs",
                "jobs/{job_id}/log",
                Some("read_build_logs"),
                Object,
            ),
            (
                "job_environments",
                "jobs/{job_id}/env",
                Some("read_job_env"),
                Object,
            ),
            (
                "pipeline_templates",
                "pipeline-templates",
                Some("read_pipeline_templates"),
                Whole,
            ),
            ("agents", "agents", Some("read_agents"), Pages),
            ("clusters", "clusters", Some("read_clusters"), Pages),
            (
                "cluster_queues",
                "clusters/{cluster_id}/queues",
                Some("read_clusters"),
                Pages,
            ),
            (
                "cluster_tokens",
                "clusters/{cluster_id}/tokens",
                Some("read_clusters"),
                Pages,
            ),
            (
                "cluster_maintainers",
                "clusters/{cluster_id}/maintainers",
                Some("read_clusters"),
                Whole,
            ),
            (
                "cluster_secrets",
                "clusters/{cluster_id}/secrets",
                Some("read_secrets_details"),
                Pages,
            ),
            (
                "agent_images",
                "clusters/{cluster_id}/agent-images",
                Some("read_clusters"),
                Whole,
            ),
            (
                "cache_volumes",
                "clusters/{cluster_id}/cache_volumes",
                Some("read_clusters"),
                Whole,
            ),
            (
                "network_ranges",
                "clusters/{cluster_id}/network_ranges",
                Some("read_clusters"),
                Whole,
            ),
            (
                "organization_members",
                "members",
                Some("read_organizations"),
                Whole,
            ),
            (
                "organization_invitations",
                "invitations",
                Some("read_organization_invitations"),
                Cursor,
            ),
            (
                "audit_events",
                "audit_events",
                Some("read_audit_events"),
                Cursor,
            ),
            (
                "notification_services",
                "services",
                Some("read_notification_services"),
                Cursor,
            ),
            (
                "organization_api_settings",
                "api-settings",
                Some("read_organization_settings"),
                Object,
            ),
            (
                "organization_pipeline_settings",
                "pipeline-settings",
                Some("read_organization_settings"),
                Object,
            ),
            (
                "repository_connections",
                "repository_connections",
                Some("read_organization_repository_connections"),
                Whole,
            ),
            ("teams", "teams", Some("read_teams"), Pages),
            (
                "team_members",
                "teams/{team_id}/members",
                Some("read_teams"),
                Whole,
            ),
            (
                "team_pipelines",
                "teams/{team_id}/pipelines",
                Some("read_teams"),
                Pages,
            ),
            (
                "team_suites",
                "teams/{team_id}/suites",
                Some("read_teams"),
                Whole,
            ),
            ("rules", "rules", Some("read_rules"), Pages),
            ("portals", "portals", Some("read_portals"), Pages),
            ("emojis", "emojis", None, Whole),
        ],
    ),
    (
        ANALYTICS,
        &[
            (
                "build_tests",
                "builds/{build_id}/tests",
                Some("read_suites"),
                Pages,
            ),
            ("test_suites", "suites", Some("read_suites"), Pages),
            (
                "test_runs",
                "suites/{suite_slug}/runs",
                Some("read_suites"),
                Pages,
            ),
            (
                "failed_executions",
                "suites/{suite_slug}/runs/{run_id}/failed_executions",
                Some("read_suites"),
                Pages,
            ),
            (
                "tests",
                "suites/{suite_slug}/tests",
                Some("read_suites"),
                Pages,
            ),
            (
                "muted_tests",
                "suites/{suite_slug}/tests/muted",
                Some("read_suites"),
                Whole,
            ),
            (
                "skipped_tests",
                "suites/{suite_slug}/tests/skipped",
                Some("read_suites"),
                Whole,
            ),
        ],
    ),
    (
        PACKAGES,
        &[
            ("registries", "registries", Some("read_registries"), Whole),
            (
                "packages",
                "registries/{registry_slug}/packages",
                Some("read_packages"),
                Cursor,
            ),
            (
                "registry_tokens",
                "registries/{registry_slug}/tokens",
                Some("read_registries"),
                Whole,
            ),
        ],
    ),
];

/// A route that a path matches, and the keys that the path holds.
pub(super) struct Matched<'a> {
    collection: &'static str,
    pub(super) scope: Option<&'static str>,
    style: Style,
    keys: Vec<(&'static str, &'a str)>,
}

/// The route of a path behind `v2`.
pub(super) fn find<'a>(segments: &[&'a str]) -> Option<Matched<'a>> {
    let all = ROUTES.iter().flat_map(|(base, routes)| {
        routes
            .iter()
            .map(move |route| (base.split('/').chain(route.1.split('/')), route))
    });
    for (pattern, &(collection, _, scope, style)) in all {
        let pattern: Vec<_> = pattern.collect();
        let mut keys = Vec::new();
        let is_it = pattern.len() == segments.len()
            && pattern.iter().zip(segments).all(|(part, &given)| {
                match part
                    .strip_prefix('{')
                    .and_then(|part| part.strip_suffix('}'))
                {
                    Some(key) => {
                        keys.push((key, given));
                        true
                    }
                    None => *part == given,
                }
            });
        if is_it {
            return Some(Matched {
                collection,
                scope,
                style,
                keys,
            });
        }
    }
    None
}

impl Matched<'_> {
    fn key(&self, name: &str) -> Option<&str> {
        let mut keys = self.keys.iter();
        keys.find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// Refuses what is not there, from left to right, and gives the rest.
    pub(super) fn answer(&self, call: &Call<'_>) -> Outcome {
        let organization = self.key("organization_slug").unwrap_or_default();
        match (self.key("pipeline_slug"), self.key("build_number")) {
            (Some(pipeline), Some(number)) => {
                call.build([organization, pipeline, number]).map(drop)?;
            }
            (Some(pipeline), None) => call.pipeline(organization, pipeline).map(drop)?,
            (None, _) => call.organization(organization).map(drop)?,
        }
        if let Some(missing) = call.world.missing(organization, self.collection) {
            return Err(Reply::error(missing.status, &missing.message));
        }
        let stored = call.world.below(self.collection, &self.keys);
        let objects: Vec<&str> = stored
            .map(|one| one.json.as_str())
            .filter(|json| is_asked(call, json))
            .collect();
        self.give(call, &objects)
    }

    fn give(&self, call: &Call<'_>, objects: &[&str]) -> Outcome {
        let write = |json: &&str, out: &mut Vec<u8>| out.extend_from_slice(json.as_bytes());
        match self.style {
            Style::Pages => {
                let page = Page::of(call);
                let items = array(&objects[page.range(objects.len())], write);
                Ok(page.reply(call, items, objects.len()))
            }
            Style::Whole => Ok(Reply::ok(array(objects, write))),
            Style::Object => match objects.first() {
                Some(json) => Ok(Reply::ok(json.as_bytes().to_vec())),
                None => Err(Reply::error(404, "Not Found")),
            },
            Style::Cursor => cursor_page(call, objects),
        }
    }
}

/// A cursor is the place of the first item of a page.
fn cursor_page(call: &Call<'_>, objects: &[&str]) -> Outcome {
    let bad = |what: &str| Reply::error(400, what);
    let per_page = match call.query.get("per_page") {
        None => 30,
        Some(text) => (text.parse().ok())
            .filter(|value| (1..=100).contains(value))
            .ok_or_else(|| bad("per_page must be between 1 and 100"))?,
    };
    let start: usize = match call.query.get("after") {
        None => 0,
        Some(text) => text.parse().map_err(|_| bad("Invalid cursor"))?,
    };
    let end = (start + per_page).min(objects.len());
    let url = |query: String| format!("{}/{}?{query}", call.base, call.path);
    let mut links = json!({ "self": url(call.query.with("per_page", &per_page.to_string())) });
    if end < objects.len() {
        links["next"] = Value::from(url(call.query.with("after", &end.to_string())));
    }
    let items = objects.get(start..end).unwrap_or_default();
    let items = array(items, |json, out| out.extend_from_slice(json.as_bytes()));
    let mut body = b"{\"items\":".to_vec();
    body.extend(items);
    body.extend(format!(",\"links\":{links}}}").into_bytes());
    Ok(Reply::ok(body))
}

/// The filters that collections have: `scope` of annotations, `label` of tests.
fn is_asked(call: &Call<'_>, json: &str) -> bool {
    let object: Value = serde_json::from_str(json).unwrap_or_default();
    let scope = match object.get("scope").and_then(Value::as_str) {
        Some(scope) if call.path.ends_with("/annotations") => {
            let asked = call.query.get("scope").unwrap_or("build");
            asked == "all" || asked == scope
        }
        _ => true,
    };
    let label = call.query.get("label").is_none_or(|label| {
        let labels = object.get("labels").and_then(Value::as_array);
        labels.is_some_and(|labels| labels.iter().any(|one| one == label))
    });
    scope && label
}
