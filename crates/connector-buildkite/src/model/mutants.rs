//! Tests of the test: without any one of the rules a history must be found that goes wrong.

use chrono::TimeDelta;

use super::run::Reading;
use super::run_all;
use crate::rules::Rules;

/// So many histories may pass before one does not.
const ENOUGH: u32 = 500;

fn assert_is_noticed(rules: Rules) {
    let rules = Rules {
        worth_cutting: 4,
        ..rules
    };
    let run = run_all(rules, Reading::AsRecorded, 7, ENOUGH, 0);
    assert!(run.is_err(), "{rules:?} passes");
}

#[test]
fn without_the_pass_over_finished_builds_some_stay_stale() {
    assert_is_noticed(Rules {
        finished_since: false,
        ..Rules::default()
    });
}

#[test]
fn without_the_set_of_open_builds_some_stay_open() {
    assert_is_noticed(Rules {
        open_before: false,
        ..Rules::default()
    });
}

#[test]
fn without_an_overlap_builds_that_show_up_late_are_missed() {
    assert_is_noticed(Rules {
        overlap: TimeDelta::zero(),
        finish_overlap: TimeDelta::zero(),
        ..Rules::default()
    });
}

#[test]
fn with_a_checkpoint_of_the_newest_time_after_the_first_page_the_rest_is_missed() {
    assert_is_noticed(Rules {
        notes_what_is_left: false,
        ..Rules::default()
    });
}

#[test]
fn with_page_numbers_instead_of_a_keyset_builds_are_missed() {
    assert_is_noticed(Rules {
        keyset: false,
        ..Rules::default()
    });
}
