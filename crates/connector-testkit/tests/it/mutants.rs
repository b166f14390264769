//! Each check against connectors that are wrong in just its way.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_core::{Credential, JsonObject, Record};
use connector_testkit::tiny::{Flaw, STORE, TOKEN, Tiny, things};
use connector_testkit::{Access, Reading, Report, Suite, Writing, checks};
use serde_json::json;

/// What a flaw breaks besides, because it cannot be otherwise: who misses records when resumed
/// once misses them when resumed twice, or after an error.
const BESIDES: [(Flaw, &str); 3] = [
    (
        Flaw::CheckpointBeforeRecords,
        "resuming_twice_misses_nothing",
    ),
    (Flaw::ResumesTooFar, "resuming_twice_misses_nothing"),
    (Flaw::ResumesTooFar, "errors_cover_nothing_unread"),
];

fn reading(tiny: &Tiny) -> Reading {
    let (mended, broken) = (tiny.clone(), tiny.clone());
    let prepare = move || {
        mended.set_broken(false);
        Access::new(json!({"token": TOKEN}))
    };
    let nobody = Credential::ApiKey("a token of nobody".into());
    Reading::new(Access::new(json!({"token": TOKEN})))
        .with_counts(&[("letters", 5), ("numbers", 5)])
        .with_wrong(Access::new(json!({})).with_credential(nobody))
        .with_failure(prepare, move || broken.set_broken(true))
}

fn record(stream: &str, text: &str) -> Record {
    Record::new(stream.into(), JsonObject::parse(text).unwrap())
}

fn writing() -> Writing {
    let stores = AtomicUsize::new(0);
    let fresh = move || {
        let store = stores.fetch_add(1, Ordering::SeqCst).to_string();
        Access::new(json!({"token": TOKEN, STORE: store}))
    };
    Writing::new(fresh, &[things()])
        .accepts(record("things", r#"{"id":1,"name":"one"}"#))
        .rejects(record(
            "things",
            r#"{"id":null,"name":"nobody in particular"}"#,
        ))
        .rejects(record("others", r#"{"id":1}"#))
        .accepts(record("things", r#"{"id":"2","name":"two"}"#))
        .with_wrong(Access::new(json!({"token": "a token of nobody"})))
}

async fn report_on(tiny: &Tiny) -> Report {
    let suite = Suite::new(tiny);
    let suite = suite.with_reading(reading(tiny)).with_writing(writing());
    suite.run().await
}

#[tokio::test]
async fn a_connector_that_is_right_passes_every_check() {
    let report = report_on(&Tiny::default()).await;

    report.assert_passed();
    assert_eq!(report.lines.len(), checks().len());
}

#[tokio::test]
async fn each_mutant_fails_its_check_and_no_other() {
    for check in checks() {
        assert!(!check.mutants.is_empty(), "{} has no mutant", check.name);
        for flaw in check.mutants {
            let report = report_on(&Tiny::with(*flaw)).await;

            let besides = BESIDES.iter().filter(|(of, _)| of == flaw);
            let besides = besides.map(|(_, name)| *name);
            let expected: Vec<_> = [check.name].into_iter().chain(besides).collect();
            assert_eq!(report.failed(), expected, "{flaw:?}:\n{report}");
        }
    }
}
