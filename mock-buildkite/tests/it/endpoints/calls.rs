//! Valid calls of every endpoint.

use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, World};
use serde_json::{Value, json};

use super::Endpoint;

/// A world in which every endpoint has something to work on.
pub(super) fn world() -> World {
    let mut world = World::seeded(&Seed {
        builds: 60,
        pipelines: 3,
        ..Seed::default()
    });
    world.hold_builds();
    let macos = json!({
        "id": "mac-queue", "key": "mac", "url": "u", "hosted": true,
        "hosted_agents": {"instance_shape": {"machine_type": "mac"}},
    });
    let organization = ("organization_slug", "acme-inc");
    world.put(
        "cluster_queues",
        &[organization, ("cluster_id", "c")],
        &macos,
    );
    world.create_build(
        BuildFixture::new("acme-inc", "parts")
            .id("build-parts")
            .state("failed")
            .job(
                JobFixture::script("failed")
                    .id("job-failed")
                    .state("failed"),
            )
            .job(JobFixture::script("passed").id("job-passed"))
            .job(JobFixture::manual("Go?").id("job-block").state("blocked"))
            .job(
                JobFixture::script("mac")
                    .id("job-mac")
                    .state("running")
                    .queue_id("mac-queue"),
            ),
    );
    let value = |key: &str| match key {
        "repository" => json!("acme-inc/parts"),
        key => json!(key != "filter_enabled"),
    };
    let settings = SETTINGS.map(|key| (key.to_owned(), value(key)));
    let settings = Value::Object(settings.into_iter().collect());
    world.set_provider_settings("acme-inc", "parts", &settings);
    let of_job = [("build_id", "build-parts"), ("job_id", "job-passed")];
    let log = json!({"url": "u", "content": "hi", "size": 2, "header_times": []});
    world.put("job_logs", &of_job, log);
    world.put("job_environments", &of_job, json!({"env": {"CI": "true"}}));
    world.put("annotations", &of_job, annotation("on-job", "job"));
    world.put(
        "annotations",
        &[("build_id", "build-parts")],
        annotation("on-build", "build"),
    );
    let artifact = json!({
        "id": "art", "job_id": "job-passed", "state": "finished", "path": "a.txt", "file_size": 3,
        "url": "u", "download_url": "u", "dirname": ".", "filename": "a.txt", "glob_path": "*",
        "mime_type": "text/plain", "original_path": "a.txt", "sha1sum": "0",
    });
    world.put("artifacts", &of_job, artifact);
    let upload =
        json!({"uuid": "upload", "state": "applied", "created_at": "2026-01-01T00:00:00Z"});
    world.put("step_uploads", &[("build_id", "build-parts")], upload);
    let webhooks = json!({"url": "u", "enabled": true, "disabled_at": null, "disabled_by": null});
    let place = [organization, ("pipeline_slug", "parts")];
    world.put("pipeline_webhooks", &place, webhooks);
    let schedules = world.objects("pipeline_schedules");
    let mut schedule: Value = serde_json::from_str(&schedules[0].json).expect("JSON");
    schedule["id"] = json!("schedule");
    world.put("pipeline_schedules", &place, schedule);
    world
}

/// Settings of GitHub that the documentation shows.
const SETTINGS: [&str; 18] = [
    "build_branches",
    "build_pull_request_forks",
    "build_pull_request_labels_changed",
    "build_pull_request_ready_for_review",
    "build_pull_requests",
    "build_tags",
    "cancel_deleted_branch_builds",
    "filter_enabled",
    "prefix_pull_request_fork_branch_names",
    "publish_blocked_as_pending",
    "publish_commit_status",
    "publish_commit_status_per_step",
    "pull_request_branch_filter_enabled",
    "repository",
    "separate_pull_request_statuses",
    "skip_builds_for_existing_commits",
    "skip_pull_request_builds_for_existing_commits",
    "use_step_key_as_commit_status",
];

fn annotation(id: &str, scope: &str) -> Value {
    json!({
        "id": id, "context": id, "scope": scope, "style": "info", "body_html": "<p>1</p>",
        "priority": 3, "job_id": null, "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    })
}

/// The first object of a list of the world, by a field.
pub(super) fn first(
    server: &MockBuildkite,
    collection: &str,
    field: &str,
    parent: Option<&str>,
) -> String {
    let objects = server.with_world(|world| world.objects(collection));
    let mut of_parent = objects.iter().filter(|one| {
        parent.is_none_or(|parent| one.parents.iter().any(|(_, value)| value == parent))
    });
    let object = of_parent
        .next()
        .unwrap_or_else(|| panic!("{collection} below {parent:?}"));
    let object: Value = serde_json::from_str(&object.json).expect("JSON");
    object[field].as_str().expect("a text").to_owned()
}

/// Short names of the table.
const ORG: &str = "/v2/organizations/acme-inc";
const ANALYTICS: &str = "/v2/analytics/organizations/acme-inc";
const PACKAGES: &str = "/v2/packages/organizations/acme-inc";

/// Parts of paths, and the objects that exist for them: collection, key and owner.
const OBJECTS: &[(&str, &str, &str, &str)] = &[
    ("{build.id}", "test_runs", "build_id", ""),
    ("agent-images/{id}", "agent_images", "id", ""),
    ("queues/{queue.id}", "cluster_queues", "id", "CLUSTER"),
    ("queues/{id}", "cluster_queues", "id", "CLUSTER"),
    ("tokens/{token.id}", "cluster_tokens", "id", "CLUSTER"),
    ("agents/{id}", "agents", "id", ""),
    ("maintainers/{id}", "cluster_maintainers", "id", "CLUSTER"),
    ("secrets/{id}", "cluster_secrets", "id", "CLUSTER"),
    ("audit_events/{uuid}", "audit_events", "uuid", ""),
    ("invitations/{uuid}", "organization_invitations", "id", ""),
    ("services/{uuid}", "notification_services", "id", ""),
    (
        "repository_connections/{id}",
        "repository_connections",
        "id",
        "",
    ),
    (
        "{repository_connection.id}",
        "repository_connections",
        "id",
        "",
    ),
    (
        "pipeline-templates/{uuid}",
        "pipeline_templates",
        "uuid",
        "",
    ),
    ("{portal.slug}", "portals", "slug", ""),
    ("rules/{uuid}", "rules", "uuid", ""),
    ("{pipeline.uuid}", "team_pipelines", "pipeline_id", "TEAM"),
    ("{suite.uuid}", "team_suites", "suite_id", "TEAM"),
    ("{run.id}", "failed_executions", "run_id", ""),
    ("{test.id}", "tests", "id", "rspec"),
    ("{package.id}", "packages", "id", "gems"),
    ("packages/{id}", "packages", "id", "gems"),
];

/// The path of an endpoint with objects that exist.
pub(super) fn concrete(server: &MockBuildkite, endpoint: Endpoint) -> String {
    let cluster = hosted_cluster(server);
    let team = first(server, "teams", "id", None);
    let mut path = endpoint.path.to_owned();
    for (short, long) in [
        ("/v2/packages/organizations/{org.slug}", PACKAGES.to_owned()),
        (
            "/v2/analytics/organizations/{org.slug}",
            ANALYTICS.to_owned(),
        ),
        ("REGISTRY", format!("{PACKAGES}/registries/gems")),
        ("SUITE", format!("{ANALYTICS}/suites/rspec")),
        ("CLUSTER", format!("{ORG}/clusters/{cluster}")),
        ("TEAM", format!("{ORG}/teams/{team}")),
        ("BUILD", format!("{ORG}/pipelines/parts/builds/1")),
        ("PIPE", format!("{ORG}/pipelines/parts")),
        ("ORG", ORG.to_owned()),
        ("{annotation.uuid}", annotation_of(endpoint).to_owned()),
        ("{job.id}", job_of(endpoint).to_owned()),
        ("artifacts/{id}", "artifacts/art".to_owned()),
        ("schedules/{id}", "schedules/schedule".to_owned()),
        ("{source_registry.slug}", "gems".to_owned()),
        ("step-uploads/{uuid}", "step-uploads/upload".to_owned()),
        (
            "clusters/{id}",
            format!("clusters/{}", cluster_for(server, endpoint, &cluster)),
        ),
        ("{user.uuid}", member(server, 2)),
    ] {
        path = path.replace(short, &long);
    }
    for (part, collection, key, owner) in OBJECTS.iter().filter(|one| endpoint.path.contains(one.0))
    {
        let owner = match *owner {
            "" => None,
            "CLUSTER" => Some(cluster.as_str()),
            "TEAM" => Some(team.as_str()),
            slug => Some(slug),
        };
        let prefix = part.split('{').next().unwrap_or_default();
        let id = first(server, collection, key, owner);
        path = path.replace(part, &format!("{prefix}{id}"));
    }
    with_token_id(server, path, &cluster)
}

/// The cluster of hosted agents: it has images.
pub(super) fn hosted_cluster(server: &MockBuildkite) -> String {
    let images = server.with_world(|world| world.objects("agent_images"));
    let mut parents = images[0].parents.iter();
    let cluster = parents.find(|(key, _)| key == "cluster_id");
    cluster.expect("a cluster").1.clone()
}

/// The id of a member of the organization.
pub(super) fn member(server: &MockBuildkite, at: usize) -> String {
    let members = server.with_world(|world| world.objects("organization_members"));
    let member: Value = serde_json::from_str(&members[at].json).expect("JSON");
    member["id"].as_str().expect("an id").to_owned()
}

/// Fills in what several kinds of paths have in common.
fn with_token_id(server: &MockBuildkite, mut path: String, cluster: &str) -> String {
    if path.contains("tokens/{id}") {
        let (collection, owner) = if path.contains("registries") {
            ("registry_tokens", "gems")
        } else {
            ("cluster_tokens", cluster)
        };
        let id = first(server, collection, "id", Some(owner));
        path = path.replace("tokens/{id}", &format!("tokens/{id}"));
    }
    if path.ends_with("/copy") {
        path.push_str("?to=images");
    }
    path
}

/// The job that an endpoint works on.
fn job_of(endpoint: Endpoint) -> &'static str {
    match endpoint.path.rsplit('/').next() {
        Some("retry") => "job-failed",
        Some("unblock") => "job-block",
        Some("vnc-session" | "ssh-session") => "job-mac",
        _ => "job-passed",
    }
}

fn annotation_of(endpoint: Endpoint) -> &'static str {
    if endpoint.path.contains("{job.id}") {
        "on-job"
    } else {
        "on-build"
    }
}

/// A cluster that pipelines use cannot be deleted; the hosted one can.
fn cluster_for(server: &MockBuildkite, endpoint: Endpoint, hosted: &str) -> String {
    if endpoint.method == "DELETE" {
        return hosted.to_owned();
    }
    first(server, "clusters", "id", None)
}

/// A valid body.
pub(super) fn body(server: &MockBuildkite, endpoint: Endpoint) -> Value {
    let member = || member(server, 0);
    let pipelines = server.with_world(|world| world.pipeline_slugs("acme-inc"));
    match (endpoint.method, endpoint.path) {
        ("POST", "PIPE/builds") => json!({"commit": "HEAD", "branch": "main"}),
        ("POST", path) if path.ends_with("annotations") => json!({"body": "hi"}),
        ("PUT", path) if path.ends_with("reprioritize") => json!({"priority": 3}),
        ("POST", "ORG/pipelines") => {
            json!({"name": "New", "repository": "git@github.com:acme/new.git", "configuration": "steps:\n- command: a"})
        }
        ("PATCH", "PIPE") => json!({"description": "new"}),
        ("POST", "ORG/clusters") => json!({"name": "New"}),
        ("POST", "CLUSTER/queues") => json!({"key": "new"}),
        ("POST", "CLUSTER/tokens" | "REGISTRY/tokens" | "REGISTRY/tokens/{id}") => {
            json!({"description": "New"})
        }
        ("POST", "CLUSTER/maintainers") => json!({"user": member()}),
        ("POST", "CLUSTER/secrets") => json!({"key": "NEW", "value": "v"}),
        ("PUT", "CLUSTER/secrets/{id}/value") => json!({"value": "v"}),
        ("POST", "CLUSTER/agent-images") => json!({"name": "new", "dockerfile": "RUN true"}),
        ("DELETE", "CLUSTER/cache_volumes") => json!({"tag": "api/cargo"}),
        ("POST", "ORG/invitations") => json!({"emails": ["new@example.com"]}),
        ("PATCH", "ORG/members/{user.uuid}") => json!({"role": "admin"}),
        ("POST", "ORG/services") => {
            json!({"provider": "webhook", "settings": {"url": "https://example.com"}})
        }
        ("PUT", "ORG/pipeline-settings/build-export") => {
            json!({"location": "bucket", "strategy_id": "s3"})
        }
        ("POST", "PIPE/schedules") => json!({"cronline": "@hourly"}),
        ("POST", "ORG/pipeline-templates") => json!({"name": "N", "configuration": "steps: []"}),
        ("POST", "ORG/portals") => json!({"name": "New", "query": "{ viewer { id } }"}),
        ("POST", "ORG/rules") => json!({
            "type": "pipeline.trigger_build.pipeline",
            "value": {"source_pipeline": pipelines[0], "target_pipeline": pipelines[1]},
        }),
        ("POST", "ORG/teams") => json!({"name": "New"}),
        ("POST", "TEAM/members") => {
            let team = first(server, "teams", "id", None);
            server.with_world(|world| world.clear("team_members", &[("team_id", &team)]));
            json!({"user_id": member()})
        }
        ("POST", "TEAM/pipelines") => {
            server.with_world(|world| world.clear("team_pipelines", &[]));
            json!({"pipeline_id": pipelines[0], "access_level": "read_only"})
        }
        ("POST", "TEAM/suites") => {
            let suite = first(server, "test_suites", "id", None);
            server.with_world(|world| world.clear("team_suites", &[]));
            json!({"suite_id": suite, "access_level": ["read"]})
        }
        ("PUT", "SUITE/execution-tags") => json!({"executions": [{"id": "e", "tags": {"a": "b"}}]}),
        ("POST", path) if path.ends_with("/suites") => {
            json!({"name": "New", "default_branch": "main"})
        }
        ("POST", "SUITE/tests/find") => {
            json!({"name": first(server, "tests", "name", Some("rspec"))})
        }
        ("PATCH", "SUITE/tests/{test.id}/labels") => json!({"operator": "add", "labels": ["new"]}),
        ("POST", path) if path.ends_with("/registries") => {
            json!({"name": "New", "ecosystem": "ruby"})
        }
        _ => json!({}),
    }
}

/// Brings the world into the state that an action needs.
pub(super) fn prepare(server: &MockBuildkite, endpoint: Endpoint) {
    let cluster = hosted_cluster(server);
    let queue = first(server, "cluster_queues", "id", Some(&cluster));
    server.with_world(|world| match endpoint.path {
        "ORG/agents/{id}/resume" => {
            let agents = world.objects("agents");
            let mut agent: Value = serde_json::from_str(&agents[0].json).expect("JSON");
            agent["paused"] = json!(true);
            world.put("agents", &[("organization_slug", "acme-inc")], agent);
        }
        "CLUSTER/queues/{id}/pause_dispatch" => {
            let queues = world.objects("cluster_queues");
            let of_id = |one: &&mock_buildkite::StoredObject| one.json.contains(&queue);
            let queue = queues.iter().find(of_id).expect("the queue");
            let mut queue: Value = serde_json::from_str(&queue.json).expect("JSON");
            queue["dispatch_paused"] = json!(false);
            let parents = [("organization_slug", "acme-inc"), ("cluster_id", &*cluster)];
            world.put("cluster_queues", &parents, queue);
        }
        "PIPE/unarchive" => {
            world.set_archived("acme-inc", "parts", true);
        }
        "BUILD/cancel" => {
            world.change_build("build-parts", |build| build.set("state", "running"));
        }
        _ => {}
    });
}
