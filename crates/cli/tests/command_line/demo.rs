//! `--demo`: made-up data.

use super::{assert_exit, folder, run, stderr, stdout};

#[test]
fn a_second_demo_goes_on_from_the_first() {
    let folder = tempfile::tempdir().unwrap();
    assert_exit(&run(folder.path(), &["sync", "--demo"]), 0, "1,000");

    let output = run(folder.path(), &["sync", "--demo"]);

    assert_exit(&output, 0, "made-up data");
    assert!(!stderr(&output).contains("1,000"), "{}", stderr(&output));
    let database = rusqlite::Connection::open(folder.path().join("buildkite.db")).unwrap();
    let query = "select count(*) from builds";
    let builds: u32 = database.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(builds, 1_000);
    let output = run(folder.path(), &["status"]);
    assert_exit(&output, 0, "");
    assert!(stdout(&output).contains("demo"), "{}", stdout(&output));
}

#[test]
fn made_up_data_and_other_data_do_not_mix() {
    let folder = folder();
    let arguments = ["sync", "--from", "jsonl:in.jsonl", "--to", "sqlite:b.db"];
    assert_exit(&run(folder.path(), &arguments), 0, "complete");
    let demo = ["sync", "--demo", "--to", "sqlite:b.db"];
    let refused = run(folder.path(), &demo);
    assert_exit(&refused, 2, "other data than the demo's");

    let demo = [
        "sync",
        "--demo",
        "--stream",
        "builds",
        "--to",
        "sqlite:d.db",
    ];
    assert_exit(&run(folder.path(), &demo), 0, "complete");
    let arguments = ["sync", "--from", "jsonl:in.jsonl", "--to", "sqlite:d.db"];
    let refused = run(
        folder.path(),
        &[&arguments[..], &["--name", "mine"]].concat(),
    );
    assert_exit(&refused, 2, "holds the demo's made-up data");
}

#[test]
fn the_demo_says_that_it_is_made_up_and_fills_the_warehouse() {
    let folder = tempfile::tempdir().unwrap();

    let output = run(folder.path(), &["sync", "--demo"]);

    assert_exit(&output, 0, "made-up data");
    let database = rusqlite::Connection::open(folder.path().join("buildkite.db")).unwrap();
    for (stream, expected) in [
        ("organizations", 2),
        ("pipelines", 12),
        ("builds", 1_000),
        ("jobs", 10_000),
    ] {
        let query = format!("select count(*) from {stream}");
        let rows: u32 = database.query_row(&query, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, expected, "{stream}");
    }
}
