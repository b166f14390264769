//! What only Airbyte's protocol has.

use connector_core::ErrorKind;
use serde_json::{Value, json};

use super::tiny::{End, Tiny};
use super::wire::{Ended, Files, Host, airbyte_catalog, read, read_role, write};

fn lines(ended: &Ended) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).unwrap();
    ended.stdout.lines().map(line).collect()
}

/// The message of a type, of which there is just one.
fn only(ended: &Ended, kind: &str) -> Value {
    let mut of_kind: Vec<_> = lines(ended)
        .into_iter()
        .filter(|m| m["type"] == kind)
        .collect();
    assert_eq!(of_kind.len(), 1, "{ended:?}");
    of_kind.remove(0)
}

fn errors(ended: &Ended) -> Vec<Value> {
    let traces = lines(ended)
        .into_iter()
        .filter(|m| m["trace"]["type"] == "ERROR");
    traces.map(|mut m| m["trace"]["error"].take()).collect()
}

/// What is told of a stream, and how many records and states of it came between.
fn life(ended: &Ended, stream: &str) -> Vec<String> {
    let of = |m: &Value| match m["type"].as_str() {
        Some("RECORD") if m["record"]["stream"] == stream => Some("record".to_owned()),
        Some("STATE") if m["state"]["stream"]["stream_descriptor"]["name"] == stream => Some(
            format!("state of {}", m["state"]["sourceStats"]["recordCount"]),
        ),
        Some("TRACE") => {
            let status = &m["trace"]["stream_status"];
            let is_of = status["stream_descriptor"]["name"] == stream;
            is_of.then(|| status["status"].as_str().unwrap().to_owned())
        }
        _ => None,
    };
    lines(ended).iter().filter_map(of).collect()
}

#[test]
fn spec_marks_the_secret_and_speaks_of_choices_as_enums() {
    let ended = read_role(
        Host::Airbyte,
        &Tiny::new(),
        ["program", "spec"].map(Into::into).into(),
    );
    let spec = only(&ended, "SPEC");
    let schema = &spec["spec"]["connectionSpecification"];
    assert_eq!(schema["properties"]["secret"]["airbyte_secret"], true);
    assert_eq!(schema["properties"]["way"]["airbyte_secret"], false);
    assert_eq!(schema["properties"]["secret"]["description"], "A key.");
    assert_eq!(schema["properties"]["way"]["enum"], json!(["up", "down"]));
    assert_eq!(schema["properties"]["way"]["oneOf"], Value::Null);
    assert_ne!(schema["additionalProperties"], false);
}

#[test]
fn check_answers_with_the_connectors_words_and_succeeds_in_answering() {
    let files = Files::new();
    let check = |end| {
        read_role(
            Host::Airbyte,
            &Tiny::that_ends(end),
            files.with_config("check"),
        )
    };

    let works = check(End::Complete);
    assert_eq!(
        only(&works, "CONNECTION_STATUS")["connectionStatus"],
        json!({"status": "SUCCEEDED"})
    );
    let fails = check(End::Failed(ErrorKind::Auth));
    let status = json!({"status": "FAILED", "message": "it does not work"});
    assert_eq!(
        only(&fails, "CONNECTION_STATUS")["connectionStatus"],
        status
    );
    assert!(works.is_success && fails.is_success);
}

#[test]
fn discover_gives_what_hosts_insist_on_and_the_stream_of_removed_records() {
    let files = Files::new();
    let ended = read_role(Host::Airbyte, &Tiny::new(), files.with_config("discover"));
    let catalog = only(&ended, "CATALOG");
    let streams = catalog["catalog"]["streams"].as_array().unwrap();
    let names: Vec<_> = streams.iter().map(|stream| &stream["name"]).collect();
    assert_eq!(names, ["numbers", "words", "gone_records"]);
    for stream in streams {
        assert!(stream["json_schema"].is_object() && stream["supported_sync_modes"].is_array());
    }
    assert_eq!(streams[0]["source_defined_primary_key"], json!([["n"]]));
    assert_eq!(streams[0]["source_defined_cursor"], true);
}

#[test]
fn a_stream_starts_runs_and_completes_after_its_last_state() {
    let ended = read(Host::Airbyte, &Tiny::new(), &Files::new());
    let numbers = [
        "STARTED",
        "RUNNING",
        "record",
        "record",
        "state of 2.0",
        "record",
        "record",
        "state of 2.0",
        "record",
        "record",
        "state of 2.0",
        "COMPLETE",
    ];
    assert_eq!(life(&ended, "numbers"), numbers);
    // A state follows the last record of a full refresh, too.
    let words = [
        "STARTED",
        "RUNNING",
        "record",
        "record",
        "record",
        "state of 3.0",
        "COMPLETE",
    ];
    assert_eq!(life(&ended, "words"), words);
    assert_eq!(
        life(&ended, "gone_records"),
        ["STARTED", "RUNNING", "record", "state of 1.0", "COMPLETE"]
    );
}

#[test]
fn a_stream_that_is_cut_off_is_incomplete_and_the_error_says_who_must_act() {
    for (kind, failure_type) in [
        (ErrorKind::Config, "config_error"),
        (ErrorKind::Auth, "config_error"),
        (ErrorKind::State, "config_error"),
        (ErrorKind::Unavailable, "transient_error"),
        (ErrorKind::Protocol, "system_error"),
    ] {
        let ended = read(
            Host::Airbyte,
            &Tiny::that_ends(End::Failed(kind)),
            &Files::new(),
        );
        for stream in ["numbers", "words"] {
            assert_eq!(
                life(&ended, stream).last().unwrap(),
                "INCOMPLETE",
                "{kind:?}"
            );
        }
        let errors = errors(&ended);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0]["failure_type"], failure_type);
        assert_eq!(errors[0]["message"], "it broke [stream: numbers]");
        assert_eq!(errors[0]["stream_descriptor"], json!({"name": "numbers"}));
    }
}

#[test]
fn a_stream_that_there_is_not_is_refused_before_anything_is_read() {
    let files = Files::new();
    files.put("catalog", &airbyte_catalog(&["numbers", "wrods"]));
    let ended = read(Host::Airbyte, &Tiny::new(), &files);
    assert!(!ended.is_success);
    assert_eq!(
        errors(&ended)[0]["stream_descriptor"],
        json!({"name": "wrods"})
    );
    assert_eq!(lines(&ended).len(), 1);
}

#[test]
fn wrong_arguments_are_told_as_a_message_too() {
    for arguments in [
        vec!["program"],
        vec!["program", "read"],
        vec!["program", "write"],
    ] {
        let arguments = arguments.into_iter().map(Into::into).collect();
        let ended = read_role(Host::Airbyte, &Tiny::new(), arguments);
        assert!(!ended.is_success);
        assert_eq!(errors(&ended)[0]["failure_type"], "config_error");
    }
}

#[test]
fn a_state_comes_back_with_the_number_of_records_before_it_and_without_nulls() {
    let stdin = super::writing::messages(Host::Airbyte, super::writing::THREE);
    let ended = write(Host::Airbyte, &Tiny::new(), &Files::new(), &stdin);
    let first = r#"{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"numbers"},"stream_state":{ "at":2.0 }},"destinationStats":{"recordCount":2.0}}}"#;
    assert_eq!(ended.stdout.lines().next().unwrap(), first);
}

#[test]
fn a_stream_that_the_destination_does_not_take_is_refused() {
    let files = Files::new();
    files.put("catalog", &airbyte_catalog(&["letters"]));
    let ended = write(Host::Airbyte, &Tiny::new(), &files, "");
    assert!(!ended.is_success);
    let message = errors(&ended)[0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("it accepts: numbers, words"), "{message}");
}

#[test]
fn a_state_of_a_kind_that_is_not_made_here_is_refused_and_none_has_many_forms() {
    for (state, is_taken) in [
        (
            r#"[{"type":"GLOBAL","global":{"shared_state":{"a":1}}}]"#,
            false,
        ),
        (r#"[{"type":"LEGACY","data":{"a":1}}]"#, false),
        (r#"[{"type":"LEGACY","data":{}}]"#, true),
        ("{ }", true),
        ("null", true),
        ("[]", true),
    ] {
        let files = Files::new();
        files.put("state", state);
        let ended = read(Host::Airbyte, &Tiny::new(), &files);
        assert_eq!(ended.is_success, is_taken, "{state}: {}", ended.stdout);
        let refused = ended.stdout.contains("was not made by this connector");
        assert_eq!(refused, !is_taken, "{state}: {}", ended.stdout);
    }
}
