//! The fake as a program.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use reqwest::Method;

use crate::caller::Caller;

/// How long the program may take for anything.
const LIMIT: Duration = Duration::from_secs(60);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-buildkite"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The end of a run that is expected to end by itself.
fn ended(arguments: &[&str]) -> Output {
    let child = command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.expect("the program starts");
    within_limit(|| child.wait_with_output()).expect("the program ends")
}

/// The result of something that waits, or a failed test.
fn within_limit<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(wait()));
    receiver.recv_timeout(LIMIT).expect("an end in time")
}

/// A running program; it is killed when it is dropped.
struct Running {
    /// Taken out when the test waits for its end.
    child: Option<Child>,
    line: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _is_killed = child.kill();
            let _is_reaped = child.wait();
        }
    }
}

impl Running {
    /// Starts it and reads the line that it prints.
    fn start(arguments: &[&str]) -> Self {
        let child = command(arguments).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let output = child.stdout.take().expect("its output");
        let mut running = Self {
            child: Some(child),
            line: String::new(),
        };
        running.line = within_limit(move || {
            let mut line = String::new();
            let read = BufReader::new(output).read_line(&mut line);
            read.map(|_| line)
        })
        .expect("a line");
        running
    }

    fn url(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }

    /// Sends a signal and waits for the end.
    #[cfg(unix)]
    fn end(mut self, signal: &str) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("a running program");
        let kill = format!("kill -{signal} {}", child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success());
        within_limit(move || child.wait()).expect("an end")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_names_every_option() {
    let output = ended(&["--help"]);
    assert!(output.status.success());
    let help = text(&output.stdout);
    for option in [
        "--port",
        "--seed",
        "--organizations",
        "--pipelines",
        "--builds",
        "--jobs-per-build",
        "--token",
        "--rate-limit-user",
        "--rate-limit-organization",
        "--rate-limit-window",
        "--deep-page-limit",
        "--lose-answers",
        "--fail-late",
        "--fail",
        "--refuse",
        "--meta-data-delay",
        "--load",
    ] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn builds_without_a_place_are_a_clear_error() {
    for (arguments, option) in [
        (
            ["--builds", "5", "--organizations", "0"],
            "set --organizations to 1 or more",
        ),
        (
            ["--builds", "5", "--pipelines", "0"],
            "set --pipelines to 1 or more",
        ),
    ] {
        let output = ended(&arguments);
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(
            error.starts_with("error: ") && error.contains(option),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1);
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn a_folder_that_cannot_be_loaded_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = ended(&["--load", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("holds no organizations, pipelines or builds"),
        "{error}"
    );
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = ended(&["--builds", "1", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    let expected = format!("error: cannot listen on 127.0.0.1:{port}: ");
    assert!(error.starts_with(&expected), "{error}");
}

#[tokio::test]
async fn it_prints_one_line_with_address_and_token_and_answers() {
    let running = Running::start(&[
        "--builds",
        "40",
        "--token",
        "bkua_mine",
        "--rate-limit-user",
        "7",
    ]);
    assert!(
        running.url().starts_with("http://127.0.0.1:"),
        "{}",
        running.line
    );
    assert!(
        running
            .line
            .ends_with("serves 40 builds of 1 organizations; token bkua_mine\n")
    );

    let answer = Caller::with_token(running.url(), "bkua_mine")
        .get("/v2/builds?per_page=100")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.items().len(), 40);
    assert_eq!(answer.header("RateLimit-User-Limit"), Some("7"));
    let other = Caller::with_token(running.url(), mock_buildkite::DEMO_TOKEN);
    assert_eq!(other.get("/v2/builds").await.status, 401);
}

#[tokio::test]
async fn it_takes_writes_and_breaks_them_by_chance() {
    let running = Running::start(&["--builds", "0", "--lose-answers", "1", "--seed", "7"]);
    let caller = Caller::with_token(running.url(), mock_buildkite::DEMO_TOKEN);
    let organization = &caller.items("/v2/organizations").await[0]["slug"];
    let organization = organization.as_str().unwrap();
    let pipelines = format!("/v2/organizations/{organization}/pipelines");
    let slug = &caller.items(&pipelines).await[0]["slug"];
    let builds = format!("{pipelines}/{}/builds", slug.as_str().unwrap());
    let body = r#"{"commit": "HEAD", "branch": "main"}"#;
    let lost = caller.try_write(Method::POST, &builds, body).await;
    assert!(lost.is_err());
    assert_eq!(caller.items(&builds).await.len(), 1);
}

#[test]
fn chances_and_times_that_are_none_are_refused() {
    for arguments in [
        ["--fail", "2"],
        ["--lose-answers", "often"],
        ["--meta-data-delay", "5 m"],
    ] {
        let output = ended(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("expected a"), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn it_ends_well_when_it_is_told_to() {
    for signal in ["TERM", "INT"] {
        let running = Running::start(&["--builds", "1"]);
        assert_eq!(running.end(signal).code(), Some(0), "{signal}");
    }
}
