//! The destination over the fake. Waiting moves the fake's clock: no test sleeps.

mod actions;
mod builds;
mod conformance;
mod dry_run;
mod faults;
mod mutants;
mod owed;
mod pipelines;
mod records;
mod speed;
mod stopping;
mod targets;
mod waiting;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use buildkite_client::{Client, Clock};
use connector_core::{
    ActingDestination, Configuration, Destination, Event, JsonObject, Observer, Outcome, Record,
    Result, Stop, StreamPlan, WriteMode, WritePlan,
};
use futures::future::BoxFuture;
use mock_buildkite::{MockBuildkite, World};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::delivery::{ResultRow, Safeguards};
use super::{BuildkiteDestination, DestinationConfig, Host};

/// The time of the tests and of the fake: sleeping moves both on at once.
struct Time {
    start: Instant,
    passed: Mutex<Duration>,
    fake: mock_buildkite::Clock,
}

impl Clock for Time {
    fn now(&self) -> Instant {
        self.start + *self.passed.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self.passed.lock().unwrap() += duration;
        self.fake.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

/// Keeps what the user hears.
#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Observer for Heard {
    fn observe(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A fake, a folder, and what the destination is opened with.
struct Bench {
    server: MockBuildkite,
    folder: TempDir,
    time: Arc<Time>,
    heard: Arc<Heard>,
    /// What the host has taken of results.
    results: Mutex<Vec<Value>>,
    safeguards: Safeguards,
    is_dry: bool,
    stop: Stop,
    keys: Value,
}

impl Bench {
    /// Two pipelines, `web` and `api`, whose builds stand still.
    async fn new() -> Self {
        let mut world = World::empty();
        world.add_pipeline("acme", "web");
        world.add_pipeline("acme", "api");
        world.hold_builds();
        let builder = MockBuildkite::builder(world);
        let builder = builder
            .rate_limit_organization(1_000_000)
            .rate_limit_user(1_000_000);
        Self::over(builder.start().await.unwrap())
    }

    fn over(server: MockBuildkite) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let time = Time {
            start: Instant::now(),
            passed: Mutex::default(),
            fake: server.clock(),
        };
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let keys = json!({
            "base_url": server.uri(),
            "api_key": server.token(),
            "organization": "acme",
            "pipeline": "web",
            "rate_limit_reserve": 0,
            "journal": path("journal"),
        });
        Self {
            server,
            folder,
            time: Arc::new(time),
            heard: Arc::default(),
            results: Mutex::default(),
            safeguards: Safeguards::default(),
            is_dry: false,
            stop: Stop::new(),
            keys,
        }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys[key] = value.into();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> Result<BuildkiteDestination> {
        let keys = Configuration::new(self.keys.clone())?;
        let (connection, config) = DestinationConfig::parse(keys, None)?;
        let mut options = crate::connection::options(&connection)?;
        options.clock = self.time.clone();
        let client = Client::new(options).unwrap();
        let observer = Arc::clone(&self.heard) as Arc<dyn Observer>;
        let mut destination = BuildkiteDestination::with_client(
            connection,
            config,
            Host {
                observer,
                stop: self.stop.clone(),
                is_dry: self.is_dry,
                data_folder: Some(self.path("data")),
            },
            client,
            self.time.clone(),
        )?;
        destination.safeguards = self.safeguards;
        Ok(destination)
    }

    /// Writes records of a stream, as a host would.
    async fn write(&self, stream: &str, records: &[Value]) -> Result<Vec<Outcome>> {
        let mut destination = self.open()?;
        let written = self.write_to(&mut destination, stream, records).await;
        self.take_results(&mut destination);
        written
    }

    async fn write_to(
        &self,
        destination: &mut BuildkiteDestination,
        stream: &str,
        records: &[Value],
    ) -> Result<Vec<Outcome>> {
        destination.start(&plan("test", stream)).await?;
        let mut outcomes = Vec::new();
        for batch in records.chunks(100) {
            let batch = batch.iter().map(|one| record(stream, one)).collect();
            outcomes.extend(destination.write(batch).await?);
            self.take_results(destination);
            destination.commit(None).await?;
        }
        while destination.follow().await? {
            self.take_results(destination);
            destination.commit(None).await?;
        }
        destination.finish().await?;
        Ok(outcomes)
    }

    fn take_results(&self, destination: &mut BuildkiteDestination) {
        let results = destination.take_results();
        let results = results.iter().map(value);
        self.results.lock().unwrap().extend(results);
    }

    /// All results so far.
    fn results(&self) -> Vec<Value> {
        self.results.lock().unwrap().clone()
    }

    /// As [`write`](Self::write), and each record must be accepted. Returns their results.
    async fn accept(&self, stream: &str, records: &[Value]) -> Vec<Value> {
        let before = self.results().len();
        for outcome in self.write(stream, records).await.unwrap() {
            assert_eq!(outcome, Outcome::Accepted);
        }
        let mut results = self.results().split_off(before);
        // Those of one pipeline are in the order of its records.
        let mut result_of = |record: &Value| {
            let pipeline = record.get("pipeline").or(record.get("slug"));
            let pipeline = pipeline.cloned().unwrap_or("web".into());
            let is_its = |row: &Value| row["pipeline"] == pipeline;
            results.remove(results.iter().position(is_its).unwrap_or(0))
        };
        records.iter().map(&mut result_of).collect()
    }

    /// As [`write`](Self::write), and the one record must be refused.
    async fn refuse(&self, stream: &str, record: Value) -> String {
        let mut outcomes = self.write(stream, &[record]).await.unwrap();
        match outcomes.remove(0) {
            Outcome::Rejected(reason) => reason,
            outcome => panic!("{outcome:?}"),
        }
    }

    /// How many builds a pipeline has.
    fn builds(&self, pipeline: &str) -> usize {
        let mark = ("triggered-by", "buildkite-connector");
        self.server.with_world(|world| {
            world
                .builds_with_meta_data("acme", pipeline, mark.0, mark.1)
                .len()
        })
    }

    /// Methods of the requests since the last call, except that for the token.
    fn methods(&self, seen: &mut usize) -> Vec<String> {
        let requests = self.server.requests();
        let new = requests.iter().skip(*seen);
        let new = new.filter(|request| request.path != "/v2/access-token");
        let methods = new.map(|request| request.method.to_string()).collect();
        *seen = requests.len();
        methods
    }
}

fn record(stream: &str, value: &Value) -> Record {
    Record::new(stream.into(), JsonObject::from_serialize(value).unwrap())
}

fn value(object: &JsonObject) -> Value {
    serde_json::from_str(object.as_str()).unwrap()
}

/// The plan of a sync that writes one stream.
fn plan(sync: &str, stream: &str) -> WritePlan {
    let mut planned = ResultRow::stream();
    planned.name = stream.into();
    WritePlan::new(sync, [StreamPlan::new(planned, WriteMode::Append)])
}

/// A build of main.
fn build(number: usize) -> Value {
    json!({"commit": "HEAD", "branch": "main", "message": format!("deploy {number}")})
}
