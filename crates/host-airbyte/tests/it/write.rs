use connector_core::{Capabilities, WriteMode};
use serde_json::json;

use super::scripted::{Ended, Files, Scripted};
use super::{catalog, configured, error, logs, write};

fn record(stream: &str, data: &str) -> String {
    format!(r#"{{"type":"RECORD","record":{{"stream":"{stream}","data":{data},"emitted_at":1}}}}"#)
}

fn state(stream: &str, at: u64) -> String {
    format!(
        r#"{{"type":"STATE","state":{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{stream}"}},"stream_state":{{"at":{at}}}}}}}}}"#
    )
}

fn files(mode: &str) -> Files {
    let files = Files::new();
    files.put("catalog", catalog([configured("builds", mode)]));
    files
}

/// The states that were passed on, by their stream.
fn states(ended: &Ended) -> Vec<String> {
    let messages = ended.messages().into_iter();
    let states = messages.filter(|message| message["type"] == "STATE");
    states
        .map(|message| {
            let stream = &message["state"]["stream"];
            let name = stream["stream_descriptor"]["name"].as_str().unwrap();
            format!("{name} {}", stream["stream_state"]["at"])
        })
        .collect()
}

#[test]
fn each_sync_mode_reaches_the_destination_as_its_write_mode() {
    for (word, mode) in [
        ("append", "append"),
        ("append_dedup", "upsert"),
        ("overwrite", "overwrite"),
    ] {
        let scripted = Scripted::new();
        write(&scripted, &files(word), "").assert_code(0);
        assert_eq!(scripted.calls()[1], format!("start builds {mode}"));
    }
}

#[test]
fn overwriting_is_announced_and_falls_back_with_a_warning() {
    let ended = write(&Scripted::new(), &files("overwrite"), "");
    let text = "builds: all rows are replaced at the end of the sync by those that came";
    assert_eq!(logs(&ended, "INFO"), [text]);

    let mut upserting = Scripted::new();
    upserting.capabilities = Capabilities::new([WriteMode::Upsert]);
    let ended = write(&upserting, &files("overwrite"), "");
    ended.assert_code(0);
    assert_eq!(upserting.calls()[1], "start builds upsert");
    let warnings = logs(&ended, "WARN");
    assert!(warnings[0].contains("none is deleted"), "{warnings:?}");
}

#[test]
fn states_of_an_overwritten_stream_wait_until_its_rows_count() {
    let files = Files::new();
    let streams = [
        configured("builds", "overwrite"),
        configured("jobs", "append"),
    ];
    files.put("catalog", catalog(streams));
    let stdin = [
        record("builds", r#"{"id":1}"#),
        state("builds", 1),
        record("jobs", r#"{"id":1}"#),
        state("jobs", 1),
    ];
    let ended = write(&Scripted::new(), &files, stdin.join("\n"));
    assert_eq!(states(&ended), ["jobs 1", "builds 1"]);

    let broken = write(&Scripted::new(), &files, stdin.join("\n") + "\n{");
    broken.assert_code(1);
    assert!(
        !states(&broken).contains(&"builds 1".to_owned()),
        "{broken:#?}"
    );
}

#[test]
fn everything_is_durable_before_its_state_and_the_sync_is_finished_once() {
    let scripted = Scripted::new();
    let stdin = [
        record("builds", r#"{"id":1}"#),
        state("builds", 1),
        record("builds", r#"{"id":2}"#),
        state("builds", 2),
    ];
    let ended = write(&scripted, &files("append"), stdin.join("\n") + "\n");
    assert_eq!(states(&ended), ["builds 1", "builds 2"]);
    let calls = scripted.calls();
    assert_eq!(calls.iter().filter(|call| *call == "finish").count(), 1);
    assert_eq!(calls.last().unwrap(), "finish");
    assert_eq!(&calls[2..4], ["write 2", "commit"]);
}

#[test]
fn a_long_input_is_committed_on_its_way() {
    let scripted = Scripted::new();
    let mut lines: Vec<_> = (0..2_500)
        .map(|id| record("builds", &format!(r#"{{"id":{id}}}"#)))
        .collect();
    lines.insert(1_100, state("builds", 1));
    lines.push(state("builds", 2));
    let ended = write(&scripted, &files("append"), lines.join("\n"));
    assert_eq!(states(&ended), ["builds 1", "builds 2"]);
    let calls = scripted.calls();
    let first_commit = calls.iter().position(|call| call == "commit").unwrap();
    let written: Vec<_> = calls[..first_commit]
        .iter()
        .filter(|c| c.starts_with("write"))
        .collect();
    assert_eq!(written, ["write 1000", "write 100"], "{calls:?}");
}

#[test]
fn records_of_two_namespaces_are_never_mixed() {
    let with = |namespace: &str| {
        record("builds", r#"{"id":1}"#).replace(
            r#""stream""#,
            &format!(r#""namespace":{namespace},"stream""#),
        )
    };
    let stdin = [with("null"), with("\"a\""), with("\"b\"")].join("\n");
    let ended = write(&Scripted::new(), &files("append"), stdin);
    ended.assert_code(1);
    let text = "a record is of a namespace that is not in the catalog [stream: builds, line: 3]";
    assert_eq!(error(&ended)["message"], text);

    let mut one = configured("builds", "append");
    one["stream"]["namespace"] = "a".into();
    let files = Files::new();
    files.put("catalog", catalog([one]));
    write(
        &Scripted::new(),
        &files,
        with("\"a\"") + "\n" + &with("null"),
    )
    .assert_code(0);
}

#[test]
fn a_broken_line_is_a_fault_of_the_data() {
    let ended = write(&Scripted::new(), &files("append"), "\n{\"type\":\n");
    ended.assert_code(1);
    let error = error(&ended);
    assert_eq!(error["failure_type"], "system_error");
    let text = "the message is not valid JSON [column: 8, line: 2]";
    assert_eq!(error["message"], text);
    assert_eq!(error["internal_message"], format!("Data: {text}"));
}

#[test]
fn a_rejected_record_withholds_later_states_unless_it_is_saved() {
    let stdin = [
        record("builds", r#"{"id":1,"text":"reject"}"#),
        state("builds", 1),
    ];
    let ended = write(&Scripted::new(), &files("append"), stdin.join("\n"));
    ended.assert_code(1);
    assert!(states(&ended).is_empty());
    let rejected = "builds: a record was rejected: it asks for it";
    assert_eq!(logs(&ended, "ERROR"), [rejected]);
    let text = error(&ended)["message"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("1 record rejected and not saved"),
        "{text}"
    );

    let files = files("append");
    let config = json!({"dead_letter": files.path("letters")});
    files.put("config", config.to_string());
    let ended = write(&Scripted::new(), &files, stdin.join("\n"));
    ended.assert_code(0);
    assert_eq!(states(&ended), ["builds 1"]);
    assert!(files.text("letters").contains("it asks for it"));
}

#[test]
fn results_are_stored_and_what_is_under_way_is_waited_for() {
    let files = files("append");
    files.put(
        "config",
        json!({"results": files.path("results")}).to_string(),
    );
    let scripted = Scripted::acting();
    let stdin = [
        record("builds", r#"{"id":1,"text":"slow"}"#),
        record("builds", r#"{"id":2}"#),
        state("builds", 1),
    ];
    write(&scripted, &files, stdin.join("\n")).assert_code(0);
    let results = files.text("results");
    assert_eq!(results, "{\"id\":2}\n{\"id\":1,\"text\":\"slow\"}\n");
    let calls = scripted.calls();
    let follow = calls.iter().position(|call| call == "follow").unwrap();
    assert_eq!(calls.last().unwrap(), "finish");
    assert!(
        calls[..follow].iter().any(|call| call == "commit"),
        "{calls:?}"
    );
}

#[test]
fn a_run_that_fails_keeps_the_results_of_what_it_began() {
    let files = files("append");
    files.put(
        "config",
        json!({"results": files.path("results")}).to_string(),
    );
    let mut lines = vec![record("builds", r#"{"id":0,"text":"slow"}"#)];
    lines.extend(vec![record("builds", r#"{"id":1}"#); 999]);
    lines.push("{".to_owned());
    write(&Scripted::acting(), &files, lines.join("\n")).assert_code(1);
    let results = files.text("results");
    assert_eq!(results.lines().count(), 1_000);
    assert!(results.ends_with("\"slow\"}\n"), "it is still under way");
}

#[test]
fn a_dry_run_passes_no_state_on() {
    let files = files("append");
    files.put("config", json!({"dry_run": true}).to_string());
    let scripted = Scripted::acting();
    let stdin = [record("builds", r#"{"id":1}"#), state("builds", 1)];
    let ended = write(&scripted, &files, stdin.join("\n"));
    ended.assert_code(0);
    assert!(states(&ended).is_empty());
    assert_eq!(scripted.memory.lock().unwrap().dry_runs, [true]);
}

#[test]
fn a_request_to_stop_ends_the_write_and_keeps_what_is_known() {
    let files = files("append");
    files.put(
        "config",
        json!({"results": files.path("results")}).to_string(),
    );
    let scripted = Scripted::acting();
    let stdin = [
        record("builds", r#"{"id":1,"text":"slow"}"#),
        record("builds", r#"{"id":2,"text":"stop"}"#),
        record("builds", r#"{"id":3}"#),
        state("builds", 1),
    ];
    let ended = write(&scripted, &files, stdin.join("\n") + "\n");
    ended.assert_code(130);
    assert!(states(&ended).is_empty());
    let results = files.text("results");
    assert_eq!(results.lines().count(), 2, "{results}");
    assert!(!results.contains(r#""id":3"#), "{results}");
    assert!(!scripted.calls().contains(&"finish".to_owned()));
}
