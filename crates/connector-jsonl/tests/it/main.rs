//! The connector as its users see it: through the contract, and as files.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod bad_lines;
mod claim;
mod conformance;
mod file;
mod folder;
mod source;
mod tombstones;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use connector_core::{
    Configuration, Destination, DestinationRole, Error, ErrorKind, Event, JsonObject, Observer,
    Outcome, Record, Setup, SourceRole, State, Stream, StreamPlan, SyncMode, WriteMode, WritePlan,
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
    let opened = DestinationRole::open(&Jsonl, setup(path.to_str().unwrap())).await;
    opened.unwrap()
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

fn stream(name: &str) -> Stream {
    Stream::new(name, "For tests.", json!({"type": "object"})).with_primary_key(["id"])
}

fn appended(stream: Stream) -> StreamPlan {
    StreamPlan::new(stream, WriteMode::Append)
}

fn plan(sync: &str, streams: &[&str]) -> WritePlan {
    let streams = streams.iter().map(|name| appended(stream(name)));
    WritePlan::new(sync, streams)
}

fn record(stream: &str, text: &str) -> Record {
    Record::new(stream.into(), JsonObject::parse(text).unwrap())
}

fn removed(stream: &str, key: &str, reason: &str) -> Record {
    Record::removed(stream.into(), JsonObject::parse(key).unwrap(), reason)
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
    assert_eq!(outcomes.unwrap(), [Outcome::Accepted]);
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

#[test]
fn the_declared_settings_say_what_validation_says() {
    for (settings, keys) in [
        (SourceRole::settings(&Jsonl), &["path", "stream"][..]),
        (DestinationRole::settings(&Jsonl), &["path"]),
    ] {
        let schema = &settings.json_schema;
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["required"], json!(["path"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(settings.keys().collect::<Vec<_>>(), keys);
        assert_eq!(settings.location.unwrap().key, "path");
    }
}

#[test]
fn a_wrong_setting_is_refused_by_its_key_before_anything_is_opened() {
    let refusal = |configuration, is_source: bool| {
        let setup = Setup::new(Configuration::new(configuration).unwrap());
        let validated = if is_source {
            SourceRole::validate(&Jsonl, &setup)
        } else {
            DestinationRole::validate(&Jsonl, &setup)
        };
        let error = validated.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    for (configuration, is_source, message) in [
        (json!({}), false, "missing key `path`: it must be set"),
        (
            json!({"path": ""}),
            false,
            "must be a file, a folder or `-` [key: path]",
        ),
        (
            json!({"path": "-", "stream": ""}),
            true,
            "must be the name of a stream [key: stream]",
        ),
        (
            json!({"path": "-", "stream": "a"}),
            false,
            "is only for a source; remove it [key: stream]",
        ),
    ] {
        assert_eq!(refusal(configuration, is_source), message);
    }
    let setup = setup("missing/out.jsonl");
    DestinationRole::validate(&Jsonl, &setup).unwrap();
    SourceRole::validate(&Jsonl, &setup).unwrap();
}
