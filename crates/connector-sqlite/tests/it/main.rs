//! The connector as its users see it: through the contract, and through SQL.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod capabilities;
mod commits;
mod comparison;
mod conformance;
mod failures;
mod overwrite;
mod replica;
mod sharing;
mod source;
mod tables;
mod tombstones;
mod values;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use connector_core::{
    Configuration, Destination, DestinationRole, ErrorKind, Event, JsonObject, Observer, Outcome,
    Record, Result, Setup, SourceRole, State, Stream, StreamPlan, WriteMode, WritePlan,
};
use connector_sqlite::Sqlite;
use rusqlite::Connection;
use rusqlite::types::FromSql;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder of its own for each test, and the path of a database in it.
fn warehouse() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.db");
    (folder, path)
}

async fn destination(path: &Path) -> Box<dyn Destination> {
    destination_heard(path, &Notices::default()).await
}

async fn destination_heard(path: &Path, notices: &Notices) -> Box<dyn Destination> {
    let configuration = Configuration::default().with("path", path.to_str().unwrap());
    let setup = Setup::new(configuration).with_observer(Arc::new(notices.clone()));
    DestinationRole::open(&Sqlite, setup).await.unwrap()
}

/// The notices that were heard.
#[derive(Debug, Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    fn heard(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Notices {
    fn observe(&self, event: Event) {
        if let Event::Notice { message, .. } = event {
            self.0.lock().unwrap().push(message);
        }
    }
}

fn stream(name: &str, properties: Value, key: &[&str]) -> Stream {
    let schema = json!({"type": "object", "properties": properties});
    Stream::new(name, "For tests.", schema).with_primary_key(key.iter().copied())
}

/// `builds` with the key `id` and the columns `id`, `number` and `state`.
fn builds() -> Stream {
    let text = json!({"type": ["string", "null"]});
    let properties = json!({"id": text, "number": {"type": "integer"}, "state": text});
    stream("builds", properties, &["id"])
}

/// Each stream in its preferred mode: those with a key are upserted, the others appended.
fn plan(streams: &[Stream]) -> WritePlan {
    let capabilities = DestinationRole::capabilities(&Sqlite);
    WritePlan::preferred("buildkite", streams.to_vec(), &capabilities).unwrap()
}

fn plan_in(mode: WriteMode, streams: &[Stream]) -> WritePlan {
    let plan = |stream: &Stream| StreamPlan::new(stream.clone(), mode);
    WritePlan::new("buildkite", streams.iter().map(plan))
}

fn record(stream: &str, text: &str) -> Record {
    Record::new(stream.into(), JsonObject::parse(text).unwrap())
}

fn removed(stream: &str, key: &str, reason: &str) -> Record {
    Record::removed(stream.into(), JsonObject::parse(key).unwrap(), reason)
}

fn rejected(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Rejected(reason) => reason,
        other => panic!("{other:?} is no refusal"),
    }
}

/// Writes records of one stream, gone or not, expects each to be accepted, and commits.
async fn sync_records(path: &Path, stream: &Stream, records: &[Record]) {
    let mut destination = started(path, std::slice::from_ref(stream)).await;
    let outcomes = destination.write(records.to_vec()).await.unwrap();
    assert_eq!(outcomes, vec![Outcome::Accepted; records.len()]);
    destination.commit(None).await.unwrap();
}

fn state(position: i64) -> State {
    let mut state = State::new("test", 1);
    state.set_stream("builds".into(), json!(position));
    state
}

async fn started(path: &Path, streams: &[Stream]) -> Box<dyn Destination> {
    let mut destination = destination(path).await;
    destination.start(&plan(streams)).await.unwrap();
    destination
}

async fn write(
    destination: &mut Box<dyn Destination>,
    stream: &str,
    texts: &[&str],
) -> Result<Vec<Outcome>> {
    let records = texts.iter().map(|text| record(stream, text)).collect();
    destination.write(records).await
}

/// Writes all of it in one sync, expects each record to be accepted, and commits.
async fn sync(path: &Path, stream: &Stream, texts: &[&str]) {
    let record = |text: &&str| record(stream.name.as_str(), text);
    let records: Vec<_> = texts.iter().map(record).collect();
    sync_records(path, stream, &records).await;
}

/// The first column of all rows.
fn rows<T: FromSql>(path: &Path, sql: &str) -> Vec<T> {
    let database = Connection::open(path).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

fn one<T: FromSql>(path: &Path, sql: &str) -> T {
    let mut rows = rows(path, sql);
    assert_eq!(rows.len(), 1, "{sql}");
    rows.remove(0)
}

#[test]
fn the_declared_settings_say_what_validation_says() {
    for (settings, keys) in [
        (
            SourceRole::settings(&Sqlite),
            &["path", "query", "stream"][..],
        ),
        (DestinationRole::settings(&Sqlite), &["path"]),
    ] {
        let schema = &settings.json_schema;
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["required"], json!(["path"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert!(schema["properties"]["path"]["description"].is_string());
        assert_eq!(settings.keys().collect::<Vec<_>>(), keys);
        assert_eq!(settings.location.unwrap().key, "path");
    }
    let flags = SourceRole::settings(&Sqlite).flags;
    let flags: Vec<_> = flags.iter().map(|flag| &*flag.flag).collect();
    assert_eq!(flags, ["query"]);
}

#[test]
fn a_wrong_setting_is_refused_by_its_key_before_anything_is_opened() {
    let must_be_file = "must be the path of a database file [key: path]";
    for (configuration, message) in [
        (json!({}), "missing key `path`: it must be set"),
        (json!({"path": ""}), must_be_file),
        (json!({"path": ":memory:"}), must_be_file),
        (
            json!({"path": "a", "pth": 1}),
            "unknown key `pth`, did you mean `path`?; allowed are `path`, `query`, `stream`",
        ),
        (
            json!({"path": "a", "query": "SELECT 1"}),
            "is for a source; leave it out of a destination [key: query]",
        ),
    ] {
        let setup = Setup::new(Configuration::new(configuration).unwrap());
        let error = DestinationRole::validate(&Sqlite, &setup).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), message);
    }
    let setup = Setup::new(Configuration::default().with("path", "missing/a.db"));
    DestinationRole::validate(&Sqlite, &setup).unwrap();
    let error = SourceRole::validate(&Sqlite, &setup).unwrap_err();
    assert!(error.to_string().contains("query"), "{error}");
}
