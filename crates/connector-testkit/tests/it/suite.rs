//! What the suite says of itself: nothing passes silently.

use std::time::Duration;

use connector_core::Event;
use connector_testkit::memory::{LIMITED_TOKEN, Memory, TASKS, TOKEN};
use connector_testkit::{Capability, Ending, Line, Reading, Suite};

use crate::flaw::{Mutant, Wrong};
use crate::worlds::{access, suite, writing};

fn reading() -> Reading {
    Reading::new(access(TOKEN))
}

fn ending<'r>(lines: &'r [Line], check: &str) -> Option<&'r Ending> {
    let mut lines = lines.iter().filter(|line| line.check == check);
    lines.next().map(|line| &line.ending)
}

#[tokio::test]
async fn what_was_not_given_is_skipped_and_reported() {
    let memory = Memory::new();

    let report = Suite::new(&memory).with_reading(reading()).run().await;

    let skipped = report.skipped();
    for check in [
        "check_fails",
        "errors_end_the_read",
        "outcomes_are_exact",
        "changes_are_read",
    ] {
        assert!(skipped.contains(&check), "{report}");
    }
    assert!(report.failed().is_empty(), "{report}");
    let text = report.to_string();
    assert!(
        text.contains("skipped check_fails: no wrong access was given"),
        "{text}"
    );
    assert!(text.contains("passed  resuming_misses_nothing\n"), "{text}");
}

#[tokio::test]
#[should_panic(expected = "nothing was read or written")]
async fn a_suite_with_nothing_to_run_fails() {
    let memory = Memory::new();

    let report = Suite::new(&memory).run().await;

    report.assert_passed_skipping(&report.skipped());
}

#[tokio::test]
#[should_panic(expected = "other checks were skipped")]
async fn a_check_that_is_skipped_without_being_listed_fails_the_test() {
    let memory = Memory::new();
    let suite = Suite::new(&memory).with_reading(reading());
    suite.run().await.assert_passed();
}

#[tokio::test]
#[should_panic(expected = "FAILED  streams_begin_and_end: `people` does not begin with `Started`")]
async fn a_failure_says_what_was_seen() {
    let mutant = Mutant::new("says nothing of streams").messages(|_, _, messages| {
        use connector_core::Message;
        messages.retain(|message| !matches!(message, Ok(Message::Status(..))));
    });
    let wrong = Wrong::new(Memory::new(), mutant);
    let suite = Suite::new(&wrong).with_reading(reading());
    suite.run().await.assert_passed();
}

#[tokio::test]
async fn only_chosen_streams_are_read() {
    let memory = Memory::new();
    let people = reading().with_streams(&["people"]);

    let report = Suite::new(&memory).with_reading(people).run().await;

    assert_eq!(
        ending(&report.lines, "far_future_reads_nothing"),
        None,
        "{report}"
    );
    let unknown = reading().with_streams(&["nothing"]);
    let report = Suite::new(&memory).with_reading(unknown).run().await;
    assert!(report.failed().contains(&"keys_are_unique"), "{report}");
}

#[tokio::test]
async fn a_capability_that_a_wrapper_loses_is_left_out_and_noticed() {
    let memory = Memory::new();
    let report = suite(&memory, &memory).run().await;
    let mut capabilities = vec![
        Capability::Connector,
        Capability::Source,
        Capability::Partitions,
        Capability::Forecast,
        Capability::Verification,
        Capability::Permissions,
        Capability::CredentialInspection,
        Capability::Webhooks,
        Capability::RecordLinks,
        Capability::Destination,
        Capability::Claim,
        Capability::RunHistory,
        Capability::DeleteByKey,
        Capability::OpenRows,
        Capability::Replica,
    ];
    report.assert_capabilities(&capabilities);

    let memory = Memory::new();
    let wrapper = Wrong::new(
        memory.clone(),
        Mutant::new("forwards few methods").reading_only(),
    );
    let report = suite(&wrapper, &memory).run().await;

    report.assert_passed();
    let lost = [
        Capability::Partitions,
        Capability::Forecast,
        Capability::Verification,
    ];
    capabilities.retain(|capability| !lost.contains(capability));
    report.assert_capabilities(&capabilities);
    assert_eq!(ending(&report.lines, "parts_are_the_whole"), None);
}

#[tokio::test]
async fn requests_are_counted_where_the_author_says() {
    let memory = Memory::new();
    let silent = reading().with_requests(|| 7);

    let report = Suite::new(&memory).with_reading(silent).run().await;

    let skipped = report.skipped();
    assert!(skipped.contains(&"cancelling_stops_requests"), "{report}");
}

#[tokio::test]
async fn a_check_that_does_not_end_fails_and_the_others_run() {
    let memory = Memory::new();
    let suite = Suite::new(&memory).with_reading(reading());

    let report = suite.with_limit(Duration::ZERO).run().await;

    let is_late = |ending: &Ending| matches!(ending, Ending::Failed(why) if why.contains("within"));
    let mut lines = report.lines.iter();
    assert!(lines.any(|line| is_late(&line.ending)), "{report}");
    assert!(report.lines.len() > 50, "{report}");
}

#[tokio::test]
async fn a_report_of_a_leak_does_not_leak() {
    let mutant = Mutant::new("the token in a notice").reads(|reader| {
        let notice = Event::notice(format!("reads with {TOKEN}"));
        reader.setup.observer.observe(notice);
    });
    let wrong = Wrong::new(Memory::new(), mutant);

    let report = Suite::new(&wrong).with_reading(reading()).run().await;

    assert_eq!(report.failed(), ["secrets_stay_secret"], "{report}");
    let text = report.to_string();
    assert!(
        text.contains("an event contains a secret, plain: "),
        "{text}"
    );
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn a_secret_that_is_too_short_to_look_for_fails() {
    let memory = Memory::new();
    let suite = Suite::new(&memory).with_reading(reading());

    let report = suite.with_secret("abc").run().await;

    assert_eq!(report.failed(), ["secrets_stay_secret"]);
}

#[tokio::test]
async fn outputs_of_the_author_are_searched_for_secrets() {
    let memory = Memory::new();
    let suite = Suite::new(&memory).with_reading(reading());

    let report = suite
        .with_output(|| format!("a log with {TOKEN}"))
        .run()
        .await;

    assert_eq!(report.failed(), ["secrets_stay_secret"]);
    let text = report.to_string();
    assert!(
        text.contains("an output contains a secret, plain: a log with [secret]"),
        "{text}"
    );
}

#[tokio::test]
async fn a_wrong_description_of_the_world_fails() {
    let memory = Memory::new();
    let wrong = reading()
        .with_counts(&[(TASKS, 6)])
        .with_limited(access(LIMITED_TOKEN), &[])
        .with_change(|| access(TOKEN), || ())
        .with_failure(|| access(TOKEN), || ());

    let suite = Suite::new(&memory)
        .with_reading(wrong)
        .with_writing(writing());
    let report = suite.run().await;

    for check in [
        "reads_are_complete",
        "unreadable_streams_are_marked",
        "changes_are_read",
        "errors_end_the_read",
    ] {
        assert!(report.failed().contains(&check), "{check}:\n{report}");
    }
}
