//! The program under test, as a process.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Fake;

/// Nothing is masked, so that the copy can be compared with the fake.
const SHOW_ALL: &str = r#"include_sensitive=["emails","env","tokens"]"#;

/// No run may take longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// How a run ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Absent if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Fails the test, with what the program said, unless it ended with this code.
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        self
    }

    /// Fails the test unless all of this was said on stderr.
    pub(crate) fn assert_says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} in:\n{}", self.stderr);
        }
        self
    }
}

impl Fake {
    /// Runs the program against this fake, with its token, and waits for its end.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Ended {
        self.run_as(self.token(), folder, arguments)
    }

    /// Runs `sync` into a destination and expects it to succeed.
    pub(crate) fn sync(&self, folder: &Path, to: &str) -> Ended {
        let ended = self.run(folder, &["sync", "--to", to]);
        ended.assert_code(0);
        ended
    }

    /// Runs the program with another token.
    pub(crate) fn run_as(&self, token: &str, folder: &Path, arguments: &[&str]) -> Ended {
        let mut command = self.command(token, folder, arguments);
        self.runtime().block_on(async {
            let output = tokio::time::timeout(LIMIT, command.output()).await;
            let output = output.expect("the program ends in time").unwrap();
            for text in [&output.stdout, &output.stderr] {
                let text = String::from_utf8_lossy(text);
                assert!(!text.contains(token), "the token was printed");
            }
            Ended {
                code: output.status.code(),
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8(output.stderr).unwrap(),
            }
        })
    }

    /// Starts the program, and kills it once it has said its first line on stderr.
    pub(crate) fn first_line_of(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut command = self.command(self.token(), folder, arguments);
        let line = async move {
            let mut child = command.spawn().unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let line = lines.next_line().await.unwrap();
            child.kill().await.unwrap();
            line.unwrap()
        };
        let in_time = async { tokio::time::timeout(LIMIT, line).await };
        self.runtime().block_on(in_time).unwrap()
    }

    /// The program, not started yet. It is killed if its handle is dropped.
    pub(crate) fn command(&self, token: &str, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(executable("buildkite-connector"));
        command
            .args(arguments)
            .current_dir(folder)
            .env("BUILDKITE_API_TOKEN", token)
            .env("NO_PROXY", "127.0.0.1")
            // A user's data folder of its own: macOS looks at the home, others at the variable.
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if !arguments.contains(&"--base-url") {
            command.args(["--base-url", self.uri()]);
        }
        if arguments.first() == Some(&"sync") && !arguments.contains(&"--from") {
            command.args(["--set", SHOW_ALL]);
        }
        command
    }
}

/// The file of a program. Cargo builds the programs of this package before its tests.
pub(crate) fn executable(name: &str) -> &'static Path {
    let file = match name {
        "buildkite-connector" => env!("CARGO_BIN_EXE_buildkite-connector"),
        "destination-buildkite" => env!("CARGO_BIN_EXE_destination-buildkite"),
        "source-buildkite" => env!("CARGO_BIN_EXE_source-buildkite"),
        "tap-buildkite" => env!("CARGO_BIN_EXE_tap-buildkite"),
        "target-buildkite" => env!("CARGO_BIN_EXE_target-buildkite"),
        other => panic!("there is no program {other}"),
    };
    Path::new(file)
}
