//! Records of a file trigger builds, by the program: one record, one build.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use mock_buildkite::{Fault, LimitScope, Token, When, World};
use serde_json::Value;

use crate::support::{Ended, Fake, LIMIT};

const TO: [&str; 11] = [
    "--to",
    "buildkite",
    "--organization",
    "acme",
    "--pipeline",
    "web",
    "--set",
    "destination.settle_seconds=1",
    "--set",
    "destination.journal=journal.jsonl",
    "--quiet",
];

fn fake() -> Fake {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    world.hold_builds();
    Fake::start(world)
}

/// A file of records that ask for builds.
fn records(folder: &Path, count: usize) {
    let lines = (0..count).fold(String::new(), |mut lines, number| {
        let record = format!(r#"{{"commit":"HEAD","branch":"main","message":"deploy {number}"}}"#);
        writeln!(lines, "{record}").unwrap();
        lines
    });
    std::fs::write(folder.join("deploys.jsonl"), lines).unwrap();
}

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["sync"], more, &TO].concat()
}

impl Fake {
    fn builds_made(&self) -> usize {
        let made = ("triggered-by", "buildkite-connector");
        self.with_world(|world| {
            world
                .builds_with_meta_data("acme", "web", made.0, made.1)
                .len()
        })
    }

    fn send(&self, folder: &Path, more: &[&str]) -> Ended {
        self.run(folder, &arguments(more))
    }

    /// Starts it and kills it as soon as the fake has seen so many more requests.
    fn send_and_kill(&self, folder: &Path, more: &[&str], requests: u64) {
        let (strike, mut struck) = tokio::sync::mpsc::unbounded_channel();
        let mut seen = 0;
        self.on_request(move |_, _| {
            seen += 1;
            if seen == requests {
                // Nobody is left to hear it if the program has ended.
                strike.send(()).ok();
            }
        });
        let mut command = self.command(self.token(), folder, &arguments(more));
        let killed = async move {
            let mut child = command.spawn().unwrap();
            tokio::select! {
                _ended = child.wait() => {}
                Some(()) = struck.recv() => child.kill().await.unwrap(),
            }
        };
        let in_time = async { tokio::time::timeout(LIMIT, killed).await };
        self.runtime().block_on(in_time).expect("it ends in time");
        self.on_request(|_, _| {});
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn killed_twenty_times_and_answered_badly_each_record_is_one_build() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    records(folder.path(), 150);
    let writes = |seed| When::method("POST").always().chance(0.1, seed);
    fake.fail_when(Fault::LostAnswer, writes(1));
    fake.fail_when(Fault::StatusAfter(502), writes(2));
    fake.fail_when(Fault::status(503), writes(3));
    let refused = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 1,
        has_details: true,
    };
    fake.fail_when(refused, When::next().always().chance(0.02, 4));
    let from = [
        "--from",
        "jsonl:deploys.jsonl",
        "--results",
        "jsonl:results.jsonl",
    ];

    for death in 1..=20 {
        fake.send_and_kill(folder.path(), &from, death % 7 + 3);
    }
    fake.send(folder.path(), &from).assert_code(0);

    assert_eq!(fake.builds_made(), 150);
    let results = lines(&folder.path().join("results.jsonl"));
    let rows = results.iter().map(|line| &line["record"]);
    let rows = rows.filter(|row| row["number"].is_u64());
    let mut keys: Vec<_> = rows.map(|row| row["key"].to_string()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 150, "each record has its outcome");

    // Without its journal, on another machine.
    std::fs::remove_file(folder.path().join("journal.jsonl")).unwrap();
    fake.send(folder.path(), &from).assert_code(0);
    assert_eq!(fake.builds_made(), 150);
}

#[test]
fn rejected_records_are_saved_and_sent_again_from_there() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    records(folder.path(), 5);
    let file = folder.path().join("deploys.jsonl");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text += "{\"branch\":\"main\"}\n{\"commit\":\"HEAD\",\"branch\":7}\n";
    std::fs::write(&file, text).unwrap();

    let from = ["--from", "jsonl:deploys.jsonl"];
    let ended = fake.send(folder.path(), &from);
    ended
        .assert_code(6)
        .assert_says(&["2 records rejected", "`commit` is missing"]);
    let flag = [
        "--from",
        "jsonl:deploys.jsonl",
        "--dead-letters",
        "refused.jsonl",
    ];
    let ended = fake.send(folder.path(), &flag);
    ended
        .assert_code(0)
        .assert_says(&["2 records rejected and saved"]);
    assert_eq!(fake.builds_made(), 5);

    let refused = folder.path().join("refused.jsonl");
    let mended = std::fs::read_to_string(&refused).unwrap();
    let mended = mended.replace(
        "{\"branch\":\"main\"}",
        "{\"commit\":\"HEAD\",\"branch\":\"x\"}",
    );
    std::fs::write(&refused, mended.replace(":7}", ":\"y\"}")).unwrap();
    fake.send(folder.path(), &["--from", "jsonl:refused.jsonl"])
        .assert_code(0);
    assert_eq!(fake.builds_made(), 7);
}

#[test]
fn a_dry_run_prints_the_requests_and_sends_none() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    records(folder.path(), 2);
    let dry = ["--from", "jsonl:deploys.jsonl", "--dry-run"];
    let ended = fake.send(folder.path(), &dry);
    ended.assert_code(0);
    let line = "POST /v2/organizations/acme/pipelines/web/builds\n";
    assert_eq!(ended.stdout.matches(line).count(), 2, "{}", ended.stdout);
    assert!(ended.stdout.contains("\"message\": \"deploy 1\""));
    assert!(fake.write_requests().is_empty());
    assert!(!folder.path().join("journal.jsonl").exists());
}

#[test]
fn rows_of_a_query_trigger_builds_and_the_results_are_a_table() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let database = rusqlite::Connection::open(folder.path().join("in.db")).unwrap();
    let statements = "CREATE TABLE deploys (sha TEXT, version TEXT, done INTEGER);
        INSERT INTO deploys VALUES ('a', '1', 0), ('b', '2', 1), ('c', '3', 0);";
    database.execute_batch(statements).unwrap();
    let query = "SELECT sha AS \"commit\", 'main' AS branch, 'v' || version AS message \
                 FROM deploys WHERE NOT done";
    let from = [
        "--from",
        "sqlite:in.db",
        "--query",
        query,
        "--results",
        "sqlite:out.db",
    ];

    for _ in 0..2 {
        fake.send(folder.path(), &from).assert_code(0);
    }

    assert_eq!(fake.builds_made(), 2);
    let results = rusqlite::Connection::open(folder.path().join("out.db")).unwrap();
    let rows: (i64, i64) = results
        .query_row("SELECT count(*), sum(number) FROM results", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(rows, (2, 3));
}

#[test]
fn another_file_of_the_same_name_is_read_from_its_beginning() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let from = ["--from", "jsonl:deploys.jsonl"];
    records(folder.path(), 3);
    fake.send(folder.path(), &from).assert_code(0);
    let line = "{\"commit\":\"HEAD\",\"branch\":\"other\"}\n";
    std::fs::write(folder.path().join("deploys.jsonl"), line).unwrap();
    fake.send(folder.path(), &from).assert_code(0);
    assert_eq!(fake.builds_made(), 4);
}

#[test]
fn the_token_is_in_nothing_that_a_destination_writes() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    records(folder.path(), 2);
    fake.set_meta_data_delay(Duration::ZERO);
    fake.fail_when(Fault::LostAnswer, When::write());
    let from = [
        "-vvv",
        "--from",
        "jsonl:deploys.jsonl",
        "--results",
        "jsonl:results.jsonl",
    ];
    let arguments: Vec<_> = arguments(&from)
        .into_iter()
        .filter(|one| *one != "--quiet")
        .collect();
    let ended = fake.run(folder.path(), &arguments);
    ended.assert_code(0);
    let mut texts = vec![ended.stdout, ended.stderr];
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        texts.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    for text in texts {
        assert!(!text.contains(fake.token()), "{text}");
    }
}

#[test]
fn a_check_says_whether_the_token_may_write_whatever_is_read() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    records(folder.path(), 1);
    // The address is that of both sides, or of the one that has one.
    let sides = [&["--from", "jsonl:deploys.jsonl"][..], &[]];
    for from in sides {
        let check = [&["check", "--to", "buildkite"], from].concat();
        let ended = fake.run(folder.path(), &check);
        ended.assert_code(0);
        let line = "Destination buildkite: can be written to.";
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    let scopes = ["read_builds", "read_organizations", "read_pipelines"];
    fake.add_token(Token::new(fake.token()).scopes(scopes));
    for from in sides {
        let check = [&["check", "--to", "buildkite"], from].concat();
        let ended = fake.run(folder.path(), &check);
        ended
            .assert_code(3)
            .assert_says(&["lacks the scopes write_builds"]);
    }
}
