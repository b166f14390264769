//! Every documented endpoint: answered with its status for a valid call, refused for a wrong one.

use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, Token, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};

/// The table of the documentation.
const TABLE: &str = include_str!("endpoints.txt");

/// A row of the table.
#[derive(Debug, Clone, Copy)]
struct Endpoint {
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    status: u16,
    paging: &'static str,
}

fn endpoints() -> Vec<Endpoint> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let fields: Vec<&str> = row.split(' ').collect();
        Endpoint {
            method: fields[0],
            path: fields[1],
            scope: fields[2],
            status: fields[3].parse().expect("a status"),
            paging: fields[4],
        }
    })
    .collect()
}

/// A world in which every endpoint has something to work on.
fn world() -> World {
    let mut world = World::seeded(&Seed {
        builds: 60,
        pipelines: 3,
        ..Seed::default()
    });
    world.hold_builds();
    let macos = json!({
        "id": "mac-queue", "key": "mac", "url": "u",
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
    });
    world.put("artifacts", &of_job, artifact);
    let upload =
        json!({"uuid": "upload", "state": "applied", "created_at": "2026-01-01T00:00:00Z"});
    world.put("step_uploads", &[("build_id", "build-parts")], upload);
    let webhooks = json!({"url": "u", "enabled": true, "disabled_at": null, "disabled_by": null});
    let place = [organization, ("pipeline_slug", "parts")];
    world.put("pipeline_webhooks", &place, webhooks);
    let schedule = json!({"id": "schedule", "cronline": "@daily", "branch": "main", "env": {}});
    world.put("pipeline_schedules", &place, schedule);
    world
}

fn annotation(id: &str, scope: &str) -> Value {
    json!({"id": id, "context": id, "scope": scope, "body_html": "<p>1</p>"})
}

/// The first object of a list of the world, by a field.
fn first(server: &MockBuildkite, collection: &str, field: &str, parent: Option<&str>) -> String {
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

/// The path of an endpoint with objects that exist.
fn concrete(server: &MockBuildkite, endpoint: Endpoint) -> String {
    let org = "/v2/organizations/acme-inc";
    let analytics = "/v2/analytics/organizations/acme-inc";
    let packages = "/v2/packages/organizations/acme-inc";
    let pipe = format!("{org}/pipelines/parts");
    let build = format!("{pipe}/builds/1");
    let hosted = first(server, "agent_images", "id", None);
    let cluster = server.with_world(|world| {
        let images = world.objects("agent_images");
        let parents = images[0].parents.iter();
        let cluster = parents
            .filter(|(key, _)| key == "cluster_id")
            .map(|(_, value)| value.clone());
        cluster.last().expect("a cluster")
    });
    let team = first(server, "teams", "id", None);
    let mut path = endpoint.path.to_owned();
    for (short, long) in [
        ("/v2/packages/organizations/{org.slug}", packages.to_owned()),
        (
            "/v2/analytics/organizations/{org.slug}",
            analytics.to_owned(),
        ),
        ("REGISTRY", format!("{packages}/registries/gems")),
        ("SUITE", format!("{analytics}/suites/rspec")),
        ("CLUSTER", format!("{org}/clusters/{cluster}")),
        ("TEAM", format!("{org}/teams/{team}")),
        ("BUILD", build),
        ("PIPE", pipe),
        ("ORG", org.to_owned()),
        ("{build.id}", first(server, "test_runs", "build_id", None)),
        ("{annotation.uuid}", annotation_of(endpoint).to_owned()),
        ("{job.id}", job_of(endpoint).to_owned()),
        ("artifacts/{id}", "artifacts/art".to_owned()),
        ("agent-images/{id}", format!("agent-images/{hosted}")),
        (
            "queues/{queue.id}",
            format!(
                "queues/{}",
                first(server, "cluster_queues", "id", Some(&cluster))
            ),
        ),
        (
            "queues/{id}",
            format!("queues/{}", queue_of(server, endpoint, &cluster)),
        ),
        (
            "tokens/{token.id}",
            format!(
                "tokens/{}",
                first(server, "cluster_tokens", "id", Some(&cluster))
            ),
        ),
        (
            "agents/{id}",
            format!("agents/{}", first(server, "agents", "id", None)),
        ),
        (
            "clusters/{id}",
            format!("clusters/{}", cluster_for(server, endpoint, &cluster)),
        ),
        (
            "maintainers/{id}",
            format!(
                "maintainers/{}",
                first(server, "cluster_maintainers", "id", Some(&cluster))
            ),
        ),
        (
            "secrets/{id}",
            format!(
                "secrets/{}",
                first(server, "cluster_secrets", "id", Some(&cluster))
            ),
        ),
        (
            "audit_events/{uuid}",
            format!(
                "audit_events/{}",
                first(server, "audit_events", "uuid", None)
            ),
        ),
        (
            "invitations/{uuid}",
            format!(
                "invitations/{}",
                first(server, "organization_invitations", "id", None)
            ),
        ),
        (
            "services/{uuid}",
            format!(
                "services/{}",
                first(server, "notification_services", "id", None)
            ),
        ),
        (
            "repository_connections/{id}",
            format!(
                "repository_connections/{}",
                first(server, "repository_connections", "id", None)
            ),
        ),
        (
            "{repository_connection.id}",
            first(server, "repository_connections", "id", None),
        ),
        ("schedules/{id}", "schedules/schedule".to_owned()),
        (
            "pipeline-templates/{uuid}",
            format!(
                "pipeline-templates/{}",
                first(server, "pipeline_templates", "uuid", None)
            ),
        ),
        ("{portal.slug}", first(server, "portals", "slug", None)),
        (
            "rules/{uuid}",
            format!("rules/{}", first(server, "rules", "uuid", None)),
        ),
        (
            "{pipeline.uuid}",
            first(server, "team_pipelines", "pipeline_id", Some(&team)),
        ),
        (
            "{suite.uuid}",
            first(server, "team_suites", "suite_id", Some(&team)),
        ),
        (
            "{run.id}",
            first(server, "failed_executions", "run_id", None),
        ),
        ("{test.id}", first(server, "tests", "id", Some("rspec"))),
        ("{source_registry.slug}", "gems".to_owned()),
        (
            "{package.id}",
            first(server, "packages", "id", Some("gems")),
        ),
        (
            "packages/{id}",
            format!("packages/{}", first(server, "packages", "id", Some("gems"))),
        ),
        ("step-uploads/{uuid}", "step-uploads/upload".to_owned()),
    ] {
        path = path.replace(short, &long);
    }
    if path.contains("{user.uuid}") {
        let member = server.with_world(|world| world.objects("organization_members"));
        let member: Value = serde_json::from_str(&member[2].json).expect("JSON");
        path = path.replace("{user.uuid}", member["id"].as_str().expect("an id"));
    }
    if path.contains("tokens/{id}") {
        let (collection, parent) = if path.contains("registries") {
            ("registry_tokens", "gems")
        } else {
            ("cluster_tokens", cluster.as_str())
        };
        let id = first(server, collection, "id", Some(parent));
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

/// `resume_dispatch` needs a paused queue, and the one of the hosted cluster is.
fn queue_of(server: &MockBuildkite, endpoint: Endpoint, cluster: &str) -> String {
    let id = first(server, "cluster_queues", "id", Some(cluster));
    if endpoint.path.ends_with("pause_dispatch") {
        server.with_world(|world| {
            let parents = [("organization_slug", "acme-inc"), ("cluster_id", cluster)];
            let queue = json!({"id": id, "key": "linux-medium", "dispatch_paused": false});
            world.put("cluster_queues", &parents, queue);
        });
    }
    id
}

/// A valid body.
fn body(server: &MockBuildkite, endpoint: Endpoint) -> Value {
    let member = || {
        let members = server.with_world(|world| world.objects("organization_members"));
        let last: Value = serde_json::from_str(&members[0].json).expect("JSON");
        last["id"].clone()
    };
    let pipelines = server.with_world(|world| world.pipeline_slugs("acme-inc"));
    match (endpoint.method, endpoint.path) {
        ("POST", "PIPE/builds") => json!({"commit": "HEAD", "branch": "main"}),
        ("POST", path) if path.ends_with("annotations") => json!({"body": "hi"}),
        ("PUT", path) if path.ends_with("reprioritize") => json!({"priority": 3}),
        ("POST", "ORG/pipelines") => {
            json!({"name": "New", "repository": "git@example.com:a/b.git", "configuration": "steps:\n- command: a"})
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

async fn send(caller: &Caller, endpoint: Endpoint, path: &str, body: &Value) -> Answer {
    let method: Method = endpoint.method.parse().expect("a method");
    if endpoint.path == "REGISTRY/packages" && endpoint.method == "POST" {
        let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a-1.gem\"\r\n\r\nabc\r\n--x--\r\n";
        return caller
            .try_write(method, path, form)
            .await
            .expect("an answer");
    }
    if matches!(endpoint.method, "GET" | "HEAD") {
        return caller.with_headers(method, path, &[]).await;
    }
    caller.write(method, path, body).await
}

#[tokio::test]
async fn every_documented_endpoint_answers_a_valid_call_with_its_status() {
    let mut wrong = Vec::new();
    for endpoint in endpoints() {
        let server = MockBuildkite::start(world()).await;
        prepare(&server, endpoint);
        let path = concrete(&server, endpoint);
        assert!(!path.contains('{'), "{path}");
        let body = body(&server, endpoint);
        let answer = send(&Caller::new(&server), endpoint, &path, &body).await;
        if answer.status != endpoint.status {
            wrong.push(format!(
                "{endpoint:?} {path}: {} {}",
                answer.status,
                answer.text()
            ));
        }
        if endpoint.paging == "cursor" {
            let items = &answer.json()["items"];
            assert!(items.is_array(), "{endpoint:?}: {items}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Brings the world into the state that an action needs.
fn prepare(server: &MockBuildkite, endpoint: Endpoint) {
    server.with_world(|world| match endpoint.path {
        "ORG/agents/{id}/resume" => {
            let agents = world.objects("agents");
            let mut agent: Value = serde_json::from_str(&agents[0].json).expect("JSON");
            agent["paused"] = json!(true);
            world.put("agents", &[("organization_slug", "acme-inc")], agent);
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

#[tokio::test]
async fn every_documented_endpoint_refuses_unknown_tokens_missing_scopes_and_unknown_objects() {
    let server = MockBuildkite::start(world()).await;
    server.add_token(Token::new("bkua_none").scopes(Vec::<String>::new()));
    let (anonymous, weak) = (
        Caller::with_token(server.uri(), ""),
        Caller::with_token(server.uri(), "bkua_none"),
    );
    let full = Caller::new(&server);
    for endpoint in endpoints().into_iter().filter(|one| one.scope != "open") {
        let path = concrete(&server, endpoint);
        let body = json!({});
        let refused = send(&anonymous, endpoint, &path, &body).await;
        assert_eq!(refused.status, 401, "{endpoint:?}");
        if endpoint.scope != "none" {
            let refused = send(&weak, endpoint, &path, &body).await;
            assert_eq!(refused.status, 403, "{endpoint:?}");
            if endpoint.method != "HEAD" {
                let scope = endpoint.scope.split('+').next().expect("a scope");
                let message = format!("Your access token doesn't have the {scope} scope");
                assert_eq!(refused.message(), message, "{endpoint:?}");
            }
        }
        if path.contains("/acme-inc") {
            let elsewhere = path.replace("/acme-inc", "/nobody");
            let missed = send(&full, endpoint, &elsewhere, &body).await;
            assert_eq!(missed.status, 404, "{endpoint:?}: {}", missed.text());
        }
    }
}

#[tokio::test]
async fn what_is_created_is_listed_read_changed_and_gone_once_it_is_deleted() {
    let server = MockBuildkite::start(world()).await;
    let caller = Caller::new(&server);
    let cluster = first(&server, "clusters", "id", None);
    let org = "/v2/organizations/acme-inc";
    let pipelines = server.with_world(|world| world.pipeline_slugs("acme-inc"));
    let rule = json!({
        "type": "pipeline.artifacts_read.pipeline",
        "value": {"source_pipeline": pipelines[1], "target_pipeline": pipelines[0]},
    });
    let clusters = format!("{org}/clusters");
    let queues = format!("{clusters}/{cluster}/queues");
    let tokens = format!("{clusters}/{cluster}/tokens");
    let secrets = format!("{clusters}/{cluster}/secrets");
    let schedules = format!("{org}/pipelines/{}/schedules", pipelines[0]);
    for (list, key, made, change, method) in [
        (
            clusters.as_str(),
            "id",
            json!({"name": "C"}),
            json!({"name": "D"}),
            Method::PUT,
        ),
        (
            &queues,
            "id",
            json!({"key": "k"}),
            json!({"description": "d"}),
            Method::PATCH,
        ),
        (
            &tokens,
            "id",
            json!({"description": "t"}),
            json!({"description": "u"}),
            Method::PUT,
        ),
        (
            &secrets,
            "id",
            json!({"key": "S", "value": "v"}),
            json!({"description": "d"}),
            Method::PUT,
        ),
        (
            &format!("{org}/teams"),
            "id",
            json!({"name": "T"}),
            json!({"name": "U"}),
            Method::PATCH,
        ),
        (
            &schedules,
            "id",
            json!({"cronline": "@daily"}),
            json!({"label": "l"}),
            Method::PUT,
        ),
        (
            &format!("{org}/portals"),
            "slug",
            json!({"name": "P", "query": "q"}),
            json!({"query": "r"}),
            Method::PUT,
        ),
        (
            &format!("{org}/pipeline-templates"),
            "uuid",
            json!({"name": "N", "configuration": "steps: []"}),
            json!({"available": true}),
            Method::PATCH,
        ),
        (
            &format!("{org}/rules"),
            "uuid",
            rule,
            Value::Null,
            Method::PUT,
        ),
    ] {
        let before = caller.items(list).await.len();
        let answer = caller.write(Method::POST, list, &made).await;
        assert_eq!(answer.status, 201, "{list}: {}", answer.text());
        let object = answer.json();
        let path = format!("{list}/{}", object[key].as_str().expect("a key"));
        assert_eq!(caller.items(list).await.len(), before + 1, "{list}");
        if !change.is_null() {
            let changed = caller.write(method, &path, &change).await;
            assert_eq!(changed.status, 200, "{path}: {}", changed.text());
            for (key, value) in change.as_object().expect("an object") {
                assert_eq!(&caller.get(&path).await.json()[key], value, "{path}");
            }
        }
        assert_eq!(caller.delete(&path).await.status, 204, "{path}");
        assert_eq!(caller.get(&path).await.status, 404, "{path}");
        assert_eq!(caller.items(list).await.len(), before, "{list}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_what_is_wrong_is_named() {
    let server = MockBuildkite::start(world()).await;
    let caller = Caller::new(&server);
    let cluster = first(&server, "clusters", "id", None);
    let base = format!("/v2/organizations/acme-inc/clusters/{cluster}");
    let token = caller
        .write(
            Method::POST,
            &format!("{base}/tokens"),
            &json!({"description": "t"}),
        )
        .await
        .json();
    assert!(token["token"].as_str().unwrap().starts_with("bkct_"));
    let path = format!("{base}/tokens/{}", token["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.json().get("token"), None);
    for (list, body, message) in [
        (
            "tokens",
            json!({}),
            "Validation failed: Description can't be blank",
        ),
        (
            "queues",
            json!({"key": "default"}),
            "Validation failed: Key has already been taken",
        ),
        (
            "secrets",
            json!({"key": "BUILDKITE_X", "value": "v"}),
            "Validation failed: Key is invalid",
        ),
        (
            "secrets",
            json!({"key": "A"}),
            "Validation failed: Value can't be blank",
        ),
    ] {
        let answer = caller
            .write(Method::POST, &format!("{base}/{list}"), &body)
            .await;
        assert_eq!(
            (answer.status, answer.message()),
            (422, message.to_owned()),
            "{body}"
        );
    }
}
