//! Tests of the test: a source that breaks one of its rules must be noticed.
//!
//! A broken rule shows in the states that a source yields: they claim more than was read. So a
//! mutant is the source itself, with its states falsified on their way to the host.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{ReadRequest, State, StreamName};
use serde_json::{Value, json};

use super::run::Reading;
use super::run_all;

/// What is falsified.
#[derive(Clone, Copy)]
pub(super) enum Mutant {
    /// What states say about a partition.
    States(fn(&mut Value)),
    /// The same, of the ends of divided reads.
    Ends(fn(&mut Value)),
    /// The parts of divided reads.
    Parts(fn(&mut Vec<ReadRequest>)),
    /// The rows that the host says are open.
    OpenRows(fn(&mut OpenRows)),
}

/// Rows that are open in the copy, by stream.
pub(super) type OpenRows = BTreeMap<StreamName, Vec<Vec<Value>>>;

/// One of this many histories must fail.
const ENOUGH: u32 = 500;

/// The state as the mutant would have yielded it.
pub(crate) fn falsify(state: &State, mutant: fn(&mut Value)) -> State {
    let mut falsified = state.clone();
    for (stream, value) in state.streams() {
        if value.is_null() {
            continue;
        }
        let mut value = value.clone();
        let partitions = value["partitions"].as_object_mut().expect("partitions");
        partitions.values_mut().for_each(mutant);
        // It is sound in itself: the checksum is right.
        value["check"] = "".into();
        let text = serde_json::to_string(&value).expect("JSON");
        value["check"] = format!("{:08x}", crc32fast::hash(text.as_bytes())).into();
        falsified.set_stream(stream.clone(), value);
    }
    falsified
}

fn remove(partition: &mut Value, field: &str) {
    let partition = partition.as_object_mut().expect("an object");
    partition.shift_remove(field);
}

pub(super) fn delay(partition: &mut Value, field: &str, by: TimeDelta) {
    let at: DateTime<Utc> = serde_json::from_value(partition[field].clone()).expect("a time");
    partition[field] = json!(at + by);
}

fn assert_is_noticed(mutant: Mutant) {
    let in_parts = matches!(mutant, Mutant::Ends(_) | Mutant::Parts(_));
    let run = run_all(Some(mutant), in_parts, Reading::AsRecorded, 7, ENOUGH, 0);
    assert!(run.is_err(), "no history fails");
}

fn forget_open_builds(partition: &mut Value) {
    remove(partition, "open");
    remove(partition, "open_since");
    remove(partition, "jobs");
}

#[test]
fn without_the_list_of_finished_builds_some_stay_stale() {
    // Nothing finishes that late, so the list is empty.
    assert_is_noticed(Mutant::States(|partition| {
        delay(partition, "synced", TimeDelta::days(9_000));
    }));
}

#[test]
fn without_the_set_of_open_builds_some_stay_open() {
    assert_is_noticed(Mutant::States(forget_open_builds));
}

#[test]
fn if_a_lost_organization_counts_as_marked_its_builds_stay_open() {
    assert_is_noticed(Mutant::States(|partition| {
        let fields = std::mem::take(partition.as_object_mut().expect("an object"));
        // The checksum counts the order of the fields.
        let comes_first = ["created_from", "top", "synced", "missing", "open", "jobs"];
        let (first, rest): (Vec<_>, Vec<_>) =
            (fields.into_iter()).partition(|(field, _)| comes_first.contains(&field.as_str()));
        let lost = [("lost".to_owned(), true.into())];
        let rest = rest.into_iter().filter(|(field, _)| field != "lost");
        *partition = Value::Object(first.into_iter().chain(lost).chain(rest).collect());
    }));
}

#[test]
fn without_the_jobs_of_open_builds_these_stay_open() {
    assert_is_noticed(Mutant::States(|partition| remove(partition, "jobs")));
}

#[test]
fn if_the_host_does_not_say_what_is_open_rows_stay_open_after_a_restart() {
    assert_is_noticed(Mutant::OpenRows(OpenRows::clear));
}

#[test]
fn if_the_host_does_not_say_which_jobs_are_open_these_stay_open_after_a_restart() {
    assert_is_noticed(Mutant::OpenRows(|rows| {
        rows.remove("jobs");
    }));
}

#[test]
fn without_an_overlap_builds_that_appear_late_are_missed() {
    assert_is_noticed(Mutant::States(|partition| {
        delay(partition, "top", TimeDelta::seconds(60));
        delay(partition, "synced", TimeDelta::minutes(5));
    }));
}

#[test]
fn if_what_is_left_after_the_first_page_is_not_noted_the_rest_is_missed() {
    assert_is_noticed(Mutant::States(|partition| remove(partition, "missing")));
}

#[test]
fn if_an_end_does_not_list_open_builds_some_stay_open() {
    assert_is_noticed(Mutant::Ends(forget_open_builds));
}

#[test]
fn if_an_end_is_too_late_builds_are_missed() {
    assert_is_noticed(Mutant::Ends(|partition| {
        delay(partition, "top", TimeDelta::hours(24));
    }));
}

#[test]
fn if_a_part_is_dropped_builds_are_missed() {
    assert_is_noticed(Mutant::Parts(|parts| {
        parts.pop();
    }));
}

#[test]
fn if_windows_do_not_touch_builds_are_missed() {
    assert_is_noticed(Mutant::Parts(|parts| {
        for part in parts {
            let partition = part.partition.as_mut().expect("a part");
            let sweeps = partition["sweeps"].as_array_mut();
            for piece in sweeps.into_iter().flatten() {
                let windows = piece["windows"].as_array_mut();
                for window in windows.into_iter().flatten() {
                    delay(window, "to", TimeDelta::minutes(-5));
                }
            }
        }
    }));
}
