use connector_core::{Capabilities, WriteMode};
use serde_json::json;

use super::scripted::{Files, Scripted};
use super::target;

fn schema(stream: &str, key: &[&str]) -> String {
    json!({"type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": key}).to_string()
}

fn record(stream: &str, data: &str) -> String {
    format!(r#"{{"type":"RECORD","stream":"{stream}","record":{data}}}"#)
}

fn state(at: u64) -> String {
    json!({"type": "STATE", "value": {"at": at}}).to_string()
}

fn with_results() -> Files {
    let files = Files::new();
    files.put(
        "config",
        json!({"results": files.path("results")}).to_string(),
    );
    files
}

#[test]
fn a_stream_that_is_announced_late_is_added_and_the_sync_finishes_once() {
    let scripted = Scripted::new();
    let stdin = [
        schema("builds", &["id"]),
        record("builds", r#"{"id":1}"#),
        schema("builds", &["id"]),
        schema("logs", &[]),
        record("logs", r#"{"id":1}"#),
        schema("builds", &["id", "at"]),
        record("builds", r#"{"id":2}"#),
        state(1),
    ];
    let ended = target(&scripted, &Files::new(), stdin.join("\n") + "\n");
    ended.assert_code(0);
    assert_eq!(ended.stdout, "{\"at\":1}\n");
    let expected = [
        "open",
        "start builds upsert",
        "write 1",
        "add logs append",
        "write 1",
        "add builds upsert",
        "write 1",
        "commit",
        "finish",
    ];
    let calls = scripted.calls();
    assert_eq!(calls[..8], expected[..8]);
    assert_eq!(calls.last().unwrap(), "finish");
    assert_eq!(calls.iter().filter(|call| *call == "finish").count(), 1);
}

#[test]
fn a_late_stream_does_not_wait_for_what_is_under_way() {
    let scripted = Scripted::acting();
    let files = with_results();
    let stdin = [
        schema("builds", &[]),
        record("builds", r#"{"id":1,"text":"slow"}"#),
        state(1),
        schema("jobs", &[]),
        record("jobs", r#"{"id":2}"#),
    ];
    target(&scripted, &files, stdin.join("\n")).assert_code(0);
    let calls = scripted.calls();
    let at = |call: &str| calls.iter().position(|known| known == call).unwrap();
    assert!(at("add jobs append") < at("follow"), "{calls:?}");
    assert_eq!(
        files.text("results").lines().last(),
        Some(r#"{"id":1,"text":"slow"}"#)
    );
}

#[test]
fn without_input_nothing_is_started() {
    let scripted = Scripted::new();
    let ended = target(&scripted, &Files::new(), "");
    ended.assert_code(0);
    assert_eq!(
        (ended.stdout.as_str(), scripted.calls()),
        ("", vec!["open".to_owned()])
    );
    let only_state = target(&scripted, &Files::new(), state(1));
    assert_eq!(only_state.stdout, "{\"at\":1}\n");
}

#[test]
fn wrong_settings_are_reported_before_any_file_is_made() {
    let files = Files::new();
    let config = json!({"dead_letter": files.path("letters"), "unknown_key": 1});
    files.put("config", config.to_string());
    let scripted = Scripted::new();
    let ended = target(&scripted, &files, schema("builds", &[]));
    ended.assert_code(1);
    assert!(
        ended
            .stderr
            .starts_with("CRITICAL unknown key `unknown_key`"),
        "{}",
        ended.stderr
    );
    assert!(scripted.calls().is_empty());
    assert!(!files.path("letters").exists());
}

#[test]
fn a_destination_without_a_mode_for_a_stream_refuses_it_by_name() {
    let mut scripted = Scripted::new();
    scripted.capabilities = Capabilities::new([WriteMode::Upsert]);
    let ended = target(&scripted, &Files::new(), schema("logs", &[]));
    ended.assert_code(1);
    let text = "CRITICAL the destination needs a primary key, and this stream has none \
                [stream: logs, line: 1]\n";
    assert_eq!(ended.stderr, text);
}

#[test]
fn a_broken_line_is_reported_with_its_place_and_prints_no_later_state() {
    for (broken, text) in [
        (
            "{\"type\":",
            "the message is not valid JSON [column: 8, line: 2]",
        ),
        (
            "7",
            "the message has an unexpected form: expected an object with keys and values",
        ),
        (
            r#"{"type":"RECORD"}"#,
            "a message has no `stream` [line: 2]",
        ),
        (
            r#"{"type":"BATCH","stream":"builds"}"#,
            "messages of the type BATCH are not supported [line: 2]",
        ),
        (
            &record("jobs", "{}"),
            "a record arrived before the schema of its stream [stream: jobs, line: 2]",
        ),
        (
            &record("builds", "[1]"),
            "a record is not an object [stream: builds, line: 2]",
        ),
    ] {
        let stdin = [schema("builds", &[]), broken.to_owned(), state(1)].join("\n");
        let ended = target(&Scripted::new(), &Files::new(), stdin);
        ended.assert_code(1);
        assert_eq!(ended.stdout, "");
        assert!(
            ended.stderr.starts_with(&format!("CRITICAL {text}")),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_rejected_record_withholds_later_states_unless_it_is_saved() {
    let stdin = [
        schema("builds", &[]),
        record("builds", r#"{"text":"reject"}"#),
        state(1),
    ];
    let ended = target(&Scripted::new(), &Files::new(), stdin.join("\n"));
    ended.assert_code(1);
    assert_eq!(ended.stdout, "");
    let rejected = "ERROR builds: a record was rejected: it asks for it";
    assert_eq!(ended.stderr.lines().next(), Some(rejected));

    let files = Files::new();
    files.put(
        "config",
        json!({"dead_letter": files.path("letters")}).to_string(),
    );
    let ended = target(&Scripted::new(), &files, stdin.join("\n"));
    ended.assert_code(0);
    assert_eq!(ended.stdout, "{\"at\":1}\n");
}

#[test]
fn more_rejected_records_than_allowed_end_the_run() {
    let files = Files::new();
    files.put("config", r#"{"max_rejected": "0", "dead_letter": ""}"#);
    let stdin = [
        schema("builds", &[]),
        record("builds", r#"{"text":"reject"}"#),
    ];
    let ended = target(&Scripted::new(), &files, stdin.join("\n"));
    ended.assert_code(1);
    assert!(
        ended.stderr.contains("`max_rejected` allows"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_dry_run_prints_no_state() {
    let files = Files::new();
    files.put("config", r#"{"dry_run": "true"}"#);
    let scripted = Scripted::acting();
    let stdin = [schema("builds", &[]), record("builds", "{}"), state(1)];
    let ended = target(&scripted, &files, stdin.join("\n"));
    ended.assert_code(0);
    assert_eq!(ended.stdout, "");
    assert_eq!(scripted.memory.lock().unwrap().dry_runs, [true]);
}

#[test]
fn a_request_to_stop_ends_the_target_and_keeps_what_is_known() {
    let files = with_results();
    let scripted = Scripted::acting();
    let stdin = [
        schema("builds", &[]),
        record("builds", r#"{"id":1,"text":"slow"}"#),
        record("builds", r#"{"id":2,"text":"stop"}"#),
        record("builds", r#"{"id":3}"#),
        state(1),
    ];
    let ended = target(&scripted, &files, stdin.join("\n") + "\n");
    ended.assert_code(130);
    assert_eq!(ended.stdout, "");
    assert_eq!(files.text("results").lines().count(), 2);
    assert!(!scripted.calls().contains(&"finish".to_owned()));
}
