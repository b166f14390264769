//! The conformance suite, over a new database for each of its checks.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_testkit::{Access, Capability, Reading, Suite, Writing};

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
        .accepts(record(
            "builds",
            r#"{"id":"a","number":9007199254740993,"state":"running"}"#,
        ))
        .accepts(record("builds", r#"{"id":"b","state":"passed"}"#))
        .rejects(record("builds", r#"{"state":"has no key at all"}"#))
        .rejects(record("builds", r#"{"id":null,"state":"has a null key"}"#))
        .accepts(record("jobs", r#"{"build":"a","id":"b","new":[1.0]}"#))
        .rejects(record("jobs", r#"{"build":"half-a-key"}"#))
        .rejects(record("agents", r#"{"id":"of no stream of the plan"}"#))
        .accepts(removed("builds", r#"{"id":"never seen"}"#, "aged_out"))
        .accepts(record("jobs", r#"{"build":"a","id":"c","new":"é\u0000"}"#))
        .with_wrong(wrong)
}

fn query(path: &Path, sql: &str) -> Access {
    Access::new(json!({"path": path.to_str().unwrap(), "query": sql}))
}

/// The rows of a query, and a query with a row that cannot be read.
fn reading(folder: &Path) -> Reading {
    let path = folder.join("app.db");
    let rows = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)";
    let database = Connection::open(&path).unwrap();
    let fill = format!("CREATE TABLE t AS {rows} SELECT i AS id, 'a' || i AS name FROM n");
    database.execute_batch(&fill).unwrap();
    let all = "SELECT id, name FROM t ORDER BY id";
    let spoilt = folder.join("spoilt.db");
    let (prepared, armed) = (spoilt.clone(), spoilt);
    let copy = path.clone();
    let prepare = move || {
        std::fs::copy(&copy, &prepared).unwrap();
        query(&prepared, "SELECT id, name FROM t ORDER BY id")
    };
    let arm = move || {
        let database = Connection::open(&armed).unwrap();
        let spoil = "UPDATE t SET name = x'00' WHERE id = 299";
        database.execute_batch(spoil).unwrap();
    };
    Reading::new(query(&path, all))
        .with_counts(&[("query", 300)])
        .with_wrong(query(&path, "SELECT nothing FROM t"))
        .with_wrong(query(&folder.join("none.db"), all))
        .with_failure(prepare, arm)
}

/// A query sends no requests.
const SKIPPED: [&str; 1] = ["cancelling_stops_requests"];
const CAPABILITIES: [Capability; 8] = [
    Capability::Connector,
    Capability::Source,
    Capability::Destination,
    Capability::Claim,
    Capability::RunHistory,
    Capability::DeleteByKey,
    Capability::OpenRows,
    Capability::Replica,
];

#[tokio::test]
async fn the_warehouse_and_a_query_pass() {
    let folder = tempfile::tempdir().unwrap();
    // A secret in the place of a key must not be repeated.
    let suite = Suite::new(&Sqlite).with_secret("bkua_0123456789abcdef");
    let suite = suite.with_reading(reading(folder.path()));

    let report = suite.with_writing(writing(folder.path())).run().await;

    report.assert_passed_skipping(&SKIPPED);
    report.assert_capabilities(&CAPABILITIES);
}
