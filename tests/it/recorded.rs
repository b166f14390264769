//! Answers that Buildkite has really given, from the file to the database.
//!
//! They are not part of this repository. `BUILDKITE_RECORDED` names a folder of them: JSON files,
//! each an answer of the API. Without it there is nothing to compare.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mock_buildkite::{MockBuildkite, World};

use crate::support::{
    Fake, Fields, Lines, Records, Warehouse, assert_equal, expected, fields, items,
};

#[test]
fn every_recorded_value_of_a_build_and_its_jobs_arrives_as_it_was_recorded() {
    let Some(folder) = std::env::var_os("BUILDKITE_RECORDED").map(PathBuf::from) else {
        say("BUILDKITE_RECORDED is not set: no recorded answers were compared");
        return;
    };
    let builder = MockBuildkite::builder(World::load(&folder).unwrap());
    // The addresses in its bodies stay as they were recorded.
    let fake = Fake::with(builder.origin("https://api.buildkite.com"));
    let expected = expected(&served_snapshots(&fake, &recorded_builds(&folder)));
    let output = tempfile::tempdir().unwrap();

    fake.sync(output.path(), "sqlite:all.db");
    fake.sync(output.path(), "jsonl:all.jsonl");

    assert_eq!(fake.unknown_requests(), []);
    Warehouse::open(&output.path().join("all.db")).assert_holds(&expected);
    let mut lines = Lines::read(&output.path().join("all.jsonl")).each_once();
    lines.retain(|(stream, _), _| stream == "builds" || stream == "jobs");
    assert_equal(&lines, &on_one_line(expected.clone()));
    let count = |name: &str| expected.keys().filter(|(stream, _)| stream == name).count();
    let values: usize = expected.values().map(Fields::len).sum();
    say(&format!(
        "{} recorded builds, {} jobs, {values} values compared twice",
        count("builds"),
        count("jobs")
    ));
}

/// All snapshots of each build, by its id as JSON.
fn recorded_builds(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut builds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let answers = if text.trim_start().starts_with('[') {
            items(&text)
        } else {
            vec![text]
        };
        for answer in answers.into_iter().filter(|answer| is_build(answer)) {
            builds
                .entry(fields(&answer)["id"].clone())
                .or_default()
                .push(answer);
        }
    }
    builds
}

/// Webhooks and other answers hold builds, too, but not as lists show them.
fn is_build(answer: &str) -> bool {
    if !answer.trim_start().starts_with('{') {
        return false;
    }
    let answer = fields(answer);
    let is_at = |url: &String| url.contains("/pipelines/") && url.contains("/builds/");
    ["id", "number", "state", "jobs", "pipeline"]
        .iter()
        .all(|key| answer.contains_key(*key))
        && answer.get("url").is_some_and(is_at)
}

/// Of each recorded build the snapshot that the fake serves, as text out of the file.
fn served_snapshots(fake: &Fake, recorded: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let served = fake.with_world(|world| world.builds_json());
    assert_eq!(served.len(), recorded.len(), "builds");
    let served = served.iter().map(|build| {
        let served = comparable(build);
        let snapshots = &recorded[&fields(build)["id"]];
        let is_it = |snapshot: &&String| comparable(snapshot) == served;
        let found = snapshots.iter().find(is_it);
        found.expect("the fake serves what was recorded").clone()
    });
    served.collect()
}

/// Blanks between jobs do not count, those in them do.
fn comparable(build: &str) -> (Fields, Vec<String>) {
    let mut build = fields(build);
    let jobs = build.remove("jobs").unwrap();
    (build, items(&jobs))
}

/// A line cannot hold line breaks: those between values are blanks there.
fn on_one_line(mut records: Records) -> Records {
    for value in records.values_mut().flat_map(Fields::values_mut) {
        *value = value.replace(['\r', '\n'], " ");
    }
    records
}

#[expect(
    clippy::print_stderr,
    reason = "a person wants to know whether anything was compared"
)]
fn say(line: &str) {
    eprintln!("{line}");
}
