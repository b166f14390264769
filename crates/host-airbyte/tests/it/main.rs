//! The protocol of Airbyte, as a host sees it: arguments and messages in, messages out.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod read;
#[path = "../../../host-kit/tests/scripted/mod.rs"]
mod scripted;
mod settings;
mod write;

use std::ffi::OsString;
use std::io::Cursor;

use futures::executor::block_on;
use host_airbyte::{HostContext, Role};
use serde_json::{Value, json};

use scripted::{Ended, Files, Scripted, Shared};

/// Calls the connector with these arguments and this standard input.
fn call(scripted: &Scripted, role: Role, arguments: Vec<OsString>, stdin: &[u8]) -> Ended {
    call_with(scripted, role, arguments, stdin, Shared::default())
}

fn call_with(
    scripted: &Scripted,
    role: Role,
    arguments: Vec<OsString>,
    stdin: &[u8],
    stdout: Shared,
) -> Ended {
    let stdin = Cursor::new(stdin.to_vec());
    let (context, stderr) = (HostContext::default(), Shared::default());
    let served = host_airbyte::run(
        scripted,
        role,
        &context,
        arguments,
        stdin,
        stdout.clone(),
        stderr.clone(),
    );
    Ended {
        code: format!("{:?}", block_on(served)),
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

/// Reads what the catalog of `files` lists, or else everything.
fn read(scripted: &Scripted, files: &Files) -> Ended {
    if !files.path("catalog").exists() {
        let names = scripted.catalog.iter().map(|stream| stream.name.as_str());
        files.put("catalog", catalog(names.map(incremental)));
    }
    let arguments = files.arguments(&["read"], &["config", "catalog", "state"]);
    call(scripted, Role::Source, arguments, b"")
}

fn write(scripted: &Scripted, files: &Files, stdin: impl AsRef<[u8]>) -> Ended {
    let arguments = files.arguments(&["write"], &["config", "catalog"]);
    call(scripted, Role::Destination, arguments, stdin.as_ref())
}

fn catalog(streams: impl IntoIterator<Item = Value>) -> String {
    let streams: Vec<_> = streams.into_iter().collect();
    json!({ "streams": streams }).to_string()
}

/// As PyAirbyte configures every stream.
fn incremental(name: &str) -> Value {
    configured(name, "append_dedup")
}

fn configured(name: &str, destination_sync_mode: &str) -> Value {
    json!({
        "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "incremental",
        "destination_sync_mode": destination_sync_mode,
        "primary_key": [["id"]],
    })
}

/// The texts of the log messages of a level.
fn logs(ended: &Ended, level: &str) -> Vec<String> {
    let messages = ended.messages().into_iter();
    let logs = messages.filter(|message| message["log"]["level"] == level);
    logs.map(|message| message["log"]["message"].as_str().unwrap().to_owned())
        .collect()
}

/// The error that the call reported.
fn error(ended: &Ended) -> Value {
    let messages = ended.messages().into_iter();
    let mut errors = messages.filter(|message| message["trace"]["type"] == "ERROR");
    let error = errors.next().unwrap_or_else(|| panic!("{ended:#?}"));
    error["trace"]["error"].clone()
}
