//! Each documented example of an answer: the fake's own answer has its keys, with its types.
//! Answers have more keys than examples show, as the recorded ones do.
//!
//! The examples lie beside the folder that `BUILDKITE_RECORDED` names; without it there is nothing
//! to compare.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mock_buildkite::MockBuildkite;
use serde_json::Value;

use super::calls::{body, concrete, prepare, world};
use super::{Endpoint, endpoints, send};
use crate::caller::Caller;

/// Where an example and the fake may differ, and why: file, place, reason.
const REASONS: &str = include_str!("documented.txt");

/// The kinds of values at a place, and what lies below them.
#[derive(Debug, Default)]
struct Shape {
    kinds: BTreeSet<&'static str>,
    below: BTreeMap<String, Shape>,
}

/// Keys below which the user of the API decides on the keys.
const FREE: [&str; 9] = [
    "env",
    "meta_data",
    "policy",
    "tags",
    "metadata",
    "executions_count_by_result",
    "data",
    "matrix",
    "conditions",
];

impl Shape {
    fn of(value: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(value);
        shape
    }

    fn add(&mut self, value: &Value) {
        self.kinds.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        });
        let below = |shape: &mut Self, key: &str, value: &Value| {
            shape.below.entry(key.to_owned()).or_default().add(value);
        };
        for item in value.as_array().into_iter().flatten() {
            below(self, "[]", item);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            if FREE.contains(&key.as_str()) {
                let empty = if value.is_object() {
                    Value::Object(Default::default())
                } else {
                    value.clone()
                };
                below(self, key, &empty);
            } else {
                below(self, key, value);
            }
        }
    }

    /// What differs from an example: keys that it has and this has not, and kinds.
    fn differences(&self, example: &Self, place: &str, found: &mut Vec<String>) {
        let known = |shape: &Self| -> BTreeSet<&str> {
            shape
                .kinds
                .iter()
                .copied()
                .filter(|kind| *kind != "null")
                .collect()
        };
        let (own, documented) = (known(self), known(example));
        if !own.is_empty() && !documented.is_empty() && own.is_disjoint(&documented) {
            found.push(format!("{place} is {own:?} and not {documented:?}"));
        }
        for (key, documented) in &example.below {
            let place = format!("{place}.{key}");
            match self.below.get(key) {
                Some(own) => own.differences(documented, &place, found),
                // An empty list says nothing of its items, null nothing of its keys.
                None if key == "[]" || !self.kinds.contains("object") => {}
                None => found.push(format!("{place} is missing")),
            }
        }
    }
}

/// The path as the table of endpoints writes it.
fn short(path: &str) -> String {
    let mut path = path.to_owned();
    for (long, short) in [
        (
            "/v2/packages/organizations/{org.slug}/registries/{registry.slug}",
            "REGISTRY",
        ),
        (
            "/v2/analytics/organizations/{org.slug}/suites/{suite.slug}",
            "SUITE",
        ),
        (
            "/v2/organizations/{org.slug}/clusters/{cluster.id}",
            "CLUSTER",
        ),
        ("/v2/organizations/{org.slug}/teams/{team.uuid}", "TEAM"),
        (
            "/v2/organizations/{org.slug}/pipelines/{pipeline.slug}/builds/{build.number}",
            "BUILD",
        ),
        (
            "/v2/organizations/{org.slug}/pipelines/{pipeline.slug}/builds/{number}",
            "BUILD",
        ),
        (
            "/v2/organizations/{org.slug}/pipelines/{pipeline.slug}",
            "PIPE",
        ),
        ("/v2/organizations/{org.slug}/pipelines/{slug}", "PIPE"),
    ] {
        path = path.replace(long, short);
    }
    if path.starts_with("/v2/organizations/{org.slug}") {
        path = path.replacen("/v2/organizations/{org.slug}", "ORG", 1);
    }
    path
}

/// The examples of successful answers, with their endpoints.
fn examples(folder: &Path) -> Vec<(String, Endpoint, Value)> {
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(folder.join(name)).expect("a file of the folder");
        serde_json::from_str(&text).expect("JSON")
    };
    let index = read("index.json");
    let rows = index.as_array().expect("a list").iter();
    let successes = rows.filter(|row| {
        row["kind"] == "response" && row["status"].as_u64().is_some_and(|status| status < 300)
    });
    successes
        .filter_map(|row| {
            let file = row["file"].as_str()?;
            let path = short(row["path"].as_str()?);
            let mut all = endpoints().into_iter();
            let endpoint = all.find(|one| row["method"] == one.method && one.path == path)?;
            Some((file.to_owned(), endpoint, read(file)))
        })
        .collect()
}

fn is_excused(file: &str, difference: &str) -> bool {
    let rows = REASONS.lines().filter(|row| !row.starts_with('#'));
    let mut rows = rows.filter_map(|row| row.split_once(' '));
    rows.any(|(pattern, rest)| {
        let place = rest.split(" - ").next().unwrap_or_default();
        (pattern == "*" || file.starts_with(pattern)) && difference.contains(place)
    })
}

#[tokio::test]
async fn documented_examples_and_recorded_answers_have_the_keys_and_types_of_the_fake() {
    let Some(recorded) = std::env::var_os("BUILDKITE_RECORDED") else {
        return;
    };
    let folder = PathBuf::from(recorded).join("../examples");
    let examples = examples(&folder);
    assert!(examples.len() > 100, "{} examples", examples.len());
    let mut wrong = Vec::new();
    for (file, endpoint, example) in examples {
        let server = MockBuildkite::start(world()).await;
        prepare(&server, endpoint);
        let path = concrete(&server, endpoint);
        let body = body(&server, endpoint);
        let answer = send(&Caller::new(&server), endpoint, &path, &body).await;
        if answer.body.is_empty() {
            continue;
        }
        let mut found = Vec::new();
        Shape::of(&answer.json()).differences(&Shape::of(&example), "", &mut found);
        found.retain(|difference| !is_excused(&file, difference));
        wrong.extend(
            found
                .iter()
                .map(|difference| format!("{file} {difference}")),
        );
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
