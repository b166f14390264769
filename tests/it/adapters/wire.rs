//! Calls through each protocol, in this process: arguments and files in, lines out.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use host_kit::HostContext;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tiny::Tiny;

/// After this a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host that speaks a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Airbyte,
    Singer,
}

pub(crate) const HOSTS: [Host; 2] = [Host::Airbyte, Host::Singer];

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) is_success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// The files of calls.
pub(super) struct Files(TempDir);

/// An output that others can look at, and that may be closed after some bytes.
#[derive(Clone, Default)]
pub(super) struct Shared {
    written: Arc<(Mutex<Vec<u8>>, Condvar)>,
    closes_after: Option<usize>,
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (written, changed) = &*self.written;
        let mut written = written.lock().unwrap();
        let end = self.closes_after.unwrap_or(usize::MAX);
        if written.len() >= end {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        written.extend_from_slice(bytes);
        changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap()
    }

    /// Waits until it holds `text`.
    fn wait_for(&self, text: &str) {
        let (written, changed) = &*self.written;
        let is_missing = |written: &mut Vec<u8>| !String::from_utf8_lossy(written).contains(text);
        let written = written.lock().unwrap();
        let waited = changed.wait_timeout_while(written, PATIENCE, is_missing);
        assert!(!waited.unwrap().1.timed_out(), "{text} was not written");
    }
}

impl Files {
    /// With a configuration that is right, and the catalog of all streams.
    pub(super) fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.put("config", r#"{"secret":"s3cret"}"#);
        files
    }

    pub(super) fn put(&self, name: &str, text: &str) -> OsString {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string()
    }

    pub(super) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn flag(&self, name: &str) -> [OsString; 2] {
        [format!("--{name}").into(), self.0.path().join(name).into()]
    }

    fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    /// The arguments of a read from `state` on, of all streams unless there is a catalog.
    fn read_arguments(&self, host: Host) -> Vec<OsString> {
        let mut arguments = vec!["program".into()];
        if host == Host::Airbyte {
            arguments.push("read".into());
            if !self.has("catalog") {
                self.put(
                    "catalog",
                    &airbyte_catalog(&["numbers", "words", "gone_records"]),
                );
            }
        }
        for name in ["config", "catalog", "state"] {
            if self.has(name) {
                arguments.extend(self.flag(name));
            }
        }
        arguments
    }

    /// The arguments of a call with a configuration.
    pub(super) fn with_config(&self, verb: &str) -> Vec<OsString> {
        let mut arguments = vec!["program".into(), verb.into()];
        arguments.extend(self.flag("config"));
        arguments
    }

    pub(super) fn write_arguments(&self, host: Host) -> Vec<OsString> {
        match host {
            Host::Airbyte => {
                if !self.has("catalog") {
                    self.put("catalog", &airbyte_catalog(&["numbers", "words"]));
                }
                let mut arguments = self.with_config("write");
                arguments.extend(self.flag("catalog"));
                arguments
            }
            Host::Singer => {
                let mut arguments = vec!["program".into()];
                arguments.extend(self.flag("config"));
                arguments
            }
        }
    }
}

/// As hosts configure it: incremental, whatever a stream supports; nulls where nothing is.
pub(crate) fn airbyte_catalog(streams: &[&str]) -> String {
    let stream = |name: &&str| {
        json!({
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": null},
            "sync_mode": "incremental",
            "cursor_field": null,
            "primary_key": [["n"]],
            "destination_sync_mode": "append_dedup",
        })
    };
    let streams: Vec<_> = streams.iter().map(stream).collect();
    json!({"streams": streams}).to_string()
}

/// Reads all streams.
pub(super) fn read(host: Host, tiny: &Tiny, files: &Files) -> Ended {
    read_role(host, tiny, files.read_arguments(host))
}

/// Calls a source with these arguments.
pub(super) fn read_role(host: Host, tiny: &Tiny, arguments: Vec<OsString>) -> Ended {
    call(host, tiny, true, arguments, "")
}

/// Writes what standard input holds.
pub(super) fn write(host: Host, tiny: &Tiny, files: &Files, stdin: &str) -> Ended {
    call(host, tiny, false, files.write_arguments(host), stdin)
}

fn call(host: Host, tiny: &Tiny, reads: bool, arguments: Vec<OsString>, stdin: &str) -> Ended {
    let (stdout, stderr) = (Shared::default(), Shared::default());
    let outputs = (stdout.clone(), stderr.clone());
    let stdin = io::Cursor::new(stdin.to_owned());
    let code = block_on(start(host, tiny, reads, arguments, stdin, outputs));
    Ended {
        is_success: code == ExitCode::SUCCESS,
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

async fn start(
    host: Host,
    tiny: &Tiny,
    reads: bool,
    arguments: Vec<OsString>,
    stdin: impl Read + Send + 'static,
    (stdout, stderr): (Shared, Shared),
) -> ExitCode {
    let context = HostContext::default();
    match host {
        Host::Airbyte => {
            let role = if reads {
                host_airbyte::Role::Source
            } else {
                host_airbyte::Role::Destination
            };
            host_airbyte::run(tiny, role, &context, arguments, stdin, stdout, stderr).await
        }
        Host::Singer => {
            let role = if reads {
                host_singer::Role::Tap
            } else {
                host_singer::Role::Target
            };
            host_singer::run(tiny, role, &context, arguments, stdin, stdout, stderr).await
        }
    }
}

/// Writes what `stdin` holds, and keeps standard input open until `text` is on standard output.
pub(super) fn write_until(host: Host, tiny: &Tiny, files: &Files, stdin: &str, text: &str) {
    let stdout = Shared::default();
    let outputs = (stdout.clone(), Shared::default());
    let more = Held {
        stdout,
        text: text.to_owned(),
    };
    let stdin = io::Cursor::new(stdin.to_owned()).chain(more);
    let arguments = files.write_arguments(host);
    block_on(start(host, tiny, false, arguments, stdin, outputs));
}

/// An input that ends once a text is on the output.
struct Held {
    stdout: Shared,
    text: String,
}

impl Read for Held {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.stdout.wait_for(&self.text);
        Ok(0)
    }
}

/// What is on both outputs while a read waits for its remote.
pub(super) fn read_until_it_waits(host: Host, tiny: &Tiny, files: &Files) -> Ended {
    let (stdout, stderr) = (Shared::default(), Shared::default());
    let outputs = (stdout.clone(), stderr.clone());
    let arguments = files.read_arguments(host);
    let mut ended = pin!(start(host, tiny, true, arguments, io::empty(), outputs));
    let now = ended.as_mut().now_or_never();
    assert!(now.is_none(), "it does not wait: {}", stderr.text());
    // Before it is dropped, which would flush what it holds.
    Ended {
        is_success: false,
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

/// A read whose reader goes away after some bytes.
pub(super) fn read_for_a_reader_that_leaves(host: Host, tiny: &Tiny, files: &Files) -> Ended {
    let stdout = Shared {
        closes_after: Some(0),
        ..Shared::default()
    };
    let stderr = Shared::default();
    let outputs = (stdout.clone(), stderr.clone());
    let code = block_on(start(
        host,
        tiny,
        true,
        files.read_arguments(host),
        io::empty(),
        outputs,
    ));
    Ended {
        is_success: code == ExitCode::SUCCESS,
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    stream: Option<&'a str>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AirbyteRecord<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Stream and text of each record, in their order.
pub(crate) fn records<'a>(
    host: Host,
    lines: impl IntoIterator<Item = &'a str>,
) -> Vec<(String, String)> {
    let record = |line: &'a str| {
        let line: Line<'_> = serde_json::from_str(line).unwrap();
        let record = line.record.filter(|_| line.kind == "RECORD")?;
        let (stream, text) = match host {
            Host::Singer => (line.stream.unwrap(), record.get()),
            Host::Airbyte => {
                let record: AirbyteRecord<'_> = serde_json::from_str(record.get()).unwrap();
                (record.stream, record.data.get())
            }
        };
        Some((stream.to_owned(), text.to_owned()))
    };
    lines.into_iter().filter_map(record).collect()
}

/// The state file that the host would give to the next read.
pub(crate) fn state_file<'a>(host: Host, lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut streams = serde_json::Map::new();
    let mut last = "{}".to_owned();
    for line in lines {
        let line: Line<'_> = serde_json::from_str(line).unwrap();
        match (host, line.kind) {
            (Host::Airbyte, "STATE") => {
                let state: Value = serde_json::from_str(line.state.unwrap().get()).unwrap();
                assert_eq!(state["type"], "STREAM", "hosts keep no other");
                let name = state["stream"]["stream_descriptor"]["name"].clone();
                streams.insert(name.as_str().unwrap().to_owned(), state);
            }
            (Host::Singer, "STATE") => line.value.unwrap().get().clone_into(&mut last),
            _ => {}
        }
    }
    match host {
        Host::Airbyte => Value::from_iter(streams.into_iter().map(|(_, state)| state)).to_string(),
        Host::Singer => last,
    }
}
