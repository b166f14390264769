//! The connector as its users see it: through the contract on one side, as files on the other.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conformance;
mod file;
mod folder;
mod gone;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use connector_core::{
    Configuration, Connector, Destination, Error, ErrorKind, JsonObject, Outcome, Record, Setup,
    State, Stream, SyncMode, WritePlan,
};
use connector_jsonl::Jsonl;
use serde_json::json;
use tempfile::TempDir;

/// A folder of its own for each test, and a path in it.
fn place(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

fn setup(path: &str) -> Setup {
    Setup::new(Configuration::default().with("path", path))
}

async fn destination(path: &Path) -> Box<dyn Destination> {
    let opened = Jsonl.open_destination(setup(path.to_str().unwrap())).await;
    opened.unwrap()
}

fn stream(name: &str) -> Stream {
    Stream {
        name: name.into(),
        description: "For tests.".to_owned(),
        json_schema: json!({"type": "object"}),
        is_default: true,
        scopes: Vec::new(),
        is_readable: None,
        primary_key: vec!["id".to_owned()],
        cursor: None,
        sync_modes: vec![SyncMode::FullRefresh],
    }
}

fn plan(sync: &str, streams: &[&str]) -> WritePlan {
    WritePlan {
        sync: sync.to_owned(),
        streams: streams.iter().map(|name| stream(name)).collect(),
    }
}

fn record(stream: &str, text: &str) -> Record {
    Record::new(stream.into(), JsonObject::parse(text).unwrap())
}

fn gone(stream: &str, key: &str, why: &str) -> Record {
    Record::gone(stream.into(), JsonObject::parse(key).unwrap(), why)
}

fn state(position: i64) -> State {
    let mut state = State::new("test", 1);
    state.set_stream("builds".into(), json!(position));
    state
}

const STATE_1: &str = r#"{"connector":"test","version":1,"streams":{"builds":1}}"#;

/// Starts the sync `s` with the streams `builds` and `jobs`; returns what it found.
async fn start(destination: &mut Box<dyn Destination>) -> Result<Option<State>, Error> {
    destination.start(&plan("s", &["builds", "jobs"])).await
}

async fn started(path: &Path) -> Box<dyn Destination> {
    let mut destination = destination(path).await;
    start(&mut destination).await.unwrap();
    destination
}

async fn write(destination: &mut Box<dyn Destination>, stream: &str, text: &str) {
    let outcomes = destination.write(vec![record(stream, text)]).await;
    assert_eq!(outcomes.unwrap(), [Outcome::Accepted(None)]);
}

async fn refusal_of_start(path: &Path) -> Error {
    start(&mut destination(path).await).await.unwrap_err()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn append(path: &Path, more: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    bytes.extend_from_slice(more);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn the_schema_of_the_configuration_says_what_parsing_says() {
    let schema = Jsonl.configuration_schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["required"], json!(["path"]));
    assert_eq!(schema["additionalProperties"], json!(false));

    for (configuration, message) in [
        (json!({}), "missing key `path`: it must be set"),
        (
            json!({"path": ""}),
            "must be a file, a folder or `-` [key: path]",
        ),
        (
            json!({"path": "-", "stream": ""}),
            "must be the name of a stream [key: stream]",
        ),
        (
            json!({"path": "-", "stream": "a"}),
            "is only for a source; remove it [key: stream]",
        ),
    ] {
        let setup = Setup::new(Configuration::new(configuration).unwrap());
        let Err(error) = Jsonl.open_destination(setup).await else {
            panic!("{message}");
        };
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), message);
    }
}
