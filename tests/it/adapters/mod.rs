//! One tiny connector, called directly and through each protocol.
//!
//! What holds for all hosts stands here, what a protocol has of its own beside.

mod airbyte;
mod singer;
mod tiny;
pub(crate) mod wire;
mod writing;

use std::collections::BTreeSet;

use connector_core::{
    Configuration, ErrorKind, Message, ReadRequest, Selection, Setup, Source, SourceRole, State,
};
use futures::StreamExt;
use futures::executor::block_on;
use host_kit::{REMOVED_RECORDS, TombstonesAsRecords};
use serde_json::Value;

use tiny::{End, NUMBERS, Tiny, WORDS};
use wire::{Files, HOSTS, Host};

/// What the connector yields without any wire: its records, and its last state.
fn directly() -> (Vec<(String, String)>, State) {
    let configuration = Configuration::default().with("secret", "s3cret");
    let streams = [
        Selection::incremental(NUMBERS),
        Selection::full_refresh(WORDS),
        Selection::incremental(REMOVED_RECORDS),
    ];
    block_on(async {
        let tiny = Tiny::new();
        let source = SourceRole::open(&tiny, Setup::new(configuration)).await;
        let source = TombstonesAsRecords::new(source.unwrap());
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
fn killed_after_any_message_the_next_read_leaves_no_gap_and_does_not_start_over() {
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
        (
            "config",
            r#"{"secret":"s3cret","dead_letter":"only.a.destination"}"#,
        ),
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
