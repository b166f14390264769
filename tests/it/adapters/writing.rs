//! What is written through each protocol, and which states are told.

use connector_core::JsonObject;
use serde_json::{Value, json};

use super::tiny::{NUMBERS, Tiny, WORDS};
use super::wire::{self, Files, HOSTS, Host};

/// Messages of a source, as a destination is given them: two numbers, a state, a word, a state.
pub(super) fn messages(host: Host, records: [&str; 3]) -> String {
    let record = |stream: &str, data: &str| match host {
        Host::Airbyte => format!(
            r#"{{"type":"RECORD","log":null,"record":{{"namespace":null,"stream":"{stream}","data":{data},"emitted_at":1.5}},"state":null}}"#
        ),
        Host::Singer => format!(r#"{{"type":"RECORD","stream":"{stream}","record":{data}}}"#),
    };
    let state = |n: u64| match host {
        Host::Airbyte => format!(
            r#"{{"type":"STATE","state":{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"numbers"}},"stream_state":{{ "at":{n}.0 }}}},"global_":null,"global_":null,"destinationStats":null}}}}"#
        ),
        Host::Singer => format!(r#"{{"type":"STATE","value":{{ "at":{n}.0 }}}}"#),
    };
    let schema = |stream: &str| match host {
        Host::Airbyte => String::new(),
        Host::Singer => json!({
            "type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": ["n"],
        })
        .to_string(),
    };
    let [one, two, three] = records;
    let lines = [
        schema("numbers"),
        schema("words"),
        record("numbers", one),
        record("numbers", two),
        state(2),
        record("words", three),
        state(3),
    ];
    lines.join("\n") + "\n"
}

pub(super) const THREE: [&str; 3] = [
    r#"{"n":1,"big":12345678901234567890}"#,
    r#"{ "n":2.0 }"#,
    r#"{"n":3}"#,
];

fn states(ended: &wire::Ended) -> Vec<&str> {
    let lines = ended.stdout.lines();
    lines.filter(|line| line.contains(r#"{ "at":"#)).collect()
}

#[test]
fn every_host_writes_the_same_records_byte_for_byte_and_then_tells_the_state() {
    for host in HOSTS {
        let tiny = Tiny::new();
        let ended = wire::write(host, &tiny, &Files::new(), &messages(host, THREE));
        assert!(ended.is_success, "{host:?}: {ended:?}");
        let memory = tiny.memory.lock().unwrap();
        let streams = [NUMBERS, NUMBERS, WORDS];
        let expected: Vec<_> = streams.iter().zip(THREE).collect();
        let written: Vec<_> = memory
            .records
            .iter()
            .map(|r| (r.0.as_str(), r.1.as_str()))
            .collect();
        let expected: Vec<_> = expected.into_iter().map(|(s, t)| (*s, t)).collect();
        assert_eq!(written, expected, "{host:?}");
        assert!(memory.records.iter().all(|record| record.2), "{host:?}");
        assert!(
            states(&ended).last().unwrap().contains(r#"{ "at":3.0 }"#),
            "{ended:?}"
        );
        let streams: Vec<_> = memory
            .starts
            .iter()
            .flatten()
            .chain(&memory.added)
            .collect();
        assert_eq!(streams, [NUMBERS, WORDS], "{host:?}");
        assert_eq!((memory.starts.len(), memory.finishes), (1, 1), "{host:?}");
        assert_eq!(
            memory.commits[0], 3,
            "{host:?}: written before it is made durable"
        );
    }
}

#[test]
fn a_state_is_told_before_more_is_waited_for() {
    for host in HOSTS {
        let tiny = Tiny::new();
        let files = Files::new();
        // An empty line is nothing to wait for.
        for end in ["", "\n"] {
            let messages = messages(host, THREE) + end;
            wire::write_until(host, &tiny, &files, &messages, r#"{ "at":3.0 }"#);
        }
    }
}

#[test]
fn no_state_is_told_before_what_it_covers_is_durable() {
    for host in HOSTS {
        let tiny = Tiny::new();
        tiny.memory.lock().unwrap().fails_to_commit = true;
        let ended = wire::write(host, &tiny, &Files::new(), &messages(host, THREE));
        assert!(!ended.is_success, "{host:?}");
        assert!(states(&ended).is_empty(), "{ended:?}");
    }
}

#[test]
fn no_state_is_told_after_a_record_that_was_rejected() {
    let refused = [THREE[0], r#"{"n":2,"text":"refuse me"}"#, THREE[2]];
    for host in HOSTS {
        let tiny = Tiny::new();
        let ended = wire::write(host, &tiny, &Files::new(), &messages(host, refused));
        assert!(!ended.is_success, "{host:?}");
        assert!(states(&ended).is_empty(), "{ended:?}");
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            told.contains("it asks for it") && told.contains("1 record rejected and not saved"),
            "{told}"
        );
        assert!(
            !told.contains("refuse me"),
            "values are not repeated: {told}"
        );
        assert_eq!(
            tiny.memory.lock().unwrap().records.len(),
            2,
            "the rest is written"
        );
    }
}

#[test]
fn a_rejected_record_that_is_saved_stops_nothing() {
    let refused = [THREE[0], r#"{"n":2,"text":"refuse me"}"#, THREE[2]];
    for host in HOSTS {
        let files = Files::new();
        let letters = files.put("letters", "");
        let config = json!({"secret": "s3cret", "dead_letter": letters.to_str()});
        files.put("config", &config.to_string());
        let ended = wire::write(host, &Tiny::new(), &files, &messages(host, refused));
        assert!(ended.is_success, "{host:?}: {ended:?}");
        assert!(!states(&ended).is_empty());
        let kept = JsonObject::parse(files.text("letters").trim()).unwrap();
        let kept: Value = kept.read().unwrap();
        assert_eq!(kept["reason"], "it asks for it");
        assert_eq!(kept["record"]["n"], 2);
    }
}

#[test]
fn a_broken_message_ends_the_write_without_a_later_state() {
    for host in HOSTS {
        let whole = messages(host, THREE);
        for broken in [
            "{\"type\":",
            "7",
            "{\"type\":\"RECORD\"}",
            "{\"type\":\"STATE\"}",
        ] {
            let stdin = format!("{broken}\n{whole}");
            let ended = wire::write(host, &Tiny::new(), &Files::new(), &stdin);
            assert!(!ended.is_success, "{host:?} {broken}");
            assert!(states(&ended).is_empty(), "{ended:?}");
            let told = format!("{}{}", ended.stdout, ended.stderr);
            assert!(told.contains("line"), "{told}");
        }
        let nothing = wire::write(host, &Tiny::new(), &Files::new(), "");
        assert!(
            nothing.is_success && nothing.stdout.is_empty(),
            "{nothing:?}"
        );
    }
}
