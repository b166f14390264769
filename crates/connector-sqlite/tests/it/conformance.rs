//! The conformance suite, over a new database for each of its checks.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_testkit::{Access, Suite, Writing};

use super::*;

fn access(path: &Path) -> Access {
    Access::new(json!({"path": path.to_str().unwrap()}))
}

fn writing(folder: &Path) -> Writing {
    let wrong = access(&folder.join("nothing/warehouse.db"));
    let folder = folder.to_owned();
    let count = AtomicUsize::new(0);
    let fresh = move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        access(&folder.join(format!("warehouse-{count}.db")))
    };
    let id = json!({"type": ["string", "null"]});
    let jobs = stream("jobs", json!({"build": id, "id": id}), &["build", "id"]);
    Writing::new(fresh, &[builds(), jobs])
        .accepts(record("builds", r#"{"id":"a","number":9007199254740993}"#))
        .rejects(record("builds", r#"{"state":"has no key at all"}"#))
        .rejects(record("builds", r#"{"id":null,"state":"has a null key"}"#))
        .accepts(record("jobs", r#"{"build":"a","id":"b","new":[1.0]}"#))
        .rejects(record("jobs", r#"{"build":"half-a-key"}"#))
        .rejects(record("agents", r#"{"id":"of no stream of the plan"}"#))
        .accepts(gone("builds", r#"{"id":"never seen"}"#, "aged_out"))
        .accepts(record("jobs", r#"{"build":"a","id":"c","new":"é\u0000"}"#))
        .with_wrong(wrong)
}

#[tokio::test]
async fn the_warehouse_passes() {
    let folder = tempfile::tempdir().unwrap();
    // It takes no secret; one in the place of a key is not to be repeated.
    let suite = Suite::new(&Sqlite).with_secret("bkua_0123456789abcdef");

    let report = suite.with_writing(writing(folder.path())).run().await;

    // It takes any stream.
    report.assert_passed_skipping(&["unknown_streams_are_refused"]);
}
