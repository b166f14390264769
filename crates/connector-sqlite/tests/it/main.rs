//! The destination as its users see it: through the contract on one side, through SQL on the other.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod commits;
mod comparison;
mod conformance;
mod failures;
mod gone;
mod replica;
mod source;
mod tables;
mod values;

use std::path::{Path, PathBuf};

use connector_core::{
    Configuration, Connector, Destination, ErrorKind, JsonObject, Outcome, Record, Result, Setup,
    State, Stream, SyncMode, WritePlan,
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
    let configuration = Configuration::default().with("path", path.to_str().unwrap());
    let opened = Sqlite.open_destination(Setup::new(configuration)).await;
    opened.unwrap()
}

fn stream(name: &str, properties: Value, key: &[&str]) -> Stream {
    Stream {
        name: name.into(),
        description: "For tests.".to_owned(),
        json_schema: json!({"type": "object", "properties": properties}),
        is_default: true,
        scopes: Vec::new(),
        is_readable: None,
        primary_key: key.iter().map(|field| (*field).to_owned()).collect(),
        cursor: None,
        sync_modes: vec![SyncMode::FullRefresh],
    }
}

/// `builds` with the key `id` and the columns `id`, `number` and `state`.
fn builds() -> Stream {
    let text = json!({"type": ["string", "null"]});
    let properties = json!({"id": text, "number": {"type": "integer"}, "state": text});
    stream("builds", properties, &["id"])
}

fn plan(streams: &[Stream]) -> WritePlan {
    WritePlan {
        sync: "buildkite".to_owned(),
        streams: streams.to_vec(),
    }
}

fn record(stream: &str, text: &str) -> Record {
    Record::new(stream.into(), JsonObject::parse(text).unwrap())
}

fn gone(stream: &str, key: &str, why: &str) -> Record {
    Record::gone(stream.into(), JsonObject::parse(key).unwrap(), why)
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
    assert_eq!(outcomes, vec![Outcome::Accepted(None); records.len()]);
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

#[tokio::test]
async fn the_schema_of_the_configuration_says_what_parsing_says() {
    let schema = Sqlite.configuration_schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["required"], json!(["path"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert!(schema["properties"]["path"]["description"].is_string());

    for (configuration, message) in [
        (json!({}), "missing key `path`: it must be set"),
        (
            json!({"path": "a", "pth": 1}),
            "unknown key `pth`; allowed are `path`, `query`, `stream`",
        ),
        (
            json!({"path": ""}),
            "must be the path of a database file [key: path]",
        ),
        (
            json!({"path": ":memory:"}),
            "must be the path of a database file [key: path]",
        ),
    ] {
        let setup = Setup::new(Configuration::new(configuration).unwrap());
        let Err(error) = Sqlite.open_destination(setup).await else {
            panic!("{message}");
        };
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), message);
    }
}
