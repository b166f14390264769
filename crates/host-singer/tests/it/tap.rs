use std::time::Duration;

use connector_core::SyncMode::{FullRefresh, Incremental};
use connector_core::{Event, Message, WaitReason};
use host_singer::Role;
use serde_json::{Value, json};

use super::scripted::{
    Ended, Ending, Files, Scripted, Shared, checkpoint, complete, record, started,
};
use super::{call, tap};

fn scripted() -> Scripted {
    Scripted::new()
        .with_stream("builds", &[FullRefresh, Incremental])
        .with_stream("words", &[FullRefresh])
        .yielding([
            started("builds"),
            record("builds", 1),
            checkpoint(&[("builds", 1)]),
            complete("builds"),
            started("words"),
            record("words", 1),
            complete("words"),
        ])
}

/// The messages in a few words.
fn messages(ended: &Ended) -> Vec<String> {
    let words = |message: Value| {
        let stream = message["stream"].as_str().unwrap_or_default();
        let kind = message["type"].as_str().unwrap();
        match kind {
            "STATE" => format!("STATE {}", message["value"]["bookmarks"]),
            _ => format!("{kind} {stream}"),
        }
    };
    ended.messages().into_iter().map(words).collect()
}

/// The catalog as a runner gives it back, with the marks of some breadcrumbs changed.
fn catalog(scripted: &Scripted, change: impl Fn(&mut Value)) -> String {
    let discovered = tap(scripted, &Files::new(), &["--discover"]);
    let mut catalog: Value = serde_json::from_str(&discovered.stdout).unwrap();
    catalog["streams"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(change);
    catalog.to_string()
}

#[test]
fn a_full_refresh_that_comes_last_is_followed_by_the_state_of_all() {
    let ended = tap(&scripted(), &Files::new(), &[]);
    ended.assert_code(0);
    let expected = [
        "SCHEMA gone_records",
        "SCHEMA builds",
        "RECORD builds",
        r#"STATE {"builds":1}"#,
        "SCHEMA words",
        "RECORD words",
        r#"STATE {"builds":1}"#,
    ];
    assert_eq!(messages(&ended), expected);
}

#[test]
fn each_stream_without_a_checkpoint_is_followed_by_a_state() {
    let scripted = Scripted::new()
        .with_stream("a", &[FullRefresh])
        .with_stream("b", &[FullRefresh])
        .yielding([
            started("a"),
            record("a", 1),
            complete("a"),
            started("b"),
            complete("b"),
        ]);
    let ended = tap(&scripted, &Files::new(), &[]);
    assert_eq!(
        messages(&ended),
        ["SCHEMA a", "RECORD a", "STATE {}", "SCHEMA b"]
    );
}

#[test]
fn a_read_without_records_repeats_the_state_it_was_given() {
    let files = Files::new();
    let state =
        json!({"bookmarks": {"builds": 7, "others": 1}, "connector": "scripted", "version": 2});
    files.put("state", state.to_string());
    let scripted = Scripted::new()
        .with_stream("builds", &[Incremental])
        .yielding([started("builds"), complete("builds")]);
    let ended = tap(&scripted, &files, &[]);
    let last = ended.messages().pop().unwrap();
    let states: Vec<_> = ended
        .messages()
        .into_iter()
        .filter(|m| m["type"] == "STATE")
        .collect();
    assert_eq!(states.len(), 1, "{last}");
    assert_eq!(states[0]["value"], state);
}

#[test]
fn a_read_that_fails_ends_with_its_last_state() {
    let cut: Vec<Message> = scripted().messages.into_iter().take(6).collect();
    let scripted = scripted().yielding(cut).ending(Ending::Fails);
    let ended = tap(&scripted, &Files::new(), &[]);
    ended.assert_code(1);
    assert_eq!(messages(&ended).last().unwrap(), r#"STATE {"builds":1}"#);
    assert_eq!(ended.stderr, "CRITICAL the remote is down\n");
}

#[test]
fn of_the_lines_of_a_target_the_last_state_counts_and_empty_bookmarks_say_nothing() {
    let files = Files::new();
    let line = |at: u8| {
        json!({
            "bookmarks": {"builds": at, "words": {}}, "connector": "scripted", "version": 2,
        })
    };
    files.put("state", format!("\u{feff}{}\n{}\n", line(1), line(2)));
    let scripted = scripted();
    tap(&scripted, &files, &[]).assert_code(0);
    let memory = scripted.memory.lock().unwrap();
    let state = memory.requests[0].state.as_ref().unwrap();
    assert_eq!(state.stream("builds"), Some(&json!(2)));
    assert_eq!(state.stream("words"), None);
}

#[test]
fn a_bookmark_of_an_older_form_that_cannot_be_carried_is_reported() {
    let files = Files::new();
    let state = json!({"bookmarks": {"others": 1}, "connector": "scripted", "version": 1});
    files.put("state", state.to_string());
    let ended = tap(&scripted(), &files, &[]);
    ended.assert_code(0);
    assert!(
        ended.stderr.starts_with("WARNING others: its bookmark"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_deselected_field_within_a_field_is_sent_with_a_warning() {
    let scripted = scripted();
    let files = Files::new();
    let text = catalog(&scripted, |stream| {
        let nested = json!({
            "breadcrumb": ["properties", "author", "properties", "email"],
            "metadata": {"inclusion": "available", "selected": false},
        });
        stream["metadata"].as_array_mut().unwrap().push(nested);
    });
    files.put("catalog", text);
    let ended = tap(&scripted, &files, &[]);
    let text = "WARNING builds: only whole fields can be left out; these are sent with everything \
                in them: author";
    assert_eq!(ended.stderr.lines().next(), Some(text));

    let text = catalog(&scripted, |stream| {
        let metadata = stream["metadata"].as_array_mut().unwrap();
        for breadcrumb in [
            json!(["properties", "author"]),
            json!(["properties", "author", "properties", "email"]),
        ] {
            metadata.push(json!({"breadcrumb": breadcrumb, "metadata": {"selected": false}}));
        }
    });
    files.put("catalog", text);
    assert_eq!(
        tap(&scripted, &files, &[]).stderr,
        "",
        "the whole field is left out"
    );
}

#[test]
fn texts_of_meltano_stand_for_what_the_schema_declares() {
    let files = Files::new();
    let config = json!({
        "start_date": "", "limit": "4", "organizations": "[\"acme\"]", "masked": "true",
    });
    files.put("config", config.to_string());
    let scripted = scripted();
    tap(&scripted, &files, &[]).assert_code(0);
    let seen = scripted.memory.lock().unwrap().settings[0].clone();
    assert_eq!(
        seen,
        r#"{"limit":4,"organizations":["acme"],"masked":true}"#
    );

    files.put("config", json!({"organizations": "acme"}).to_string());
    let ended = tap(&scripted, &files, &[]);
    let text = "CRITICAL wrong type or value: expected a list [key: organizations]\n";
    assert_eq!(ended.stderr, text);
}

#[test]
fn a_wait_for_the_remote_says_what_it_is_for() {
    let mut scripted = scripted();
    scripted.events = vec![
        Event::Wait {
            stream: None,
            duration: Duration::from_secs(9),
            reason: WaitReason::Remote("for 3 builds to finish".to_owned()),
        },
        Event::Estimate {
            stream: "builds".into(),
            records: 3,
        },
    ];
    let ended = tap(&scripted, &Files::new(), &[]);
    let text = "INFO waiting up to 9 s for 3 builds to finish\nINFO builds: about 3 records\n";
    assert_eq!(ended.stderr, text);
}

#[test]
fn a_target_that_leaves_ends_the_tap_quietly_and_without_success() {
    let arguments = Files::new().arguments(&[], &[]);
    let ended = call(&scripted(), Role::Tap, arguments, b"", Shared::closed());
    ended.assert_code(1);
    assert_eq!(ended.stderr, "");
}
