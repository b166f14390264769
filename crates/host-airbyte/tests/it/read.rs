use std::time::Duration;

use connector_core::SyncMode::{FullRefresh, Incremental};
use connector_core::{Event, Message, StreamName, WaitReason};
use serde_json::{Value, json};

use super::scripted::{
    Ended, Ending, Files, Scripted, Shared, checkpoint, complete, record, started,
};
use super::{call_with, catalog, error, incremental, read};

fn scripted() -> Scripted {
    Scripted::new()
        .with_stream("builds", &[FullRefresh, Incremental])
        .with_stream("words", &[FullRefresh])
}

fn messages() -> Vec<Message> {
    vec![
        started("builds"),
        record("builds", 1),
        checkpoint(&[("builds", 1)]),
        complete("builds"),
        started("words"),
        record("words", 1),
        record("words", 2),
        complete("words"),
    ]
}

/// What a host sees of a stream, in its order.
fn life(ended: &Ended, stream: &str) -> Vec<String> {
    let of = |message: &Value| {
        let state = &message["state"];
        let status = &message["trace"]["stream_status"];
        if message["record"]["stream"] == stream {
            return Some("record".to_owned());
        }
        if state["stream"]["stream_descriptor"]["name"] == stream {
            let count = &state["sourceStats"]["recordCount"];
            let value = &state["stream"]["stream_state"];
            return Some(format!(
                "state of {count}: {}",
                value.get("value").unwrap_or(value)
            ));
        }
        let is_status = status["stream_descriptor"]["name"] == stream;
        is_status.then(|| status["status"].as_str().unwrap().to_owned())
    };
    ended.messages().iter().filter_map(of).collect()
}

/// The file that a host gives to the next read.
fn kept(ended: &Ended) -> String {
    let messages = ended.messages().into_iter();
    let states = messages.filter(|message| message["type"] == "STATE");
    Value::from_iter(states.map(|message| message["state"].clone())).to_string()
}

#[test]
fn a_full_refresh_that_comes_last_ends_with_a_state_too() {
    let ended = read(&scripted().yielding(messages()), &Files::new());
    ended.assert_code(0);
    assert_eq!(
        life(&ended, "words"),
        [
            "STARTED",
            "RUNNING",
            "record",
            "record",
            "state of 2.0: null",
            "COMPLETE"
        ]
    );
    assert_eq!(
        life(&ended, "builds"),
        [
            "STARTED",
            "RUNNING",
            "record",
            "state of 1.0: 1",
            "COMPLETE"
        ]
    );
}

#[test]
fn the_state_of_a_full_refresh_starts_the_next_read_over() {
    let files = Files::new();
    let scripted = scripted().yielding(messages());
    files.put("state", kept(&read(&scripted, &files)));
    read(&scripted, &files).assert_code(0);
    let requests = &scripted.memory.lock().unwrap().requests;
    let state = requests[1].state.as_ref().unwrap();
    let streams: Vec<_> = state.streams().map(|(name, _)| name.as_str()).collect();
    assert_eq!(streams, ["builds"]);
}

#[test]
fn records_after_the_last_checkpoint_are_followed_by_the_state_that_counts() {
    let scripted = Scripted::new()
        .with_stream("builds", &[Incremental])
        .yielding([
            started("builds"),
            checkpoint(&[("builds", 1)]),
            record("builds", 2),
            complete("builds"),
        ]);
    let ended = read(&scripted, &Files::new());
    assert_eq!(
        life(&ended, "builds"),
        [
            "STARTED",
            "state of 0.0: 1",
            "RUNNING",
            "record",
            "state of 1.0: 1",
            "COMPLETE"
        ]
    );
}

#[test]
fn a_source_without_checkpoints_has_states_that_mean_none() {
    let scripted = Scripted::new()
        .with_stream("words", &[FullRefresh])
        .yielding([started("words"), record("words", 1), complete("words")]);
    let files = Files::new();
    let ended = read(&scripted, &files);
    assert_eq!(
        life(&ended, "words"),
        [
            "STARTED",
            "RUNNING",
            "record",
            "state of 1.0: {}",
            "COMPLETE"
        ]
    );
    files.put("state", kept(&ended));
    read(&scripted, &files).assert_code(0);
    assert_eq!(scripted.memory.lock().unwrap().requests[1].state, None);
}

#[test]
fn a_state_that_a_read_does_not_touch_is_repeated_as_it_was() {
    let files = Files::new();
    let state = json!({"connector": "scripted", "version": 2, "value": {"at": 7}});
    let saved = json!([{"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "builds"}, "stream_state": state,
    }}]);
    files.put("state", saved.to_string());
    let scripted = Scripted::new()
        .with_stream("builds", &[Incremental])
        .yielding([started("builds"), complete("builds")]);
    let ended = read(&scripted, &files);
    assert_eq!(
        life(&ended, "builds"),
        ["STARTED", r#"state of 0.0: {"at":7}"#, "COMPLETE"]
    );
}

#[test]
fn a_state_with_a_byte_order_mark_is_read_and_utf_16_is_refused_by_name() {
    let files = Files::new();
    files.put("state", "\u{feff}[]");
    read(&scripted().yielding(messages()), &files).assert_code(0);
    files.put("state", b"\xFF\xFE[\0]\0");
    let refused = error(&read(&scripted(), &files));
    let text = refused["message"].as_str().unwrap();
    assert!(
        text.starts_with("the state is UTF-16; save it as UTF-8"),
        "{text}"
    );
}

#[test]
fn a_wait_for_the_remote_says_what_it_is_for() {
    let mut scripted = scripted().yielding(messages());
    scripted.events = vec![Event::Wait {
        stream: Some(StreamName::from("builds")),
        duration: Duration::from_secs(9),
        reason: WaitReason::Remote("for 3 builds to finish".to_owned()),
    }];
    let ended = read(&scripted, &Files::new());
    let expected = "builds: waiting up to 9 s for 3 builds to finish";
    assert_eq!(super::logs(&ended, "INFO"), [expected]);
}

#[test]
fn a_stream_that_fails_is_incomplete() {
    let cut = messages().into_iter().take(6);
    let scripted = scripted().yielding(cut).ending(Ending::Fails);
    let ended = read(&scripted, &Files::new());
    ended.assert_code(1);
    assert_eq!(life(&ended, "builds").last().unwrap(), "COMPLETE");
    assert_eq!(life(&ended, "words").last().unwrap(), "INCOMPLETE");
    assert_eq!(error(&ended)["failure_type"], "transient_error");
}

#[test]
fn a_reader_that_leaves_ends_the_read_quietly_and_without_success() {
    let files = Files::new();
    files.put("catalog", catalog([incremental("builds")]));
    let arguments = files.arguments(&["read"], &["config", "catalog"]);
    let scripted = scripted().yielding(messages());
    let role = host_airbyte::Role::Source;
    let ended = call_with(&scripted, role, arguments, b"", Shared::closed());
    ended.assert_code(1);
    assert_eq!(ended.stderr, "");
}

#[test]
fn one_stream_in_two_namespaces_is_refused() {
    let files = Files::new();
    let (mut one, mut other) = (incremental("builds"), incremental("builds"));
    one["stream"]["namespace"] = "a".into();
    other["stream"]["namespace"] = "b".into();
    files.put("catalog", catalog([one, other]));
    let ended = read(&scripted().yielding(messages()), &files);
    ended.assert_code(1);
    let text = error(&ended)["message"].as_str().unwrap().to_owned();
    assert!(text.contains("two namespaces"), "{text}");
}
