//! What the suite says of itself: nothing passes silently.

use std::time::Duration;

use connector_testkit::tiny::{Flaw, TOKEN, Tiny};
use connector_testkit::{Access, Ending, Line, Reading, Suite};
use serde_json::json;

fn reading() -> Reading {
    Reading::new(Access::new(json!({"token": TOKEN})))
}

#[tokio::test]
async fn what_nothing_was_given_for_is_skipped_and_told() {
    let tiny = Tiny::default();

    let report = Suite::new(&tiny).with_reading(reading()).run().await;

    let skipped = report.skipped();
    assert!(skipped.contains(&"check_fails"), "{report}");
    assert!(skipped.contains(&"errors_end_the_read"), "{report}");
    assert!(skipped.contains(&"outcomes_are_exact"), "{report}");
    assert!(report.failed().is_empty(), "{report}");
    let text = report.to_string();
    assert!(
        text.contains("skipped check_fails: nothing wrong was given"),
        "{text}"
    );
    assert!(text.contains("passed  resuming_misses_nothing\n"), "{text}");
}

#[tokio::test]
#[should_panic(expected = "other checks were skipped")]
async fn a_check_that_is_skipped_without_being_named_fails_the_test() {
    let tiny = Tiny::default();
    Suite::new(&tiny)
        .with_reading(reading())
        .run()
        .await
        .assert_passed();
}

#[tokio::test]
#[should_panic(expected = "FAILED  keys_are_unique: `letters` [\"a\"] comes twice")]
async fn a_failure_is_told_with_what_was_seen() {
    let tiny = Tiny::with(Flaw::RepeatsRecord);
    Suite::new(&tiny)
        .with_reading(reading())
        .run()
        .await
        .assert_passed();
}

#[tokio::test]
async fn streams_that_are_named_are_read_and_no_others() {
    let tiny = Tiny::default();
    let letters = reading().with_streams(&["letters"]);

    let report = Suite::new(&tiny).with_reading(letters).run().await;

    let is_about_increments = |line: &Line| line.check == "far_future_reads_nothing";
    assert!(!report.lines.iter().any(is_about_increments), "{report}");
    let unknown = reading().with_streams(&["nothing"]);
    let report = Suite::new(&tiny).with_reading(unknown).run().await;
    assert!(report.failed().contains(&"keys_are_unique"), "{report}");
}

#[tokio::test]
async fn requests_are_counted_where_the_author_says() {
    let tiny = Tiny::default();
    let silent = reading().with_requests(|| 7);

    let report = Suite::new(&tiny).with_reading(silent).run().await;

    assert!(
        report.skipped().contains(&"cancelling_stops_requests"),
        "{report}"
    );
}

#[tokio::test]
async fn a_check_that_does_not_end_fails_and_the_others_run() {
    let tiny = Tiny::default();
    let hangs = reading().with_requests(|| 7);
    let suite = Suite::new(&tiny)
        .with_reading(hangs)
        .with_limit(Duration::ZERO);

    let report = suite.run().await;

    let is_late = |ending: &Ending| matches!(ending, Ending::Failed(why) if why.contains("within"));
    assert!(
        report.lines.iter().any(|line| is_late(&line.ending)),
        "{report}"
    );
    assert!(report.lines.len() > 20, "{report}");
}

#[tokio::test]
async fn a_report_of_a_leak_does_not_leak() {
    let tiny = Tiny::with(Flaw::SecretInNotice);

    let report = Suite::new(&tiny).with_reading(reading()).run().await;

    assert_eq!(report.failed(), ["secrets_stay_secret"], "{report}");
    assert!(
        report
            .to_string()
            .contains("an event holds a secret, plain: "),
        "{report}"
    );
    assert!(!report.to_string().contains(TOKEN), "{report}");
}

#[tokio::test]
async fn a_secret_too_short_to_be_looked_for_is_an_error_of_the_author() {
    let tiny = Tiny::default();
    let suite = Suite::new(&tiny).with_reading(reading()).with_secret("abc");

    assert_eq!(suite.run().await.failed(), ["secrets_stay_secret"]);
}

#[tokio::test]
async fn what_an_author_adds_is_searched_for_secrets() {
    let tiny = Tiny::default();
    let suite = Suite::new(&tiny).with_reading(reading());
    let suite = suite.with_output(|| format!("a log with {TOKEN}"));

    let report = suite.run().await;

    assert_eq!(report.failed(), ["secrets_stay_secret"]);
    let text = report.to_string();
    assert!(
        text.contains("an output holds a secret, plain: a log with [secret]"),
        "{text}"
    );
}
