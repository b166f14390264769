//! A copy in memory, and how it compares with the fake.

use std::collections::{BTreeMap, BTreeSet};

use connector_core::{Catalog, Record, State, StreamName};
use mock_buildkite::{DEMO_TOKEN, World};
use serde_json::{Map, Value};

/// Rows by stream and id.
pub(super) type Rows = BTreeMap<(String, String), Value>;

/// What a destination holds.
#[derive(Debug, Default)]
pub(super) struct Copy {
    pub(super) rows: Rows,
    pub(super) removed: BTreeSet<String>,
    /// Written by a try that died before a state covered them.
    ahead: BTreeSet<String>,
    /// The end of a divided read does not know the jobs of all open builds.
    pub(super) is_divided: bool,
    pub(super) state: Option<State>,
    /// Open jobs whose build was marked by a sync that did not read jobs. Only the state knew them,
    /// until it was dropped: their build is not open in the copy, so nothing leads to them.
    forgotten: BTreeSet<String>,
}

impl Copy {
    pub(super) fn write(&mut self, record: &Record) {
        let mut row = serde_json::from_str(record.data.as_str()).expect("a record is JSON");
        leave_out_later_jobs(&mut row);
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

    /// Drops the state, for a restart.
    pub(super) fn forget(&mut self) {
        self.state = None;
        let is_marked = |id: Option<&str>| id.is_some_and(|id| self.removed.contains(id));
        let rows = self.rows.iter().filter(|((_, id), row)| {
            is_marked(row["build_id"].as_str()) && !self.removed.contains(id)
        });
        let forgotten: Vec<_> = rows.map(|((_, id), _)| id.clone()).collect();
        self.forgotten.extend(forgotten);
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
            if key.0 == "jobs" && !truth.contains_key(key) && !is_marked && !self.is_divided {
                self.check_job(key, row)?;
            }
            if is_marked && truth.contains_key(key) {
                return Err(format!("{row} is marked, but the fake has it"));
            }
        }
        Ok(())
    }

    /// An open job of a build that is marked is marked, too.
    fn check_job(&self, key: &(String, String), row: &Value) -> Result<(), String> {
        let is_open = matches!(row["state"].as_str(), Some("scheduled" | "running"));
        let build = row["build_id"].as_str().unwrap_or_default();
        let is_known = !self.ahead.contains(&key.1) && !self.forgotten.contains(&key.1);
        if is_open && self.removed.contains(build) && is_known {
            return Err(format!("{row} is not marked, but its build is"));
        }
        Ok(())
    }

    /// The rows that are open, as a host passes them.
    pub(super) fn open_rows(&self, catalog: &Catalog) -> BTreeMap<StreamName, Vec<Vec<Value>>> {
        let mut all = BTreeMap::new();
        for stream in &catalog.streams {
            let Some(open) = &stream.open_rows else {
                continue;
            };
            let rows = self.rows.iter();
            let rows = rows.filter(|((of, id), row)| {
                let value = row.get(&open.field).and_then(Value::as_str);
                let is_settled = value.map_or(open.null_is_settled, |value| {
                    open.settled.iter().any(|settled| settled == value)
                });
                stream.name == of.as_str() && !self.removed.contains(id) && !is_settled
            });
            let wanted = |(_, row): (_, &Value)| {
                let fields = open.wanted.iter();
                let values = fields.map(|field| row.get(field).cloned().unwrap_or_default());
                values.collect()
            };
            all.insert(stream.name.clone(), rows.map(wanted).collect());
        }
        all
    }
}

/// What the records of the fake's builds and jobs must be now, those that the token may see.
pub(super) fn truth(world: &World) -> Rows {
    let mut rows = Rows::new();
    for text in world.builds_json() {
        let mut build: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
        let organization = organization_of(&build).to_owned();
        let pipeline = build.shift_remove("pipeline").expect("a pipeline");
        let jobs = build.shift_remove("jobs").expect("jobs");
        let slug = pipeline["slug"].as_str().expect("a slug");
        if world.is_hidden(&organization, slug) || !world.token_sees(DEMO_TOKEN, &organization) {
            continue;
        }
        let mut parents = Map::new();
        parents.insert("organization_slug".to_owned(), organization.into());
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

/// The slug of the organization in the address of a build.
fn organization_of(build: &Map<String, Value>) -> &str {
    let address = build["url"].as_str().expect("an address");
    let (_, rest) = address
        .split_once("/organizations/")
        .expect("an organization");
    rest.split('/').next().expect("its slug")
}

fn add(rows: &mut Rows, stream: &str, row: Map<String, Value>) {
    let id = row["id"].as_str().expect("an id").to_owned();
    let mut row = Value::Object(row);
    leave_out_later_jobs(&mut row);
    rows.insert((stream.to_owned(), id), row);
}

/// What the agent of a job does after it is no change of the job.
fn leave_out_later_jobs(row: &mut Value) {
    if let Some(agent) = row.get_mut("agent").and_then(Value::as_object_mut) {
        agent.shift_remove("last_job_finished_at");
    }
}
