//! Recorded answers are served as they were recorded.
//!
//! The folder is named by the environment variable `BUILDKITE_RECORDED`; without it there is
//! nothing to compare, and only the made-up folders are tested.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use mock_buildkite::{LoadError, MockBuildkite, World};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::caller::{Caller, texts};

type Object = HashMap<String, Box<RawValue>>;

/// One build in one file.
struct Snapshot {
    file: String,
    text: String,
    jobs: usize,
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> T {
    serde_json::from_str(text).expect("JSON of the expected kind")
}

/// All builds of all files, by id; files by name.
fn snapshots(folder: &Path) -> HashMap<String, Vec<Snapshot>> {
    let entries = fs::read_dir(folder).expect("the folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut all: HashMap<String, Vec<Snapshot>> = HashMap::new();
    for path in files {
        let file = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).expect("a text file");
        let objects: Vec<Box<RawValue>> = if text.trim_start().starts_with('[') {
            parse(&text)
        } else {
            vec![parse(&text)]
        };
        for object in objects {
            let value: Value = parse(object.get());
            let url = value["url"].as_str().unwrap_or_default();
            let is_build = value["commit"].is_string()
                && value["jobs"].is_array()
                && url.ends_with(&format!("/builds/{}", value["number"]));
            if is_build {
                let id = value["id"].as_str().expect("an id").to_owned();
                let text = object.get().to_owned();
                let file = file.clone();
                let jobs = value["jobs"].as_array().map_or(0, Vec::len);
                let snapshot = Snapshot { file, text, jobs };
                all.entry(id).or_default().push(snapshot);
            }
        }
    }
    all
}

/// Fails unless every value of the two objects is the same text, under the same keys in order.
fn assert_same(recorded: &str, served: &str, place: &str) {
    let order = |text: &str| -> Vec<String> {
        let object: serde_json::Map<String, Value> = parse(text);
        object.keys().cloned().collect()
    };
    assert_eq!(order(recorded), order(served), "{place}");
    let (recorded, served): (Object, Object) = (parse(recorded), parse(served));
    for (key, value) in &recorded {
        let place = format!("{place} {key}");
        if key != "jobs" {
            assert_eq!(value.get(), served[key].get(), "{place}");
            continue;
        }
        let mine: Vec<Box<RawValue>> = parse(value.get());
        let theirs: Vec<Box<RawValue>> = parse(served[key].get());
        assert_eq!(mine.len(), theirs.len(), "{place}");
        for (mine, theirs) in mine.iter().zip(&theirs) {
            assert_same(mine.get(), theirs.get(), &place);
        }
    }
}

/// The number after `poll` in a name.
fn poll(file: &str) -> Option<u32> {
    let (_, rest) = file.split_once("poll")?;
    rest.strip_suffix(".json")?.parse().ok()
}

#[tokio::test]
async fn every_recorded_build_is_served_value_for_value_in_its_latest_snapshot() {
    let Some(folder) = std::env::var_os("BUILDKITE_RECORDED") else {
        // Nothing is lost if nobody reads it.
        let _is_written = writeln!(
            std::io::stderr(),
            "skipped: BUILDKITE_RECORDED names no folder"
        );
        return;
    };
    let folder = PathBuf::from(folder);
    let recorded = snapshots(&folder);
    assert!(!recorded.is_empty(), "the folder holds builds");
    let world = World::load(&folder).unwrap();
    assert_eq!(world.build_ids().len(), recorded.len());
    let server = as_recorded(world).await;
    let caller = Caller::new(&server);

    let mut served = 0;
    let mut page = caller
        .get("/v2/builds?include_retried_jobs=true&per_page=50")
        .await;
    for _ in 0..100 {
        let builds: Vec<Box<RawValue>> = parse(std::str::from_utf8(&page.body).unwrap());
        for build in &builds {
            let value: Value = parse(build.get());
            let id = value["id"].as_str().unwrap();
            let jobs = value["jobs"].as_array().unwrap().len();
            let snapshots = &recorded[id];
            let latest = snapshots
                .iter()
                .max_by_key(|one| (poll(&one.file), one.jobs));
            let latest = latest.unwrap();
            assert!(latest.jobs >= jobs, "{id} of {}", latest.file);
            assert_same(
                &latest.text,
                build.get(),
                &format!("{id} of {}", latest.file),
            );
            served += 1;
        }
        let Some(next) = page.link("next") else {
            break;
        };
        page = caller.follow(&next).await;
    }
    assert_eq!(served, recorded.len());
}

/// A fake that leaves addresses as they were recorded.
async fn as_recorded(world: World) -> MockBuildkite {
    let builder = MockBuildkite::builder(world).origin("https://api.buildkite.com");
    builder.start().await.unwrap()
}

/// A build of a recorded file, with a number that a parser would write otherwise.
fn recorded(id: &str, state: &str) -> String {
    let url = "https://api.buildkite.com/v2/organizations/acme/pipelines/web/builds/7";
    format!(
        "{{\"id\": \"{id}\", \"url\": \"{url}\", \"number\": 7, \"state\": \"{state}\",
          \"commit\": \"HEAD\", \"created_at\": \"2015-04-23 17:26:52 UTC\", \"odd\": 1.50e3,
          \"pipeline\": {{\"slug\": \"web\"}}, \"jobs\": [{{\"id\": \"j\", \"big\": 12345678901234567890123}}]}}"
    )
}

#[tokio::test]
async fn numbers_texts_and_unknown_keys_of_a_file_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = recorded("one", "passed");
    fs::write(folder.path().join("builds.json"), format!("[{text}]")).unwrap();
    let server = as_recorded(World::load(folder.path()).unwrap()).await;
    let caller = Caller::new(&server);
    let list = caller.get("/v2/builds").await;
    let builds: Vec<Box<RawValue>> = parse(std::str::from_utf8(&list.body).unwrap());
    assert_same(&text, builds[0].get(), "made up");
    let found = caller
        .items("/v2/builds?created_from=2015-04-23T17:26:52Z")
        .await;
    assert_eq!(texts(&found, "id"), ["one"]);
    assert_eq!(
        caller.items("/v2/organizations/acme/pipelines").await[0]["slug"],
        "web"
    );
    assert_eq!(caller.items("/v2/organizations").await[0]["slug"], "acme");
}

#[test]
fn the_poll_with_the_highest_number_wins() {
    let folder = tempfile::tempdir().unwrap();
    for (file, state) in [
        ("a-poll10.json", "passed"),
        ("a-poll9.json", "running"),
        ("a-poll2.json", "failed"),
    ] {
        fs::write(
            folder.path().join(file),
            format!("[{}]", recorded("one", state)),
        )
        .unwrap();
    }
    let world = World::load(folder.path()).unwrap();
    let build: Value = parse(&world.build_json("one").unwrap());
    assert_eq!(build["state"], "passed");
}

#[test]
fn what_holds_nothing_to_serve_is_named_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = World::load(folder.path()).unwrap_err();
    assert!(matches!(empty, LoadError::Empty(_)), "{empty}");

    fs::write(
        folder.path().join("error.json"),
        "{\"message\": \"Forbidden\"}",
    )
    .unwrap();
    fs::write(folder.path().join("note.txt"), "no JSON").unwrap();
    fs::write(
        folder.path().join("mix.json"),
        format!("[{}, 1]", recorded("one", "passed")),
    )
    .unwrap();
    let world = World::load(folder.path()).unwrap();
    let ignored: Vec<_> = world
        .ignored()
        .iter()
        .map(|one| one.file.as_str())
        .collect();
    assert_eq!(ignored, ["error.json", "mix.json"]);

    fs::write(folder.path().join("torn.json"), "[{").unwrap();
    let torn = World::load(folder.path()).unwrap_err();
    assert!(torn.to_string().contains("torn.json is not JSON"), "{torn}");
    let gone = World::load(folder.path().join("none")).unwrap_err();
    assert!(matches!(gone, LoadError::Read { .. }), "{gone}");
}

/// What of the recorded lists is served, by collection.
const LISTED: [(&str, usize); 7] = [
    ("agents", 651),
    ("artifacts", 3),
    ("annotations", 1),
    ("clusters", 1),
    ("cluster_queues", 1),
    ("job_logs", 1),
    ("job_environments", 1),
];

#[tokio::test]
async fn recorded_objects_of_lists_are_served_value_for_value() {
    let Some(folder) = std::env::var_os("BUILDKITE_RECORDED") else {
        return;
    };
    let mut recorded = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        recorded.push(fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    }
    let world = World::load(&folder).unwrap();
    for (collection, count) in LISTED {
        let objects = world.objects(collection);
        assert_eq!(objects.len(), count, "{collection}");
        for object in objects {
            let is_there = recorded.iter().any(|text| text.contains(&object.json));
            assert!(is_there, "{}", object.json);
        }
    }
    let server = as_recorded(world).await;
    let caller = Caller::new(&server);
    let agents = caller.items("/v2/organizations/wayfair/agents").await;
    assert_eq!(agents.len(), 30);
    let clusters = "/v2/organizations/dean-test/clusters";
    let cluster = caller.items(clusters).await.remove(0);
    let queues = format!("{clusters}/{}/queues", cluster["id"].as_str().unwrap());
    assert_eq!(caller.items(&queues).await.len(), 1);
}

#[tokio::test]
async fn an_object_without_a_parent_goes_below_what_comes_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("builds.json", &format!("[{}]", recorded("one", "passed")));
    let url = "https://api.buildkite.com/v2/organizations/acme/pipelines/web/builds/99/artifacts/a";
    let artifact = format!(
        "{{\"id\":\"a\",\"job_id\":\"x\",\"url\":\"{url}\",\"download_url\":\"{url}/download\"}}"
    );
    write("artifacts.json", &format!("[{artifact}]"));
    write(
        "annotations.json",
        r#"[{"id":"n","context":"default","body_html":"<p>1</p>"}]"#,
    );
    let world = World::load(folder.path()).unwrap();
    assert!(world.ignored().is_empty());
    let server = as_recorded(world).await;
    let caller = Caller::new(&server);
    let build = "/v2/organizations/acme/pipelines/web/builds/7";
    let list = caller.get(&format!("{build}/artifacts")).await;
    assert_eq!(list.text(), format!("[{artifact}]"));
    assert_eq!(caller.items(&format!("{build}/annotations")).await.len(), 1);
}
