//! Streams that are plain lists, and lists of builds and jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use connector_core::{ErrorKind, Event, Message, ReadRequest, Selection, State, Status};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, StoredObject, Token, World};
use serde_json::{Map, Value, json};

use crate::bench::{Bench, checkpoints, records, seeded};

const ACME: (&str, &str) = ("organization_slug", "acme");

/// An organization with a pipeline, a finished build with one job, and one or two objects in
/// every collection.
fn world() -> World {
    let mut world = World::empty();
    world.create_build(
        BuildFixture::new("acme", "web")
            .state("passed")
            .job(JobFixture::script("Test").state("passed")),
    );
    fill(&mut world);
    world
}

fn fill(world: &mut World) {
    let build: Value = serde_json::from_str(&world.builds_json()[0]).expect("it is JSON");
    let job = build["jobs"][0]["id"]
        .as_str()
        .expect("it has a job")
        .to_owned();
    let build_id = build["id"].as_str().expect("it has an id").to_owned();
    let web = [ACME, ("pipeline_slug", "web")];
    let first = [ACME, ("pipeline_slug", "web"), ("build_number", "1")];
    let of_job = [ACME, ("job_id", job.as_str())];
    let cluster = [ACME, ("cluster_id", "c-1")];
    let team = [ACME, ("team_id", "t-1")];
    let suite = [ACME, ("suite_slug", "rspec")];
    let run = [ACME, ("suite_slug", "rspec"), ("run_id", "r-1")];
    let registry = [ACME, ("registry_slug", "gems")];
    let identified =
        |id: &str| json!({"id": id, "created_by": {"email": "a@b.c"}, "new_field": [1]});
    let unique = |uuid: &str| json!({"uuid": uuid, "created_at": "2026-01-01T00:00:00.000Z"});
    for (collection, parents, object) in [
        ("pipeline_schedules", &web[..], identified("s-1")),
        (
            "pipeline_webhooks",
            &web,
            json!({"enabled": true, "disabled_by": null}),
        ),
        (
            "artifacts",
            &first,
            json!({"id": "a-1", "job_id": job, "file_size": 3}),
        ),
        (
            "artifacts",
            &first,
            json!({"id": "a-2", "job_id": job, "file_size": 4}),
        ),
        (
            "annotations",
            &first,
            json!({"id": "n-1", "scope": "build", "job_id": null}),
        ),
        (
            "annotations",
            &first,
            json!({"id": "n-2", "scope": "job", "job_id": job}),
        ),
        ("step_uploads", &first, unique("u-1")),
        ("job_environments", &of_job, json!({"env": {"A": "s3cret"}})),
        (
            "build_tests",
            &[ACME, ("build_id", &build_id)],
            json!({"id": "x-1"}),
        ),
        ("pipeline_templates", &[ACME], unique("p-1")),
        (
            "agents",
            &[ACME],
            json!({"id": "g-1", "meta_data": ["queue=default"]}),
        ),
        ("clusters", &[ACME], identified("c-1")),
        ("clusters", &[ACME], identified("c-2")),
        ("cluster_queues", &cluster, identified("q-1")),
        ("cluster_tokens", &cluster, identified("k-1")),
        (
            "cluster_maintainers",
            &cluster,
            json!({"id": "m-1", "actor": {"type": "user"}}),
        ),
        ("cluster_secrets", &cluster, identified("e-1")),
        ("agent_images", &cluster, identified("i-1")),
        (
            "cache_volumes",
            &cluster,
            json!({"id": "v-1", "cluster_id": "c-1"}),
        ),
        (
            "network_ranges",
            &cluster,
            json!({"cidr_range": "192.0.2.0/24", "kind": "egress"}),
        ),
        (
            "organization_members",
            &[ACME],
            json!({"id": "me", "email": "a@b.c", "role": "admin"}),
        ),
        ("organization_invitations", &[ACME], identified("in-1")),
        ("audit_events", &[ACME], unique("ev-1")),
        ("audit_events", &[ACME], unique("ev-2")),
        (
            "notification_services",
            &[ACME],
            json!({"id": "no-1", "settings": {"token": "s3cret"}}),
        ),
        (
            "organization_api_settings",
            &[ACME],
            json!({"allowed_ip_addresses": null}),
        ),
        (
            "organization_pipeline_settings",
            &[ACME],
            json!({"default_branch": "main"}),
        ),
        ("repository_connections", &[ACME], identified("rc-1")),
        ("rules", &[ACME], unique("ru-1")),
        ("portals", &[ACME], unique("po-1")),
        (
            "emojis",
            &[ACME],
            json!({"name": "party", "url": "https://e.example/1"}),
        ),
        (
            "emojis",
            &[ACME],
            json!({"name": "party", "url": "https://e.example/2"}),
        ),
        ("teams", &[ACME], json!({"id": "t-1", "slug": "core"})),
        (
            "team_members",
            &team,
            json!({"user_id": "me", "role": "member"}),
        ),
        (
            "team_pipelines",
            &team,
            json!({"pipeline_id": "of-the-team", "access_level": "read_only"}),
        ),
        (
            "team_suites",
            &team,
            json!({"suite_id": "su-1", "access_level": ["read"]}),
        ),
        (
            "test_suites",
            &[ACME],
            json!({"id": "su-1", "slug": "rspec"}),
        ),
        (
            "test_runs",
            &suite,
            json!({"id": "r-1", "result": "failed"}),
        ),
        (
            "failed_executions",
            &run,
            json!({"execution_id": "fe-1", "run_id": "r-1"}),
        ),
        ("tests", &suite, json!({"id": "te-1", "labels": ["flaky"]})),
        ("tests", &suite, json!({"id": "te-2", "labels": []})),
        ("muted_tests", &suite, json!({"id": "te-1"})),
        ("skipped_tests", &suite, json!({"id": "te-2"})),
        ("registries", &[ACME], json!({"id": "re-1", "slug": "gems"})),
        (
            "packages",
            &registry,
            json!({"id": "pk-1", "digests": {"sha256": "0"}}),
        ),
        ("registry_tokens", &registry, identified("rt-1")),
    ] {
        world.put(collection, parents, object);
    }
    world.put_json("job_logs", &of_job, LOG);
}

/// `header_times` beyond 2^53, as they are.
const LOG: &str = r#"{"url":"u","content":"ok\n","size":3,"header_times":[1735689600123456789,9223372036854775807]}"#;

/// Streams that the fake gives without a collection.
const OTHERS: [&str; 4] = ["access_token", "user", "rate_limits", "flaky_tests"];

async fn declared(bench: &Bench) -> Vec<String> {
    let catalog = bench.source.discover().await.expect("it is valid");
    let names = catalog.streams.iter().map(|stream| stream.name.to_string());
    let own = ["organizations", "pipelines", "builds", "jobs"];
    names.filter(|name| !own.contains(&name.as_str())).collect()
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("it is valid")
}

#[tokio::test]
async fn every_object_of_every_list_arrives_with_the_keys_of_its_parents() {
    let bench = Bench::new(world()).await;
    let streams = declared(&bench).await;
    assert!(streams.len() >= 30, "{}", streams.len());

    let names: Vec<_> = streams.iter().map(String::as_str).collect();
    let messages = bench.read(&names).await;

    for stream in &streams {
        let read = records(&messages, stream);
        if OTHERS.contains(&stream.as_str()) {
            assert_eq!(read.len(), 1, "{stream}");
            continue;
        }
        let stored = bench.server.with_world(|world| world.objects(stream));
        assert!(!stored.is_empty(), "{stream}");
        assert_eq!(read.len(), stored.len(), "{stream}");
        for (record, stored) in read.iter().zip(&stored) {
            let (mut record, expected) = (object(record), object(&stored.json));
            for (key, value) in &expected {
                assert_eq!(record.remove(key).as_ref(), Some(value), "{stream}.{key}");
            }
            assert_eq!(record["organization_slug"], "acme", "{stream}");
            for (key, value) in &stored.parents {
                let is_same = |found: &Value| match found {
                    Value::String(text) => text == value,
                    found => found.as_u64() == value.parse().ok(),
                };
                let found = record.get(key).or(expected.get(key));
                assert!(found.is_some_and(is_same), "{stream}.{key}");
            }
        }
    }
}

/// Whether a record holds an object and the keys of its parents.
fn holds(record: &Map<String, Value>, stored: &StoredObject) -> bool {
    let object = object(&stored.json);
    let has_field = |(key, value): (&String, &Value)| record.get(key) == Some(value);
    let has_key = |(key, value): &(String, String)| match record.get(key) {
        Some(Value::String(text)) => text == value,
        Some(found) => found.as_u64().is_some_and(|n| value.parse() == Ok(n)),
        None => false,
    };
    let own = |key: &String| object.contains_key(key);
    object.iter().all(has_field) && stored.parents.iter().all(|one| own(&one.0) || has_key(one))
}

/// Whether each field is of a type that its schema allows, and none that is required is missing.
fn assert_fits(schema: &Value, record: &Map<String, Value>, stream: &str) {
    for required in schema["required"].as_array().into_iter().flatten() {
        let field = required.as_str().expect("a name");
        assert!(record.contains_key(field), "{stream}.{field} is missing");
    }
    for (field, value) in record {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = |allowed: &Value| allowed == kind || (kind == "integer" && allowed == "number");
        let fits = match &schema["properties"][field]["type"] {
            Value::Array(allowed) => allowed.iter().any(fits),
            // A field that is not listed, or may hold anything.
            Value::Null => true,
            allowed => fits(allowed),
        };
        assert!(
            fits,
            "{stream}.{field} is {kind}: {}",
            schema["properties"][field]
        );
    }
}

/// Reads all lists, and compares them with the store of the fake. How many objects there were, by
/// stream.
async fn compare_all(bench: &Bench) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let streams = declared(bench).await;
    let names: Vec<_> = streams.iter().map(String::as_str).collect();
    let (messages, _) = bench.attempt(&names, None).await;
    let catalog = bench.source.discover().await.expect("it is static");
    for stream in &catalog.streams {
        for record in records(&messages, stream.name.as_str()) {
            assert_fits(&stream.json_schema, &object(record), stream.name.as_str());
        }
    }
    for stream in streams.iter().filter(|one| !OTHERS.contains(&one.as_str())) {
        let read: Vec<_> = records(&messages, stream).into_iter().map(object).collect();
        let stored = bench.server.with_world(|world| world.objects(stream));
        // Jobs that never ran have a log and an environment that nobody asks for.
        let of_jobs = ["job_logs", "job_environments"].contains(&stream.as_str());
        let ran = |one: &StoredObject| bench.server.with_world(|world| has_run(world, one));
        let stored: Vec<_> = stored
            .into_iter()
            .filter(|one| !of_jobs || ran(one))
            .collect();
        for one in &stored {
            assert!(
                read.iter().any(|record| holds(record, one)),
                "{stream}: {one:?}"
            );
        }
        assert_eq!(read.len(), stored.len(), "{stream}");
        counts.insert(stream.clone(), stored.len());
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_made_up_world_has_arrives_value_by_value() {
    let bench = Bench::new(seeded(30, 3)).await;
    let counts = compare_all(&bench).await;
    let empty: Vec<_> = counts.iter().filter(|(_, count)| **count == 0).collect();
    assert!(empty.is_empty(), "the world has none of {empty:?}");
}

/// `BUILDKITE_RECORDED` names a folder of answers that Buildkite has really given.
#[tokio::test(flavor = "multi_thread")]
async fn recorded_objects_of_every_list_arrive_value_by_value() {
    let Some(folder) = std::env::var_os("BUILDKITE_RECORDED") else {
        return;
    };
    let world = World::load(&folder).expect("a folder of recorded answers");
    let bench = Bench::new(world).await;
    let counts = compare_all(&bench).await;
    for stream in [
        "agents",
        "annotations",
        "artifacts",
        "clusters",
        "cluster_queues",
    ] {
        assert!(counts[stream] > 0, "{stream}: {counts:?}");
    }
}

/// Whether the job that an object belongs to was started.
fn has_run(world: &World, stored: &StoredObject) -> bool {
    let (_, id) = stored
        .parents
        .iter()
        .find(|(key, _)| key == "job_id")
        .expect("it belongs to a job");
    world.builds_json().iter().any(|build| {
        let build = object(build);
        let jobs = build["jobs"].as_array().expect("it has jobs").iter();
        let is_it = |job: &&Value| job["id"] == **id && !job["started_at"].is_null();
        jobs.filter(is_it).count() > 0
    })
}

#[tokio::test]
async fn keys_are_unique_and_never_null() {
    let bench = Bench::new(world()).await;
    let catalog = bench.source.discover().await.unwrap();
    let names: Vec<_> = catalog.streams.iter().map(|s| s.name.as_str()).collect();

    let messages = bench.read(&names).await;

    for stream in &catalog.streams {
        let mut seen = BTreeMap::new();
        for record in records(&messages, stream.name.as_str()) {
            let record = object(record);
            let value = |key: &String| record.get(key).filter(|value| !value.is_null()).cloned();
            let key: Option<Vec<_>> = stream.primary_key.iter().map(value).collect();
            let key = key.unwrap_or_else(|| panic!("{}: {record:?}", stream.name));
            if !key.is_empty() {
                let key = serde_json::to_string(&key).unwrap();
                assert!(seen.insert(key, ()).is_none(), "{}", stream.name);
            }
        }
    }
}

#[tokio::test]
async fn integers_beyond_two_to_the_53_arrive_to_the_digit() {
    let bench = Bench::new(world()).await;
    let messages = bench.read(&["job_logs"]).await;
    let log = records(&messages, "job_logs")[0];
    assert!(
        log.contains("[1735689600123456789,9223372036854775807]"),
        "{log}"
    );
}

#[tokio::test]
async fn of_a_log_that_is_too_long_the_end_comes_and_that_is_told() {
    let mut world = world();
    world.clear("job_logs", &[ACME]);
    let job = object(&world.builds_json()[0])["jobs"][0]["id"].clone();
    let parents = [ACME, ("job_id", job.as_str().unwrap())];
    world.put(
        "job_logs",
        &parents,
        json!({"content": format!("{}é the end", "x".repeat(2000))}),
    );
    let bench = Bench::with(world, json!({"log_limit_bytes": 1024})).await;

    let messages = bench.read(&["job_logs"]).await;

    let log = object(records(&messages, "job_logs")[0]);
    let content = log["content"].as_str().unwrap();
    assert!(
        content.ends_with("xé the end") && content.len() == 1024,
        "{content}"
    );
    assert_eq!(log["size"], 2010);
    assert_eq!(log["content_truncated"], true);
    assert_eq!(log["job_id"], job);
    let is_told = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("log_limit_bytes (1024)"));
    assert!(bench.events().iter().any(is_told));
}

#[tokio::test]
async fn tests_come_with_their_metrics() {
    let bench = Bench::new(seeded(5, 1)).await;
    let messages = bench.read(&["tests"]).await;
    let tests = records(&messages, "tests");
    assert!(!tests.is_empty());
    for test in tests {
        let test = object(test);
        assert!(test["executions_count"].is_u64(), "{test:?}");
        assert!(test.contains_key("reliability"), "{test:?}");
    }
}

#[tokio::test]
async fn a_token_for_builds_alone_reads_builds_and_names_every_other_stream_with_its_scope() {
    let builder = MockBuildkite::builder(world());
    let settings = json!({"organizations": ["acme"]});
    let bench = Bench::started(builder, "bkua_narrow", settings).await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds"]));
    let catalog = bench.source.discover().await.unwrap();
    let names: Vec<_> = catalog.streams.iter().map(|s| s.name.as_str()).collect();

    let (messages, error) = bench.attempt(&names, None).await;

    let error = error.expect("streams that cannot be read");
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(records(&messages, "builds").len(), 1);
    assert_eq!(records(&messages, "jobs").len(), 1);
    assert_eq!(records(&messages, "annotations").len(), 2);
    let text = error.to_string();
    for stream in &catalog.streams {
        let name = &stream.name;
        let needs = stream.scopes.first();
        let is_open = stream.scopes.iter().all(|scope| scope == "read_builds");
        let is_complete = messages.contains(&Message::Status(name.clone(), Status::Complete));
        assert_eq!(is_complete, is_open, "{name}");
        if let Some(scope) = needs.filter(|_| !is_open) {
            assert!(
                text.contains(&format!("{name} (takes ")),
                "{name} in {text}"
            );
            assert!(text.contains(scope.as_str()), "{scope} in {text}");
        }
    }
}

#[tokio::test]
async fn the_catalog_says_for_each_stream_whether_the_token_may_read_it() {
    let builder = MockBuildkite::builder(world());
    let bench = Bench::started(builder, "bkua_narrow", json!({})).await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds", "read_agents"]));

    let catalog = bench.source.discover().await.unwrap();
    let marked = bench
        .source
        .permission_aware()
        .unwrap()
        .mark_readable(catalog)
        .await
        .unwrap();

    for (stream, is_readable) in [
        ("builds", true),
        ("agents", true),
        ("emojis", true),
        ("teams", false),
    ] {
        assert_eq!(
            marked.stream(stream).unwrap().is_readable,
            Some(is_readable),
            "{stream}"
        );
    }
    assert_eq!(bench.paths(), ["/v2/access-token"]);
}

#[tokio::test]
async fn a_plan_without_a_feature_stops_neither_the_rest_nor_other_organizations() {
    let mut world = world();
    world.add_organization("other");
    world.put(
        "audit_events",
        &[("organization_slug", "other")],
        json!({"uuid": "ev-9"}),
    );
    world.without_feature(
        "acme",
        "audit_events",
        403,
        "Your plan doesn't include audit events.",
    );
    world.without_feature("acme", "portals", 404, "Not Found");
    let bench = Bench::new(world).await;

    let (messages, error) = bench
        .attempt(&["audit_events", "portals", "teams"], None)
        .await;

    let text = error.expect("two streams that are not there").to_string();
    assert!(
        text.contains("audit_events (takes read_audit_events): ") && text.contains("Your plan"),
        "{text}"
    );
    assert!(
        text.contains("portals (takes read_portals): ") && text.contains("not enabled"),
        "{text}"
    );
    assert_eq!(records(&messages, "audit_events").len(), 1);
    assert_eq!(records(&messages, "teams").len(), 1);
}

#[tokio::test]
async fn a_list_without_pages_ends_after_one_request() {
    let bench = Bench::with(world(), json!({"organizations": ["acme"]})).await;
    let messages = bench.read(&["emojis"]).await;
    assert_eq!(records(&messages, "emojis").len(), 2);
    assert_eq!(bench.paths(), ["/v2/organizations/acme/emojis"]);
}

#[tokio::test]
async fn a_list_that_several_streams_need_is_read_once() {
    let bench = Bench::with(world(), json!({"organizations": ["acme"]})).await;
    bench
        .read(&["clusters", "cluster_queues", "cluster_secrets"])
        .await;
    let clusters = bench
        .paths()
        .into_iter()
        .filter(|path| path.ends_with("/clusters"));
    assert_eq!(clusters.count(), 1);
    assert_eq!(bench.paths().len(), 1 + 2 * 2);
}

#[tokio::test]
async fn two_organizations_do_not_mix_their_pipelines() {
    let mut world = world();
    world.add_pipeline("other", "web");
    let other = [("organization_slug", "other"), ("pipeline_slug", "web")];
    world.put("pipeline_schedules", &other, json!({"id": "s-9"}));
    let bench = Bench::new(world).await;

    let messages = bench.read(&["pipelines", "pipeline_schedules"]).await;

    let read = records(&messages, "pipeline_schedules")
        .into_iter()
        .map(object);
    let mut of: Vec<_> = read
        .map(|r| (r["id"].clone(), r["organization_slug"].clone()))
        .collect();
    of.sort_by_key(|(id, _)| id.to_string());
    assert_eq!(json!(of), json!([["s-1", "acme"], ["s-9", "other"]]));
    assert_eq!(
        bench.paths().len(),
        1 + 2 + 2,
        "pipelines are listed once for both streams"
    );
}

/// Reads streams incrementally; what was read, and the state that it left.
async fn sync(
    bench: &Bench,
    streams: &[&str],
    state: Option<State>,
) -> (Vec<Message>, Option<State>) {
    let selections = streams.iter().map(|name| Selection::incremental(*name));
    let request = ReadRequest::new(selections).with_state(state);
    let messages: Vec<_> = bench
        .source
        .read(request)
        .try_collect()
        .await
        .expect("a sync that succeeds");
    let state = checkpoints(&messages).pop().map(|(_, state)| state);
    (messages, state)
}

#[tokio::test]
async fn artifacts_cost_a_request_for_each_changed_build_and_none_for_others() {
    let mut world = World::empty();
    for _ in 0..50 {
        world.create_build(BuildFixture::new("acme", "web").state("passed"));
    }
    let bench = Bench::with(world, json!({"organizations": ["acme"]})).await;
    let requests = |bench: &Bench| {
        let paths = bench.paths().into_iter();
        paths.filter(|path| path.ends_with("/artifacts")).count()
    };

    let (_, state) = sync(&bench, &["builds", "artifacts"], None).await;
    assert_eq!(requests(&bench), 50);

    bench.server.clock().advance(Duration::from_secs(3600));
    let (_, state) = sync(&bench, &["builds", "artifacts"], state).await;
    assert_eq!(requests(&bench), 50, "nothing changed");

    let build = BuildFixture::new("acme", "web").state("passed");
    bench.server.with_world(|world| world.create_build(build));
    let number = [ACME, ("pipeline_slug", "web"), ("build_number", "51")];
    bench
        .server
        .with_world(|world| world.put("artifacts", &number, json!({"id": "a-51"})));
    let (messages, _) = sync(&bench, &["builds", "artifacts"], state).await;
    assert_eq!(requests(&bench), 51);
    assert_eq!(records(&messages, "artifacts").len(), 1);
}

#[tokio::test]
async fn a_page_is_covered_by_a_checkpoint_only_behind_the_lists_of_its_builds() {
    let bench = Bench::new(world()).await;
    let (messages, _) = sync(&bench, &["builds", "artifacts", "job_logs"], None).await;
    let is_listed = |message: &Message| match message {
        Message::Record(record) => record.stream == "artifacts" || record.stream == "job_logs",
        _ => false,
    };
    let last = messages.iter().rposition(is_listed).unwrap();
    let first = checkpoints(&messages)[0].0;
    assert!(last < first, "{last} {first}");
}

#[tokio::test]
async fn a_list_that_is_refused_midway_keeps_the_state_it_had() {
    let settings = json!({"organizations": ["acme"]});
    let bench = Bench::started(MockBuildkite::builder(world()), "bkua_narrow", settings).await;
    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds"]));
    let selections = ["builds", "artifacts"].map(Selection::incremental);
    let mut states = Vec::new();
    let mut reading = bench.source.read(ReadRequest::new(selections.clone()));
    while let Ok(Some(message)) = reading.try_next().await {
        if let Message::Checkpoint(state) = message {
            states.push(state);
        }
    }

    bench
        .server
        .add_token(Token::new("bkua_narrow").scopes(["read_builds", "read_artifacts"]));
    let request = ReadRequest::new(selections).with_state(states.pop());
    let messages: Vec<_> = bench.source.read(request).try_collect().await.unwrap();

    assert_eq!(records(&messages, "artifacts").len(), 2, "read at last");
}

#[tokio::test]
async fn what_is_sensitive_is_masked_unless_it_is_switched_on() {
    let hidden = Bench::with(world(), json!({"include_sensitive": []})).await;
    let streams = [
        "builds",
        "job_environments",
        "notification_services",
        "organization_members",
    ];
    let text = format!("{:?}", hidden.read(&streams).await);
    assert!(text.contains("[masked]"));
    for secret in ["s3cret", "@example", "a@b.c"] {
        assert!(!text.contains(secret), "{secret}");
    }

    let shown = hidden.open(json!({"include_sensitive": ["env"]})).await;
    let request = ReadRequest::new([Selection::full_refresh("job_environments")]);
    let messages: Vec<_> = shown.read(request).try_collect().await.unwrap();
    let env = object(records(&messages, "job_environments")[0]);
    assert_eq!(env["env"], json!({"A": "s3cret"}));
}

#[tokio::test]
async fn a_stream_of_the_configuration_is_read_like_any_other() {
    let settings = json!({"custom_streams": [
        {"name": "my_agents", "path": "v2/organizations/{organization}/agents", "key": ["id"]},
        {"name": "my_events", "path": "/v2/organizations/{organization}/audit_events", "paging": "cursor"},
        {"name": "my_items", "path": "v2/organizations/{organization}/services", "records": "/items"},
        {"name": "my_schedules", "path": "v2/organizations/{organization}/pipelines/{pipeline}/schedules"},
        {"name": "my_settings", "path": "v2/organizations/{organization}/api-settings", "paging": "object"},
    ]});
    let bench = Bench::with(world(), settings).await;
    let streams = [
        "my_agents",
        "my_events",
        "my_items",
        "my_schedules",
        "my_settings",
    ];

    let messages = bench.read(&streams).await;

    let counts = streams.map(|stream| records(&messages, stream).len());
    assert_eq!(counts, [1, 2, 1, 1, 1]);
    let schedule = object(records(&messages, "my_schedules")[0]);
    assert_eq!(schedule["pipeline_slug"], "web");
}
