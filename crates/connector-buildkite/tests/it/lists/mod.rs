//! Streams that are plain lists.

mod children;
mod permissions;
mod world;

use std::collections::BTreeMap;

use connector_core::{ReadRequest, Selection};
use futures::TryStreamExt;
use mock_buildkite::{StoredObject, World};
use serde_json::{Map, Value, json};

use crate::bench::{Bench, records, seeded};
use world::world;

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

#[tokio::test]
async fn sensitive_values_are_masked_unless_they_are_listed() {
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
