//! The program as a shell sees it: what it prints where, and its exit codes. All offline.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod demo;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TOKEN: &str = "bkua_5ecret";

/// Runs the program in `folder`, without a terminal and without a token.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().unwrap()
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_buildkite-connector"));
    program
        .args(arguments)
        .current_dir(folder)
        .env_remove("BUILDKITE_API_TOKEN")
        .stdin(Stdio::null());
    program
}

/// A folder with `in.jsonl`: 3 builds and 2 jobs.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let line =
        |stream: &str, id| format!("{{\"stream\":\"{stream}\",\"record\":{{\"id\":{id}}}}}\n");
    let builds = (0..3).map(|id| line("builds", id));
    let lines: String = builds.chain((0..2).map(|id| line("jobs", id))).collect();
    fs::write(folder.path().join("in.jsonl"), lines).unwrap();
    folder
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn assert_exit(output: &Output, code: i32, says: &str) {
    let told = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(says), "{told}");
    assert!(!told.contains(TOKEN) && !stdout(output).contains(TOKEN));
}

#[test]
fn a_sync_ends_with_a_table_and_says_how_to_look_at_the_data() {
    let folder = folder();

    let output = run(
        folder.path(),
        &["sync", "--from", "jsonl:in.jsonl", "--to", "sqlite:b.db"],
    );

    assert_exit(
        &output,
        0,
        "sqlite3 -box b.db 'select * from builds limit 5'",
    );
    assert_eq!(stdout(&output), "");
    let told = stderr(&output);
    let row = |name| {
        let is_it = |line: &&str| line.trim_start().starts_with(name);
        let line = told.lines().find(is_it).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("builds"), "builds 3 24 B 0 0 s complete");
    assert_eq!(row("jobs"), "jobs 2 16 B 0 0 s complete");
    assert_eq!(row("total"), "total 5 40 B 0 0 s");
}

#[test]
fn records_on_stdout_are_alone_there() {
    let folder = folder();
    let from = ["sync", "--from", "jsonl:in.jsonl", "--to", "jsonl:-"];

    let output = run(folder.path(), &[&from[..], &["--stream", "jobs"]].concat());

    assert_exit(&output, 0, "complete");
    let lines: Vec<_> = stdout(&output).lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with('{') && line.contains("jobs"))
    );
}

#[test]
fn a_date_may_be_relative_to_now() {
    let folder = folder();
    let check = |since| {
        // Nobody listens at this port.
        let arguments = [
            "check",
            "--base-url",
            "http://127.0.0.1:9",
            "--since",
            since,
        ];
        let mut program = program(folder.path(), &arguments);
        program.env("BUILDKITE_API_TOKEN", TOKEN).output().unwrap()
    };
    assert_exit(&check("7d"), 4, "the connection failed");
    assert_exit(&check("seven days"), 2, "expected an ISO 8601 date");
}

#[test]
fn a_quiet_sync_says_nothing() {
    let folder = folder();
    let arguments = [
        "-q",
        "sync",
        "--from",
        "jsonl:in.jsonl",
        "--to",
        "sqlite:b.db",
    ];

    let output = run(folder.path(), &arguments);

    assert_exit(&output, 0, "");
    assert_eq!((stdout(&output), stderr(&output)), ("", ""));
}

#[test]
fn check_and_discover_answer_on_stdout() {
    let folder = folder();
    let arguments = ["check", "--from", "jsonl:in.jsonl", "--to", "sqlite:b.db"];
    let output = run(folder.path(), &arguments);
    assert_exit(&output, 0, "");
    assert!(stdout(&output).contains("Destination sqlite:b.db: can be written to."));
    assert!(!folder.path().join("b.db").exists());

    let output = run(
        folder.path(),
        &["discover", "--from", "jsonl:in.jsonl", "--json"],
    );
    assert_exit(&output, 0, "");
    let catalog: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(catalog["streams"][1]["name"], "jobs");
}

#[test]
fn without_a_token_it_says_how_to_make_one() {
    let folder = folder();
    let output = run(folder.path(), &["sync", "--organization", "acme"]);
    assert_exit(&output, 3, "BUILDKITE_API_TOKEN is not set");
    assert!(stderr(&output).contains("read_organizations, read_pipelines and read_builds"));
    assert!(!folder.path().join("buildkite.db").exists());
}

#[test]
fn an_empty_token_is_refused() {
    let folder = folder();
    let mut program = program(folder.path(), &["check"]);
    let output = program.env("BUILDKITE_API_TOKEN", " \n").output().unwrap();
    assert_exit(
        &output,
        3,
        "BUILDKITE_API_TOKEN holds no API key: it is empty",
    );
}

#[test]
fn a_token_as_an_argument_is_refused_and_not_repeated() {
    let folder = folder();
    let set = format!("api_key={TOKEN}");
    for arguments in [
        vec!["sync", TOKEN],
        vec!["sync", "--token", TOKEN],
        vec!["sync", "--set", &set],
    ] {
        let output = run(folder.path(), &arguments);
        assert_exit(&output, 2, "an argument holds a secret");
    }
    let output = run(folder.path(), &["sync", "--set", "api_key=other"]);
    assert_exit(&output, 2, "a secret must not be an argument");
}

#[test]
fn what_is_named_wrongly_is_refused_by_name() {
    let folder = folder();
    let source = "jsonl:in.jsonl";
    for (arguments, says) in [
        (
            vec!["sync", "--from", "github"],
            "connectors: buildkite, jsonl, sqlite",
        ),
        (
            vec!["sync", "--from", "sqlite:b.db"],
            "the SELECT whose rows are read",
        ),
        (
            vec!["sync", "--from", source, "--stream", "steps"],
            "streams: builds, jobs [stream: steps]",
        ),
        (
            vec!["sync", "--from", source, "--set", "colour=red"],
            "unknown key `colour`",
        ),
        (vec!["sync", "--frm", source], "unexpected argument"),
        (vec!["sync", "--config", "none.toml"], "[file: none.toml]"),
    ] {
        let output = run(folder.path(), &arguments);
        assert_exit(&output, 2, says);
    }
}

#[test]
fn an_address_that_is_not_https_is_refused() {
    let folder = folder();
    let arguments = ["check", "--base-url", "http://api.example.com"];
    let mut program = program(folder.path(), &arguments);
    let output = program.env("BUILDKITE_API_TOKEN", TOKEN).output().unwrap();
    assert_exit(&output, 2, "https://");
}

#[test]
fn flags_go_before_the_configuration_file() {
    let folder = folder();
    let file = r#"
        [source]
        connector = "jsonl"
        path = "in.jsonl"
        [destination]
        connector = "sqlite"
        path = "file.db"
        [sync]
        streams = ["builds"]
    "#;
    fs::write(folder.path().join("sync.toml"), file).unwrap();

    let output = run(folder.path(), &["sync", "--config", "sync.toml"]);
    assert_exit(&output, 0, "Written to file.db");
    assert!(!stderr(&output).contains("jobs"));

    let flags = ["--to", "sqlite:flag.db", "--stream", "jobs"];
    let arguments = [&["sync", "--config", "sync.toml"], &flags[..]].concat();
    let output = run(folder.path(), &arguments);
    assert_exit(&output, 0, "Written to flag.db");
    assert!(!stderr(&output).contains("builds"));

    let arguments = ["sync", "--config", "sync.toml", "--from", "buildkite"];
    let output = run(folder.path(), &arguments);
    assert_exit(&output, 2, "change one of them");
}

#[cfg(unix)]
#[test]
fn a_token_in_a_file_that_others_can_read_brings_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("sync.toml");
    let file = format!(
        "[source]\nconnector = \"buildkite\"\napi_key = \"{TOKEN}\"\nbase_url = \"http://a.b\"\n"
    );
    fs::write(&path, file).unwrap();

    for (mode, warns) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let output = run(folder.path(), &["check", "--config", "sync.toml"]);
        assert_exit(&output, 2, "https://");
        assert_eq!(stderr(&output).contains("chmod 600"), warns);
    }
}

#[test]
fn a_destination_that_cannot_be_opened_is_named() {
    let folder = folder();
    fs::write(
        folder.path().join("text.db"),
        "this is a text and no database",
    )
    .unwrap();
    for to in ["sqlite:text.db", "sqlite:."] {
        let arguments = ["sync", "--from", "jsonl:in.jsonl", "--to", to];
        let output = run(folder.path(), &arguments);
        assert_exit(&output, 2, &to.replace("sqlite:", "[path: "));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = folder();
    let arguments = [
        "sync",
        "--from",
        "jsonl:in.jsonl",
        "--to",
        "jsonl:/dev/full",
    ];
    let output = run(folder.path(), &arguments);
    assert_exit(&output, 5, "[path: /dev/full");
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_sync_quietly() {
    let folder = folder();
    let line = format!(
        "{{\"stream\":\"builds\",\"record\":{{\"x\":\"{}\"}}}}\n",
        "x".repeat(1000)
    );
    fs::write(folder.path().join("in.jsonl"), line.repeat(1000)).unwrap();
    let arguments = ["sync", "--from", "jsonl:in.jsonl", "--to", "jsonl:-"];
    let mut program = program(folder.path(), &arguments);
    let mut child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());

    let output = child.wait_with_output().unwrap();

    assert_exit(&output, 0, "");
    assert_eq!(stderr(&output), "");
}

#[test]
fn rejected_records_are_reported_saved_and_tried_again() {
    let folder = folder();
    let arguments = ["sync", "--from", "jsonl:in.jsonl", "--to", "sqlite:b.db"];
    assert_exit(&run(folder.path(), &arguments), 0, "complete");
    let trigger = "create trigger no before insert on builds when new.id = 1
        begin select raise(abort, 'no'); end";
    let database = rusqlite::Connection::open(folder.path().join("b.db")).unwrap();
    database.execute_batch(trigger).unwrap();

    let letters = ["--restart", "--dead-letters", "rejected.jsonl"];
    let output = run(folder.path(), &[&arguments[..], &letters].concat());

    assert_exit(&output, 0, "warning: builds: 1 record rejected and saved: ");
    assert!(stderr(&output).contains("complete, some rejected"));
    let rejected = fs::read_to_string(folder.path().join("rejected.jsonl")).unwrap();
    assert!(rejected.ends_with("\"record\":{\"id\":1}}\n"), "{rejected}");

    let output = run(folder.path(), &[&arguments[..], &["--restart"]].concat());
    assert_exit(&output, 6, "1 rejected record in b.db.rejected.jsonl");
    let waiting = folder.path().join("b.db.rejected.jsonl");
    assert!(waiting.exists());

    let rows = || -> u32 {
        let query = "select count(*) from builds where id = 1";
        database.query_row(query, [], |row| row.get(0)).unwrap()
    };
    let before = rows();
    database.execute_batch("drop trigger no").unwrap();
    assert_exit(&run(folder.path(), &arguments), 0, "complete");
    assert!(!waiting.exists());
    // From the file of rejected records, and from `in.jsonl`, which each sync appends.
    assert_eq!(rows(), before + 2);
}
