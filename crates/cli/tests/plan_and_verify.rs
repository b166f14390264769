//! `plan` and `verify` as a shell sees them, against the fake.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use mock_buildkite::{MockBuildkite, Seed, World};
use serde_json::Value;

/// A fake with 450 builds, and a folder.
struct Shell {
    server: MockBuildkite,
    folder: tempfile::TempDir,
}

impl Shell {
    async fn new() -> Self {
        let world = World::seeded(&Seed {
            builds: 450,
            jobs_per_build: 2,
            ..Seed::default()
        });
        let builder = MockBuildkite::builder(world).rate_limit_user(10_000);
        Self {
            server: builder.start().await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_buildkite-connector"))
            .args(arguments)
            .args(["--base-url", self.server.uri()])
            .current_dir(self.folder.path())
            .env("BUILDKITE_API_TOKEN", self.server.token())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs it, expects an exit code, and returns what it answered.
    fn answer(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.answer(code, arguments)).unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn execute(&self, statement: &str) {
        let database = rusqlite::Connection::open(self.path("b.db")).unwrap();
        assert_ne!(database.execute(statement, []).unwrap(), 0, "{statement}");
    }
}

const TO: [&str; 2] = ["--to", "sqlite:b.db"];

fn with<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command], &TO[..], more].concat()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_the_sync_then_costs_and_writes_nothing() {
    let shell = Shell::new().await;

    let plan = shell.json(0, &with("plan", &["--json"]));

    assert!(is_empty(shell.folder.path()));
    assert_eq!(plan["goes_on"], false);
    assert_eq!(plan["streams"][2]["records"], 450);
    let before = shell.server.requests().len() as u64;
    shell.answer(0, &with("sync", &[]));
    let sent = shell.server.requests().len() as u64 - before;
    assert_eq!(plan["requests"], sent);

    let written = std::fs::read(shell.path("b.db")).unwrap();
    let plan = shell.json(
        0,
        &with(
            "plan",
            &["--json", "--stream", "builds", "--stream", "jobs"],
        ),
    );
    assert_eq!(plan["goes_on"], true);
    assert!(plan["requests"].as_u64().unwrap() <= 5, "{plan}");
    let plan = shell.json(0, &with("plan", &["--json", "--restart"]));
    assert_eq!(plan["requests"], sent);
    assert_eq!(std::fs::read(shell.path("b.db")).unwrap(), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_reads_like_this() {
    let shell = Shell::new().await;

    let told = shell.answer(0, &with("plan", &["--stream", "builds"]));

    let lines: Vec<_> = told.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("Estimates a first sync: "), "{told}");
    let columns = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(columns(lines[2]), ["stream", "requests", "records", "size"]);
    assert_eq!(columns(lines[3])[..3], ["builds", "6", "450"]);
    assert_eq!(columns(lines[4])[..3], ["total", "6", "450"]);
    assert!(lines[6].ends_with(" under the current limits."), "{told}");
    assert!(
        told.contains("the user's limit: 10000 requests a minute, "),
        "{told}"
    );

    let told = shell.answer(0, &["plan", "--to", "jsonl:out"]);
    assert!(
        told.contains("cannot be used as a copy that is read back"),
        "{told}"
    );
    assert!(is_empty(shell.folder.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_what_is_wrong_and_its_exit_code_says_which() {
    let shell = Shell::new().await;
    shell.answer(0, &with("sync", &[]));
    let sound = shell.answer(0, &with("verify", &[]));
    assert!(
        sound.ends_with("Sound: nothing is missing and nothing is stale.\n"),
        "{sound}"
    );
    shell.answer(0, &with("verify", &["--all"]));

    let stale = "update builds set state = 'running', finished_at = null
        where id = (select id from builds where state = 'passed' limit 1)";
    shell.execute(stale);
    let told = shell.answer(8, &with("verify", &["--samples", "0"]));
    assert!(told.contains("\n1 stale (the source has another version):\n  builds: acme-inc/"));

    shell.execute("delete from builds where created_at = (select max(created_at) from builds)");
    shell.answer(9, &with("verify", &[]));
    let found = shell.json(9, &with("verify", &["--json"]));
    assert_eq!(found["is_sound"], false);
    let kinds: Vec<_> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds[..2], ["missing", "stale"]);

    shell.answer(0, &with("sync", &["--restart"]));
    shell.answer(0, &with("verify", &[]));
    let middle = "delete from builds where id = (select id from builds limit 1 offset 200)";
    shell.execute(middle);
    let told = shell.answer(7, &with("verify", &[]));
    assert!(told.contains("The copy lacks records."), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_misses_an_attempt_of_a_job() {
    let shell = Shell::new().await;
    shell.server.with_world(|world| {
        let ids = world.build_ids();
        assert!(
            ids.iter()
                .any(|id| world.retry_first_failed_job(id).is_some())
        );
    });
    shell.answer(0, &with("sync", &[]));
    shell.answer(0, &with("verify", &[]));
    shell.execute("delete from jobs where retry_source is not null");
    let told = shell.answer(7, &with("verify", &["--samples", "0"]));
    assert!(
        told.contains("which another one refers to, is not in the copy"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_refuses_what_cannot_be_compared() {
    let shell = Shell::new().await;
    for (code, arguments, says) in [
        (
            2,
            vec!["verify", "--to", "jsonl:out"],
            "cannot be used as a copy that is read back",
        ),
        (5, with("verify", &[]), "b.db"),
        (
            2,
            with("verify", &["--all", "--samples", "3"]),
            "cannot be used with",
        ),
    ] {
        let output = shell.run(&arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(says), "{told}");
    }
    assert!(is_empty(shell.folder.path()));
    shell.answer(0, &with("sync", &[]));
    for (arguments, says) in [
        (&["--name", "other"][..], "there is nothing to compare yet"),
        (&["--stream", "steps"], "streams: organizations"),
    ] {
        let output = shell.run(&with("verify", arguments));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(says), "{told}");
    }
}
