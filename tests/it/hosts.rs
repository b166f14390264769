//! The programs that other hosts load, against the fake. The hosts themselves, unmodified, run in
//! `tests/hosts`.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::adapters::wire::{HOSTS, Host, airbyte_catalog, records, state_file};
use crate::support::{Ended, Fake, LIMIT, Records, assert_equal, executable, fields, world};

const STREAMS: [&str; 4] = ["organizations", "pipelines", "builds", "jobs"];

/// A program that reads, in a folder with all that it is given.
struct Reader<'f> {
    fake: &'f Fake,
    host: Host,
    folder: tempfile::TempDir,
}

impl<'f> Reader<'f> {
    fn new(fake: &'f Fake, host: Host) -> Self {
        let reader = Self {
            fake,
            host,
            folder: tempfile::tempdir().unwrap(),
        };
        reader.configure(fake.token());
        reader.put("catalog", &airbyte_catalog(&STREAMS));
        reader.put("state", "");
        reader
    }

    fn configure(&self, token: &str) {
        let config = json!({
            "api_key": token,
            "base_url": self.fake.uri(),
            "include_sensitive": ["emails", "env", "tokens"],
        });
        self.put("config", &config.to_string());
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn command(&self) -> Command {
        match self.host {
            Host::Airbyte => self.program(
                "source-buildkite",
                "read --config config --catalog catalog --state state",
            ),
            Host::Singer => self.program("tap-buildkite", "--config config --state state"),
        }
    }

    fn program(&self, name: &str, arguments: &str) -> Command {
        let mut command = Command::new(executable(name));
        command
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Waits for the end of a program.
    fn run(&self, mut command: Command) -> Ended {
        let in_time = async { timeout(LIMIT, command.output()).await };
        let output = self.fake.runtime().block_on(in_time);
        let output = output.expect("the program ends in time").unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines of a read that is killed after the first state that covers builds.
    fn kill_behind_a_state(&self) -> Vec<String> {
        let mut child = {
            let _in = self.fake.runtime().enter();
            self.command().spawn().unwrap()
        };
        let seen = async {
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut seen = Vec::new();
            let mut has_builds = false;
            while let Some(line) = lines.next_line().await.unwrap() {
                let is_state = line.starts_with(r#"{"type":"STATE""#);
                let is_record = line.starts_with(r#"{"type":"RECORD""#);
                has_builds |= is_record && line.contains(r#""stream":"builds""#);
                seen.push(line);
                if is_state && has_builds {
                    child.kill().await.unwrap();
                    break;
                }
            }
            seen
        };
        let in_time = async { timeout(LIMIT, seen).await };
        self.fake.runtime().block_on(in_time).unwrap()
    }

    /// The records of some lines, by stream and id; of several with one key the last.
    fn records<'a>(&self, lines: impl IntoIterator<Item = &'a str>) -> Records {
        let records = records(self.host, lines).into_iter();
        let keyed = records.map(|(stream, text)| {
            let fields = fields(&text);
            ((stream, fields["id"].clone()), fields)
        });
        keyed.collect()
    }
}

#[test]
fn each_program_passes_on_every_value_of_every_stream() {
    let fake = Fake::start(world(150, 4, 2));
    for host in HOSTS {
        let reader = Reader::new(&fake, host);
        let ended = reader.run(reader.command());
        ended.assert_code(0);
        let records = reader.records(ended.stdout.lines());
        assert_equal(&records, &fake.expected());
    }
}

#[test]
fn killed_behind_a_state_each_program_leaves_no_gap() {
    let fake = Fake::start(world(900, 2, 1));
    for host in HOSTS {
        let reader = Reader::new(&fake, host);
        let before = reader.kill_behind_a_state();
        let seen = || before.iter().map(String::as_str);
        reader.put("state", &state_file(host, seen()));
        let ended = reader.run(reader.command());
        ended.assert_code(0);
        let again = reader.records(ended.stdout.lines());
        let builds = again
            .keys()
            .filter(|(stream, _)| stream == "builds")
            .count();
        assert!(builds < 900, "{host:?} began anew");
        let mut all = reader.records(seen());
        all.extend(again);
        assert_equal(&all, &fake.expected());
    }
}

#[test]
fn a_wrong_token_is_said_where_the_host_looks_and_never_repeated() {
    let fake = Fake::start(world(1, 1, 1));
    for host in HOSTS {
        let reader = Reader::new(&fake, host);
        reader.configure("bkua_wr0ng");
        let ended = reader.run(reader.command());
        ended.assert_code(1);
        let told = match host {
            Host::Airbyte => &ended.stdout,
            Host::Singer => &ended.stderr,
        };
        assert!(told.contains("does not accept the API token"), "{told}");
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!all.contains("bkua_wr0ng"), "{all}");
    }
}

#[test]
fn only_the_token_is_a_secret_of_the_spec() {
    let fake = Fake::start(world(1, 1, 1));
    for name in ["source-buildkite", "destination-buildkite"] {
        let reader = Reader::new(&fake, Host::Airbyte);
        let ended = reader.run(reader.program(name, "spec"));
        ended.assert_code(0);
        let spec: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        let schema = &spec["spec"]["connectionSpecification"];
        assert_eq!(schema["properties"]["api_key"]["airbyte_secret"], true);
        let secrets = ended.stdout.matches(r#""airbyte_secret":true"#);
        assert_eq!(secrets.count(), 1);
        for word in ["$ref", "anyOf", "allOf", "oneOf"] {
            assert!(!ended.stdout.contains(word), "{word} in {}", ended.stdout);
        }
    }
}
