//! Every list of the API: that it is there, which scope it takes, how it is paged.

use mock_buildkite::{MockBuildkite, Seed, Token, World};
use serde_json::Value;

use crate::caller::Caller;

/// How a list comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Style {
    Pages,
    Cursor,
    Whole,
    Object,
}
use Style::{Cursor, Object, Pages, Whole};

/// Collection, path, scope, style, and the field by which one object is asked for.
type Route = (
    &'static str,
    &'static str,
    &'static str,
    Style,
    Option<&'static str>,
);

/// The lists as the facts about the API name them, with `{…}` for what varies.
#[rustfmt::skip]
const ROUTES: [Route; 44] = [
    ("pipeline_schedules", "{org}/pipelines/{pipeline}/schedules", "read_pipelines", Pages, Some("id")),
    ("pipeline_webhooks", "{org}/pipelines/{pipeline}/github-webhooks", "read_pipelines", Object, None),
    ("pipeline_templates", "{org}/pipeline-templates", "read_pipeline_templates", Whole, Some("uuid")),
    ("artifacts", "{org}/pipelines/{pipeline}/builds/{build}/artifacts", "read_artifacts", Pages, None),
    ("artifacts", "{org}/pipelines/{pipeline}/builds/{build}/jobs/{job}/artifacts", "read_artifacts", Pages, Some("id")),
    ("artifacts", "{org}/jobs/{job}/artifacts", "read_artifacts", Pages, Some("id")),
    ("annotations", "{org}/pipelines/{pipeline}/builds/{build}/annotations", "read_builds", Pages, None),
    ("annotations", "{org}/jobs/{job}/annotations", "read_builds", Pages, None),
    ("step_uploads", "{org}/pipelines/{pipeline}/builds/{build}/step-uploads", "read_builds", Cursor, Some("uuid")),
    ("job_logs", "{org}/jobs/{job}/log", "read_build_logs", Object, None),
    ("job_logs", "{org}/pipelines/{pipeline}/builds/{build}/jobs/{job}/log", "read_build_logs", Object, None),
    ("job_environments", "{org}/jobs/{job}/env", "read_job_env", Object, None),
    ("agents", "{org}/agents", "read_agents", Pages, Some("id")),
    ("clusters", "{org}/clusters", "read_clusters", Pages, Some("id")),
    ("cluster_queues", "{org}/clusters/{cluster}/queues", "read_clusters", Pages, Some("id")),
    ("cluster_tokens", "{org}/clusters/{cluster}/tokens", "read_clusters", Pages, Some("id")),
    ("cluster_maintainers", "{org}/clusters/{cluster}/maintainers", "read_clusters", Whole, Some("id")),
    ("cluster_secrets", "{org}/clusters/{cluster}/secrets", "read_secrets_details", Pages, Some("id")),
    ("agent_images", "{org}/clusters/{hosted}/agent-images", "read_clusters", Whole, Some("id")),
    ("cache_volumes", "{org}/clusters/{hosted}/cache_volumes", "read_clusters", Whole, None),
    ("network_ranges", "{org}/clusters/{hosted}/network_ranges", "read_clusters", Whole, None),
    ("organization_members", "{org}/members", "read_organizations", Whole, Some("id")),
    ("organization_invitations", "{org}/invitations", "read_organization_invitations", Cursor, Some("id")),
    ("audit_events", "{org}/audit_events", "read_audit_events", Cursor, Some("uuid")),
    ("notification_services", "{org}/services", "read_notification_services", Cursor, Some("id")),
    ("organization_api_settings", "{org}/api-settings", "read_organization_settings", Object, None),
    ("organization_pipeline_settings", "{org}/pipeline-settings", "read_organization_settings", Object, None),
    ("repository_connections", "{org}/repository_connections", "read_organization_repository_connections", Whole, Some("id")),
    ("connection_repositories", "{org}/repository_connections/{connection}/repositories", "read_organization_repository_connections", Whole, None),
    ("teams", "{org}/teams", "read_teams", Pages, Some("id")),
    ("team_members", "{org}/teams/{team}/members", "read_teams", Whole, Some("user_id")),
    ("team_pipelines", "{org}/teams/{team}/pipelines", "read_teams", Pages, Some("pipeline_id")),
    ("team_suites", "{org}/teams/{team}/suites", "read_teams", Whole, Some("suite_id")),
    ("rules", "{org}/rules", "read_rules", Pages, Some("uuid")),
    ("portals", "{org}/portals", "read_portals", Pages, Some("slug")),
    ("test_suites", "{analytics}/suites", "read_suites", Pages, Some("slug")),
    ("test_runs", "{analytics}/suites/rspec/runs", "read_suites", Pages, Some("id")),
    ("failed_executions", "{analytics}/suites/{suite}/runs/{run}/failed_executions", "read_suites", Pages, None),
    ("tests", "{analytics}/suites/rspec/tests", "read_suites", Pages, Some("id")),
    ("muted_tests", "{analytics}/suites/rspec/tests/muted", "read_suites", Whole, None),
    ("skipped_tests", "{analytics}/suites/rspec/tests/skipped", "read_suites", Whole, None),
    ("registries", "{packages}", "read_registries", Whole, Some("slug")),
    ("packages", "{packages}/gems/packages", "read_packages", Cursor, Some("id")),
    ("registry_tokens", "{packages}/gems/tokens", "read_registries", Whole, Some("id")),
];

pub(crate) fn seeded() -> World {
    World::seeded(&Seed {
        pipelines: 3,
        builds: 40,
        jobs_per_build: 6,
        ..Seed::default()
    })
}

/// The first object in a collection that has a field, as a list shows it.
fn first(world: &World, collection: &str, field: &str) -> String {
    let objects = world.objects(collection).into_iter();
    let mut values = objects.filter_map(|one| {
        let object: Value = serde_json::from_str(&one.json).expect("it is JSON");
        object[field].as_str().map(str::to_owned)
    });
    values.next().expect("there is one")
}

/// The value of a parent of the last object in a collection that has it.
fn parent(world: &World, collection: &str, key: &str) -> String {
    let objects = world.objects(collection).into_iter().rev();
    let mut parents = objects.flat_map(|one| one.parents);
    let parent = parents.find(|(name, _)| name == key);
    parent.expect("one has the key").1
}

/// The path of a list, with ids of the world in it.
fn path(world: &World, collection: &str, pattern: &str) -> String {
    let mut path = pattern
        .replace("{org}", "/v2/organizations/acme-inc")
        .replace("{analytics}", "/v2/analytics/organizations/acme-inc")
        .replace(
            "{packages}",
            "/v2/packages/organizations/acme-inc/registries",
        );
    for (part, collection, key) in [
        ("{pipeline}", collection, "pipeline_slug"),
        ("{build}", collection, "build_number"),
        ("{job}", collection, "job_id"),
        ("{hosted}", "agent_images", "cluster_id"),
        ("{cluster}", "cluster_queues", "cluster_id"),
        ("{connection}", "connection_repositories", "connection_id"),
        ("{suite}", "failed_executions", "suite_slug"),
        ("{run}", "failed_executions", "run_id"),
        ("{team}", "team_members", "team_id"),
    ] {
        if path.contains(part) {
            path = path.replace(part, &parent(world, collection, key));
        }
    }
    path
}

fn items(style: Style, body: &Value) -> Vec<Value> {
    match style {
        Object => vec![body.clone()],
        Cursor => body["items"].as_array().cloned().unwrap_or_default(),
        _ => body.as_array().cloned().unwrap_or_default(),
    }
}

#[tokio::test]
async fn every_list_answers_with_its_scope_and_is_refused_without_it() {
    let server = MockBuildkite::start(seeded()).await;
    for (collection, pattern, scope, style, _) in ROUTES {
        let path = server.with_world(|world| path(world, collection, pattern));
        server.add_token(Token::new("bkua_one").scopes([scope]));
        server.add_token(Token::new("bkua_none").scopes(["read_user"]));
        let query = if pattern.ends_with("{build}/annotations") {
            "?scope=all"
        } else {
            ""
        };

        let answer = Caller::with_token(server.uri(), "bkua_one")
            .get(&format!("{path}{query}"))
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(!items(style, &answer.json()).is_empty(), "{path}");
        assert_eq!(
            answer.header("x-accepted-oauth-scopes"),
            Some(scope),
            "{path}"
        );

        let refused = Caller::with_token(server.uri(), "bkua_none")
            .get(&path)
            .await;
        assert_eq!(refused.status, 403, "{path}");
        let message = format!("Your access token doesn't have the {scope} scope");
        assert_eq!(refused.message(), message, "{path}");
        assert_eq!(
            Caller::with_token(server.uri(), "").get(&path).await.status,
            401
        );
    }
    assert!(server.unknown_requests().is_empty());
}

#[tokio::test]
async fn every_list_gives_what_the_world_says_it_holds() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    for (collection, pattern, _, style, _) in ROUTES {
        let path = server.with_world(|world| path(world, collection, pattern));
        let segments: Vec<&str> = path.split('/').collect();
        let is_of_path = |(key, value): &(String, String)| {
            matches!(
                key.as_str(),
                "build_id" | "build_number" | "pipeline_slug" | "job_id"
            ) || segments.contains(&value.as_str())
        };
        let names_build = |key: &str| {
            let at = segments.iter().position(|part| *part == key)?;
            segments.get(at + 1).copied()
        };
        let expected: Vec<Value> = server
            .with_world(|world| world.objects(collection))
            .into_iter()
            .filter(|one| {
                let parent = |key: &str| {
                    let mut parents = one.parents.iter();
                    parents
                        .find(|(name, _)| name == key)
                        .map(|(_, value)| value.as_str())
                };
                one.parents.iter().all(is_of_path)
                    && names_build("builds").is_none_or(|n| parent("build_number") == Some(n))
                    && names_build("pipelines")
                        .is_none_or(|p| parent("pipeline_slug").is_none_or(|own| own == p))
                    && names_build("jobs").is_none_or(|job| parent("job_id") == Some(job))
            })
            .map(|one| serde_json::from_str(&one.json).unwrap())
            .collect();
        let query = if pattern.ends_with("{build}/annotations") {
            "&scope=all"
        } else {
            ""
        };
        let answer = caller.get(&format!("{path}?per_page=100{query}")).await;
        assert!(!expected.is_empty(), "{path}");
        assert_eq!(items(style, &answer.json()), expected, "{path}");
    }
}

#[tokio::test]
async fn one_object_is_found_by_its_key_and_another_is_missed_by_name() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    for (collection, pattern, _, style, key) in ROUTES {
        let Some(key) = key else { continue };
        let path = server.with_world(|world| path(world, collection, pattern));
        let list = items(style, &caller.get(&path).await.json());
        let listed = &list[0];
        let id = listed[key].as_str().unwrap();
        let one = caller.get(&format!("{path}/{id}")).await;
        assert_eq!(one.status, 200, "{path}/{id}");
        let one = one.json();
        for (field, value) in listed.as_object().unwrap() {
            assert_eq!(&one[field], value, "{path}/{id} {field}");
        }
        let missing = caller.get(&format!("{path}/none")).await;
        assert_eq!(missing.status, 404, "{path}");
        assert!(
            missing.message().starts_with("No "),
            "{path}: {}",
            missing.text()
        );
    }
}

#[tokio::test]
async fn lists_are_paged_as_the_api_pages_them() {
    let server = MockBuildkite::builder(seeded()).start().await.unwrap();
    let caller = Caller::new(&server);
    for (collection, pattern, _, style, _) in ROUTES {
        let path = server.with_world(|world| path(world, collection, pattern));
        let query = if pattern.ends_with("{build}/annotations") {
            "&scope=all"
        } else {
            ""
        };
        let all = items(
            style,
            &caller
                .get(&format!("{path}?per_page=100{query}"))
                .await
                .json(),
        );
        let first = caller.get(&format!("{path}?per_page=1{query}")).await;
        match style {
            Object => assert_eq!(all.len(), 1),
            Whole => assert_eq!(items(style, &first.json()), all, "{path}"),
            Pages => {
                let mut found = items(style, &first.json());
                let mut page = first;
                while let Some(next) = page.link("next") {
                    page = caller.follow(&next).await;
                    found.extend(page.items());
                }
                assert_eq!(found, all, "{path}");
            }
            Cursor => {
                let mut page = first.json();
                let mut found = items(style, &page);
                while let Some(next) = page["links"]["next"].as_str() {
                    page = caller.follow(next).await.json();
                    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{path}");
                    found.extend(items(style, &page));
                }
                assert_eq!(found, all, "{path}");
                for bad in ["per_page=0", "per_page=101", "after=junk"] {
                    assert_eq!(
                        caller.get(&format!("{path}?{bad}")).await.status,
                        400,
                        "{path}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn lists_that_are_not_said_to_be_paged_can_be() {
    let builder = MockBuildkite::builder(seeded()).pages_plain_lists();
    let server = builder.start().await.unwrap();
    let answer = Caller::new(&server)
        .get("/v2/organizations/acme-inc/members?per_page=4")
        .await;
    assert_eq!(answer.items().len(), 4);
    assert!(answer.link("next").is_some());
}

#[tokio::test]
async fn emojis_need_no_scope_come_whole_and_have_names_that_repeat() {
    let server = MockBuildkite::start(seeded()).await;
    server.add_token(Token::new("bkua_none").scopes(["read_user"]));
    let caller = Caller::with_token(server.uri(), "bkua_none");
    let answer = caller
        .get("/v2/organizations/acme-inc/emojis?per_page=10")
        .await;
    assert!(answer.header("link").is_none());
    let emojis = answer.items();
    assert!(emojis.len() > 100, "{}", emojis.len());
    let named = emojis.iter().filter(|emoji| emoji["name"] == "face-7");
    assert_eq!(named.count(), 3);
    assert!(emojis.iter().any(|emoji| emoji["aliases"].is_array()));
}

#[tokio::test]
async fn a_world_of_its_own_has_nothing_in_its_lists() {
    let mut world = World::empty();
    world.create_build(crate::caller::build().state("passed"));
    for (collection, ..) in ROUTES {
        assert!(world.objects(collection).is_empty(), "{collection}");
    }
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    assert_eq!(
        caller.items("/v2/organizations/acme/agents").await,
        Vec::<Value>::new()
    );
    let none = caller
        .get("/v2/organizations/acme/pipelines/web/github-webhooks")
        .await;
    assert_eq!(none.status, 404);
}

#[test]
fn the_same_seed_fills_every_list_alike_and_another_otherwise() {
    let (one, same) = (seeded(), seeded());
    let other = World::seeded(&Seed {
        seed: 2,
        ..Seed::default()
    });
    for (collection, ..) in ROUTES {
        let objects = one.objects(collection);
        assert_eq!(objects, same.objects(collection), "{collection}");
        let is_constant = [
            "network_ranges",
            "organization_api_settings",
            "connection_repositories",
        ];
        if !is_constant.contains(&collection) {
            assert_ne!(objects, other.objects(collection), "{collection}");
        }
    }
    assert_ne!(first(&one, "agents", "id"), first(&other, "agents", "id"));
}
