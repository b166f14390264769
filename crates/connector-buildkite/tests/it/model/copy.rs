//! A copy in memory, and how it compares with the fake.

use std::collections::{BTreeMap, BTreeSet};

use connector_core::{Record, State};
use mock_buildkite::World;
use serde_json::{Map, Value};

use super::acts::ORGANIZATION;

/// Rows by stream and id.
pub(super) type Rows = BTreeMap<(String, String), Value>;

/// What a destination holds.
#[derive(Debug, Default)]
pub(super) struct Copy {
    pub(super) rows: Rows,
    pub(super) removed: BTreeSet<String>,
    /// Written by a try that died before a state covered them.
    ahead: BTreeSet<String>,
    pub(super) state: Option<State>,
}

impl Copy {
    pub(super) fn write(&mut self, record: &Record) {
        let row: Value = serde_json::from_str(record.data.as_str()).expect("a record is JSON");
        let id = row["id"].as_str().expect("records have ids").to_owned();
        if record.is_removed() {
            self.removed.insert(id);
            return;
        }
        self.removed.remove(&id);
        self.ahead.remove(&id);
        self.rows.insert((record.stream.to_string(), id), row);
    }

    /// Writes what no state covers yet.
    pub(super) fn write_ahead(&mut self, record: &Record) {
        self.write(record);
        let row: Value = serde_json::from_str(record.data.as_str()).expect("a record is JSON");
        self.ahead.extend(row["id"].as_str().map(str::to_owned));
    }

    /// Saves a state as a host does: as text, beside the states of other streams.
    pub(super) fn save(&mut self, state: &State) -> Result<(), String> {
        let text = state.to_json().expect("a state has a JSON form");
        let mut saved = State::parse(&text).map_err(|error| error.to_string())?;
        for (stream, value) in self.state.iter().flat_map(State::streams) {
            if saved.stream(stream.as_str()).is_none() {
                saved.set_stream(stream.clone(), value.clone());
            }
        }
        self.state = Some(saved);
        Ok(())
    }

    /// Fails with the first row that is not as the fake has it, of those that `is_meant`.
    pub(super) fn check(
        &self,
        truth: &Rows,
        is_meant: impl Fn(&Value) -> bool,
    ) -> Result<(), String> {
        for (key, expected) in truth {
            if !is_meant(expected) {
                continue;
            }
            match self.rows.get(key) {
                None => return Err(format!("{key:?} is missing; the fake has {expected}")),
                Some(row) if row != expected => {
                    return Err(format!("{key:?} is {row}, the fake has {expected}"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Every row that was open when a state covered it, and is no longer in the fake, is marked.
    pub(super) fn check_marks(&self, truth: &Rows) -> Result<(), String> {
        for (key, row) in &self.rows {
            let is_open = matches!(
                row["state"].as_str(),
                Some("creating" | "scheduled" | "running" | "failing" | "canceling")
            );
            let is_marked = self.removed.contains(&key.1);
            let is_known = key.0 == "builds" && !self.ahead.contains(&key.1);
            if is_known && !truth.contains_key(key) && is_open && !is_marked {
                return Err(format!("{row} is no longer in the fake, and not marked"));
            }
            if is_marked && truth.contains_key(key) {
                return Err(format!("{row} is marked, but the fake has it"));
            }
        }
        Ok(())
    }
}

/// What the records of the fake's builds and jobs must be now, those that the token may see.
pub(super) fn truth(world: &World) -> Rows {
    let mut rows = Rows::new();
    for text in world.builds_json() {
        let mut build: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
        let pipeline = build.shift_remove("pipeline").expect("a pipeline");
        let jobs = build.shift_remove("jobs").expect("jobs");
        let slug = pipeline["slug"].as_str().expect("a slug");
        if world.is_hidden(ORGANIZATION, slug) {
            continue;
        }
        let mut parents = Map::new();
        parents.insert("organization_slug".to_owned(), ORGANIZATION.into());
        parents.insert("pipeline_slug".to_owned(), pipeline["slug"].clone());
        parents.insert("pipeline_id".to_owned(), pipeline["id"].clone());
        for job in jobs.as_array().expect("an array") {
            let mut job = job.as_object().expect("an object").clone();
            job.insert("build_id".to_owned(), build["id"].clone());
            job.insert("build_number".to_owned(), build["number"].clone());
            job.extend(parents.clone());
            add(&mut rows, "jobs", job);
        }
        build.extend(parents);
        add(&mut rows, "builds", build);
    }
    rows
}

fn add(rows: &mut Rows, stream: &str, row: Map<String, Value>) {
    let id = row["id"].as_str().expect("an id").to_owned();
    rows.insert((stream.to_owned(), id), Value::Object(row));
}
