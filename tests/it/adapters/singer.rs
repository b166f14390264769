//! What only Singer has.

use serde_json::{Value, json};

use super::tiny::Tiny;
use super::wire::{Ended, Files, Host, read, read_role, records, state_file, write};

fn call(files: &Files, more: &[&str]) -> Ended {
    let mut arguments = files.write_arguments(Host::Singer);
    arguments.extend(more.iter().map(Into::into));
    read_role(Host::Singer, &Tiny::new(), arguments)
}

/// The catalog, as a runner gives it back with some metadata changed.
fn catalog(files: &Files, change: impl Fn(&str, &[Value], &mut Value)) -> String {
    let mut catalog: Value = serde_json::from_str(&call(files, &["--discover"]).stdout).unwrap();
    for stream in catalog["streams"].as_array_mut().unwrap() {
        let name = stream["tap_stream_id"].as_str().unwrap().to_owned();
        for entry in stream["metadata"].as_array_mut().unwrap() {
            let breadcrumb = entry["breadcrumb"].as_array().unwrap().clone();
            change(&name, &breadcrumb, &mut entry["metadata"]);
        }
    }
    catalog.to_string()
}

#[test]
fn discovery_is_one_document_whatever_else_is_given() {
    let files = Files::new();
    let state = files.put("state", "{}");
    let ended = call(&files, &["--discover", "--state", state.to_str().unwrap()]);
    let catalog: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(catalog["streams"].as_array().unwrap().len(), 3);
    assert_eq!(catalog["streams"][0]["key_properties"], json!(["n"]));
    assert_eq!(ended.stderr, "");
    // Validators of draft 4 know no schema `true`.
    let properties = &catalog["streams"][0]["schema"]["properties"];
    assert_eq!(properties["text"], json!({}));
    assert_eq!(properties["list"]["items"], json!({}));
}

#[test]
fn a_field_that_is_not_selected_is_in_neither_schema_nor_record_and_a_key_always_is() {
    let files = Files::new();
    let text = catalog(&files, |stream, breadcrumb, metadata| {
        if breadcrumb.is_empty() {
            metadata["selected"] = (stream == "words").into();
        } else {
            metadata["selected"] = (breadcrumb[1] == "list").into();
        }
    });
    let path = files.put("catalog", &text);
    let ended = read(Host::Singer, &Tiny::new(), &files);
    let by_older_name = call(&files, &["--properties", path.to_str().unwrap()]);
    let records_of = |ended: &Ended| records(Host::Singer, ended.stdout.lines());
    assert_eq!(records_of(&by_older_name), records_of(&ended));
    assert!(ended.is_success, "{}", ended.stderr);
    let schema: Value = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
    let fields: Vec<_> = schema["schema"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(fields, ["id", "list"]);
    let records = records(Host::Singer, ended.stdout.lines());
    assert_eq!(records.len(), 3, "only the stream that is selected");
    assert_eq!(records[0].1, r#"{"id":"w1","list":[ ]}"#);
}

#[test]
fn the_schema_of_a_stream_comes_once_and_before_its_records() {
    let ended = read(Host::Singer, &Tiny::new(), &Files::new());
    let mut announced = Vec::new();
    for line in ended.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let stream = line["stream"].as_str().unwrap_or_default().to_owned();
        match line["type"].as_str().unwrap() {
            "SCHEMA" => {
                assert!(!announced.contains(&stream), "{stream} twice");
                assert!(line["key_properties"].is_array());
                announced.push(stream);
            }
            "RECORD" => assert!(announced.contains(&stream), "{stream}"),
            kind => assert_eq!(kind, "STATE"),
        }
    }
    assert_eq!(announced.len(), 3);
}

#[test]
fn a_bookmark_of_a_stream_that_is_not_read_stays() {
    let files = Files::new();
    let state = json!({"bookmarks": {"others": 7}, "connector": "tiny", "version": 3});
    files.put("state", &state.to_string());
    let ended = read(Host::Singer, &Tiny::new(), &files);
    let states = ended
        .stdout
        .lines()
        .filter(|line| line.contains(r#""type":"STATE""#));
    for state in states {
        assert!(state.contains(r#""others":7"#), "{state}");
    }
}

#[test]
fn about_and_version_need_no_configuration() {
    let ask = |flags: &[&str]| {
        let arguments = ["program"].iter().chain(flags).map(Into::into).collect();
        read_role(Host::Singer, &Tiny::new(), arguments).stdout
    };
    assert_eq!(ask(&["--version"]), "tap-tiny 1.2.3\n");
    assert!(ask(&["--about"]).contains("secret: A key."));
    let about: Value = serde_json::from_str(&ask(&["--about", "--format=json"])).unwrap();
    assert_eq!(about["name"], "tap-tiny");
}

fn schema(stream: &str) -> String {
    json!({"type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": []}).to_string()
}

#[test]
fn a_stream_that_is_announced_late_is_written_too() {
    let tiny = Tiny::new();
    let stdin = [
        &schema("numbers"),
        r#"{"type":"RECORD","stream":"numbers","record":{"n":1}}"#,
        &schema("numbers"),
        &schema("words"),
        r#"{"type":"RECORD","stream":"words","record":{"id":"a"}}"#,
        r#"{"type":"RECORD","stream":"numbers","record":{"n":2}}"#,
    ];
    let ended = write(Host::Singer, &tiny, &Files::new(), &stdin.join("\n"));
    assert!(ended.is_success, "{}", ended.stderr);
    let memory = tiny.memory.lock().unwrap();
    assert_eq!(memory.records.iter().filter(|record| record.2).count(), 3);
    assert_eq!(memory.starts, [vec!["numbers"]]);
    assert_eq!(memory.added, ["words"]);
    assert_eq!(memory.finishes, 1);
}

#[test]
fn what_cannot_be_loaded_is_an_error_and_what_is_no_data_a_warning() {
    let state = r#"{"type":"STATE","value":1}"#;
    for lost in [
        r#"{"type":"BATCH","stream":"numbers","manifest":[]}"#,
        r#"{"type":"RECORD","stream":"numbers","record":{"n":1}}"#,
        r#"{"type":"RECORD","record":{"n":1}}"#,
    ] {
        let stdin = format!("{lost}\n{state}\n");
        let ended = write(Host::Singer, &Tiny::new(), &Files::new(), &stdin);
        assert!(
            !ended.is_success && ended.stdout.is_empty(),
            "{lost}: {ended:?}"
        );
        assert!(ended.stderr.starts_with("CRITICAL "), "{ended:?}");
    }
    let stdin = format!(
        "{}\n{}\n{state}\n",
        r#"{"type":"HEARTBEAT"}"#, r#"{"type":"HEARTBEAT"}"#
    );
    let ended = write(Host::Singer, &Tiny::new(), &Files::new(), &stdin);
    assert!(ended.is_success, "{ended:?}");
    assert_eq!(ended.stdout, "1\n");
    assert_eq!(
        ended.stderr.matches("HEARTBEAT").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
fn the_state_of_other_streams_is_told_again_where_none_of_those_that_are_read_has_one() {
    let files = Files::new();
    let first = read(Host::Singer, &Tiny::new(), &files);
    files.put("state", &state_file(Host::Singer, first.stdout.lines()));
    let text = catalog(&files, |stream, breadcrumb, metadata| {
        if breadcrumb.is_empty() {
            metadata["selected"] = (stream == "words").into();
        }
    });
    files.put("catalog", &text);

    let ended = read(Host::Singer, &Tiny::new(), &files);

    assert!(ended.is_success, "{}", ended.stderr);
    let last = ended.stdout.lines().last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["type"], "STATE");
    assert!(!last["value"]["bookmarks"]["numbers"].is_null(), "{last}");
}
