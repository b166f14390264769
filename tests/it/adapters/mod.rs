//! One tiny connector, called directly and through each protocol.
//!
//! What holds for all hosts stands here, what a protocol has of its own beside.

mod airbyte;
mod singer;
mod tiny;
pub(crate) mod wire;

use std::collections::BTreeSet;

use connector_core::{
    Configuration, Connector, ErrorKind, JsonObject, Message, ReadRequest, Selection, Setup,
    Source, State,
};
use futures::StreamExt;
use futures::executor::block_on;
use host_kit::GoneAsRecords;
use serde_json::{Value, json};

use tiny::{End, NUMBERS, Tiny, WORDS};
use wire::{Files, HOSTS, Host};

/// What the connector yields without any wire: its records, and its last state.
fn directly() -> (Vec<(String, String)>, State) {
    let configuration = Configuration::default().with("secret", "s3cret");
    let streams = [
        Selection::incremental(NUMBERS),
        Selection::full_refresh(WORDS),
        Selection::incremental(host_kit::GONE_RECORDS),
    ];
    block_on(async {
        let source = Tiny::new()
            .open_source(Setup::new(configuration))
            .await
            .unwrap();
        let source = GoneAsRecords::new(source);
        let mut messages = source.read(ReadRequest::new(streams));
        let (mut records, mut state) = (Vec::new(), None);
        while let Some(message) = messages.next().await {
            match message.unwrap() {
                Message::Record(record) => {
                    let text = record.data.single_line().into_owned();
                    records.push((record.stream.as_str().to_owned(), text));
                }
                Message::Checkpoint(new) => state = Some(new),
                _ => {}
            }
        }
        (records, state.unwrap())
    })
}

#[test]
fn every_host_passes_on_the_same_records_byte_for_byte() {
    let (expected, _) = directly();
    assert_eq!(expected.len(), 6 + 3 + 1);
    for host in HOSTS {
        let ended = wire::read(host, &Tiny::new(), &Files::new());
        assert!(ended.is_success, "{host:?}: {}", ended.stderr);
        assert_eq!(
            wire::records(host, ended.stdout.lines()),
            expected,
            "{host:?}"
        );
    }
}

#[test]
fn every_host_is_given_the_same_state() {
    let (_, expected) = directly();
    let value = expected.stream(NUMBERS).unwrap();
    for host in HOSTS {
        let ended = wire::read(host, &Tiny::new(), &Files::new());
        let state = wire::state_file(host, ended.stdout.lines());
        let state: Value = serde_json::from_str(&state).unwrap();
        let of_stream = match host {
            Host::Airbyte => &state[0]["stream"]["stream_state"],
            Host::Singer => &state,
        };
        assert_eq!(of_stream["connector"], expected.connector(), "{host:?}");
        assert_eq!(of_stream["version"], expected.version(), "{host:?}");
        let kept = match host {
            Host::Airbyte => &of_stream["value"],
            Host::Singer => &of_stream["bookmarks"][NUMBERS],
        };
        assert_eq!(kept, value, "{host:?}");
    }
}

#[test]
fn killed_behind_any_message_the_next_read_leaves_no_gap_and_begins_not_anew() {
    let (expected, _) = directly();
    let expected: BTreeSet<_> = expected.into_iter().collect();
    for host in HOSTS {
        let whole = wire::read(host, &Tiny::new(), &Files::new()).stdout;
        let lines: Vec<_> = whole.lines().collect();
        for end in 0..=lines.len() {
            let seen = lines[..end].iter().copied();
            let files = Files::new();
            files.put("state", &wire::state_file(host, seen.clone()));
            let again = wire::read(host, &Tiny::new(), &files);
            assert!(again.is_success, "{host:?} {end}: {}", again.stderr);
            let again = wire::records(host, again.stdout.lines());
            if end == lines.len() {
                assert!(
                    again.iter().all(|(stream, _)| stream == WORDS),
                    "{host:?}: {again:?}"
                );
            }
            let all: BTreeSet<_> = wire::records(host, seen).into_iter().chain(again).collect();
            assert_eq!(all, expected, "{host:?} after {end} lines");
        }
    }
}

#[test]
fn a_stream_that_is_not_read_to_its_end_is_never_a_success() {
    for end in [End::Early, End::Failed(ErrorKind::Unavailable)] {
        for host in HOSTS {
            let ended = wire::read(host, &Tiny::that_ends(end), &Files::new());
            assert!(!ended.is_success, "{host:?} {end:?}");
            let records = wire::records(host, ended.stdout.lines());
            assert!(!records.is_empty(), "what was read is passed on");
        }
    }
}

#[test]
fn what_was_read_and_why_it_waits_is_told_before_it_waits() {
    for host in HOSTS {
        let seen = wire::read_until_it_waits(host, &Tiny::that_ends(End::Waiting), &Files::new());
        let records = wire::records(host, seen.stdout.lines());
        let last = records.iter().rfind(|(stream, _)| stream == NUMBERS);
        assert!(
            last.unwrap().1.starts_with(r#"{"n":5,"#),
            "{host:?}: {last:?}"
        );
        let told = match host {
            Host::Airbyte => seen.stdout,
            Host::Singer => seen.stderr,
        };
        assert!(
            told.contains("waiting 9 s for the limit of tests"),
            "{host:?}: {told}"
        );
    }
}

#[test]
fn a_reader_that_leaves_ends_the_read_quietly_and_without_success() {
    for host in HOSTS {
        let ended = wire::read_for_a_reader_that_leaves(host, &Tiny::new(), &Files::new());
        assert!(!ended.is_success, "{host:?}");
        assert_eq!(ended.stderr, "", "{host:?}");
    }
}

#[test]
fn files_that_are_not_what_they_must_be_are_refused_by_name_and_without_their_content() {
    let broken = [
        ("config", r#"{"secret":"s3cret","#),
        ("config", r#"["s3cret"]"#),
        ("config", r#"{"secret":"s3cret","sceret":"s3cret"}"#),
        ("config", r#"{"secret":["s3cret"]}"#),
        ("catalog", "s3cret"),
        ("catalog", r#"{"streams":"s3cret"}"#),
        ("state", "s3cret"),
        ("state", r#"{"bookmarks":"s3cret"}"#),
    ];
    for host in HOSTS {
        for (name, text) in broken {
            let files = Files::new();
            files.put(name, text);
            let ended = wire::read(host, &Tiny::new(), &files);
            let told = match host {
                Host::Airbyte => &ended.stdout,
                Host::Singer => &ended.stderr,
            };
            assert!(!ended.is_success, "{host:?} {text}");
            assert!(!told.contains("s3cret"), "{host:?} {text}: {told}");
            let words = ["configuration", "key", "catalog", "state"];
            assert!(
                words.iter().any(|word| told.contains(word)),
                "{host:?} {text}: {told}"
            );
            if host == Host::Airbyte {
                assert!(told.contains(r#""failure_type":"config_error""#), "{told}");
            }
        }
    }
}

/// Messages of a source, as a destination is given them: two numbers, a state, a word, a state.
fn messages(host: Host, records: [&str; 3]) -> String {
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

const THREE: [&str; 3] = [
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
        assert_eq!(memory.starts, [vec![NUMBERS, WORDS]], "{host:?}");
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
        let seen = wire::write_until_it_waits(host, &tiny, &files, &messages(host, THREE));
        assert!(seen.contains(r#"{ "at":3.0 }"#), "{host:?}: {seen}");
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
fn no_state_is_told_behind_a_record_that_was_refused() {
    let refused = [THREE[0], r#"{"n":2,"text":"refuse me"}"#, THREE[2]];
    for host in HOSTS {
        let tiny = Tiny::new();
        let ended = wire::write(host, &tiny, &Files::new(), &messages(host, refused));
        assert!(!ended.is_success, "{host:?}");
        assert!(states(&ended).is_empty(), "{ended:?}");
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            told.contains("it asks for it") && told.contains("1 records"),
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
fn a_refused_record_that_is_kept_in_a_file_stops_nothing() {
    let refused = [THREE[0], r#"{"n":2,"text":"refuse me"}"#, THREE[2]];
    for host in HOSTS {
        let files = Files::new();
        let letters = files.put("letters", "");
        let config = json!({"secret": "s3cret", "dead_letters": letters.to_str()});
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
