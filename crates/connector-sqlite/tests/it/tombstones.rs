//! Rows that were removed at the source: the column `_gone`.

use super::*;

const A: &str = r#"{"id":"a","number":1,"state":"passed"}"#;
const ALL: &str = "SELECT id || ' ' || ifnull(number, 'null') || ' ' || ifnull(state, 'null') \
                   || ' ' || ifnull(_gone, 'here') FROM builds ORDER BY id";

/// A database as it was written before there was a column `_gone`.
pub(crate) fn old_database(path: &Path) {
    let old = Connection::open(path).unwrap();
    old.execute_batch(
        "CREATE TABLE _sync_columns (table_name TEXT NOT NULL, field TEXT, \
           column_name TEXT NOT NULL, PRIMARY KEY (table_name, column_name)); \
         CREATE TABLE _sync_state (sync TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, \
           updated_at TEXT NOT NULL); \
         CREATE TABLE builds (id TEXT, number, state TEXT, PRIMARY KEY (id)); \
         INSERT INTO _sync_columns SELECT 'builds', name, name FROM pragma_table_info('builds'); \
         INSERT INTO builds VALUES ('a', 1, 'passed'), ('b', 2, 'failed')",
    )
    .unwrap();
}

#[tokio::test]
async fn a_removed_row_is_marked_and_keeps_its_values() {
    let (_folder, path) = warehouse();
    let records = [
        record("builds", A),
        record("builds", r#"{"id":"b","number":2}"#),
        removed("builds", r#"{"id":"a"}"#, "aged_out"),
    ];
    sync_records(&path, &builds(), &records).await;
    assert_eq!(
        rows::<String>(&path, ALL),
        ["a 1 passed aged_out", "b 2 null here"]
    );

    // Fields besides the key are ignored, and another reason replaces the first.
    let again = removed("builds", r#"{"number":7,"new":1,"id":"a"}"#, "deleted");
    sync_records(&path, &builds(), &[again]).await;
    assert_eq!(
        rows::<String>(&path, ALL),
        ["a 1 passed deleted", "b 2 null here"]
    );
}

#[tokio::test]
async fn a_record_that_returns_is_no_longer_marked() {
    let (_folder, path) = warehouse();
    let records = [
        record("builds", A),
        removed("builds", r#"{"id":"a"}"#, "aged_out"),
        record("builds", r#"{"id":"a","number":3}"#),
    ];
    sync_records(&path, &builds(), &records).await;
    assert_eq!(one::<String>(&path, ALL), "a 3 null here");
}

#[tokio::test]
async fn a_tombstone_without_a_row_is_accepted_and_adds_none() {
    let (_folder, path) = warehouse();
    let unknown = removed("builds", r#"{"id":"z"}"#, "aged_out");
    sync_records(&path, &builds(), &[unknown]).await;
    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM builds"), 0);
}

#[tokio::test]
async fn a_key_of_several_fields_marks_just_its_row() {
    let (_folder, path) = warehouse();
    let pairs = stream("pairs", json!({"a": {}, "b": {}}), &["a", "b"]);
    let records = [
        record("pairs", r#"{"a":1,"b":1}"#),
        record("pairs", r#"{"a":1,"b":2}"#),
        record("pairs", r#"{"a":1,"b":"2"}"#),
        removed("pairs", r#"{"b":2,"a":1}"#, "aged_out"),
    ];
    sync_records(&path, &pairs, &records).await;
    let marked = "SELECT typeof(b) || b FROM pairs WHERE _gone = 'aged_out'";
    assert_eq!(rows::<String>(&path, marked), ["integer2"]);
}

#[tokio::test]
async fn a_tombstone_that_cannot_be_applied_is_rejected_with_the_reason() {
    let (_folder, path) = warehouse();
    let lines = stream("lines", json!({}), &[]);
    let mut destination = started(&path, &[builds(), lines]).await;
    let records = vec![
        removed("lines", r#"{"id":"a"}"#, "aged_out"),
        removed("builds", r#"{"number":1}"#, "aged_out"),
        removed("builds", r#"{"id":null}"#, "aged_out"),
        removed("builds", r#"{"\ud800":1}"#, "aged_out"),
        removed("agents", r#"{"id":"a"}"#, "aged_out"),
        record("builds", A),
    ];

    let outcomes = destination.write(records).await.unwrap();

    let reasons: Vec<_> = outcomes[..5].iter().map(rejected).collect();
    assert_eq!(
        reasons,
        [
            "its stream has no primary key: no row can be marked as removed",
            "its primary key field `id` is missing or null",
            "its primary key field `id` is missing or null",
            "the name of one of its fields is not valid Unicode",
            "its stream is not among those that the sync was started with",
        ]
    );
    assert_eq!(outcomes[5], Outcome::Accepted);
    drop(destination);
    let columns = "SELECT name FROM pragma_table_info('lines')";
    assert_eq!(rows::<String>(&path, columns), ["_empty"]);
}

#[tokio::test]
async fn a_field_with_the_name_of_the_column_gets_its_own_column() {
    let (_folder, path) = warehouse();
    let properties = json!({"_gone": {"type": "string"}, "id": {"type": "string"}});
    let in_schema = stream("builds", properties, &["id"]);
    let jobs = stream("jobs", json!({}), &["id"]);
    sync(&path, &in_schema, &[r#"{"_gone":"own","id":"a"}"#]).await;
    sync(&path, &jobs, &[r#"{"_gone":"own","id":"a"}"#]).await;

    for (stream, name) in [(&in_schema, "builds"), (&jobs, "jobs")] {
        let marked = [removed(name, r#"{"id":"a"}"#, "aged_out")];
        sync_records(&path, stream, &marked).await;
        let sql = format!("SELECT _gone || ' ' || _gone_2 FROM {name}");
        assert_eq!(one::<String>(&path, &sql), "aged_out own");
        let sql = format!(
            "SELECT column_name || ' ' || ifnull(field, 'null') FROM _sync_columns \
             WHERE table_name = '{name}' AND column_name LIKE '%gone%' ORDER BY 1"
        );
        assert_eq!(rows::<String>(&path, &sql), ["_gone null", "_gone_2 _gone"]);
    }
}

#[tokio::test]
async fn a_database_without_the_column_gets_it_and_keeps_its_rows() {
    let (_folder, path) = warehouse();
    old_database(&path);
    let mut destination = started(&path, &[builds()]).await;
    assert_eq!(
        rows::<String>(&path, ALL),
        ["a 1 passed here", "b 2 failed here"]
    );

    let marked = removed("builds", r#"{"id":"a"}"#, "aged_out");
    destination.write(vec![marked]).await.unwrap();
    destination.commit(None).await.unwrap();
    drop(destination);
    sync(&path, &builds(), &[]).await;

    assert_eq!(
        rows::<String>(&path, ALL),
        ["a 1 passed aged_out", "b 2 failed here"]
    );
    let columns = "SELECT count(*) FROM pragma_table_info('builds')";
    assert_eq!(one::<i64>(&path, columns), 4);
}

#[tokio::test]
async fn a_field_that_had_the_name_first_keeps_its_column() {
    let (_folder, path) = warehouse();
    old_database(&path);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "ALTER TABLE builds ADD COLUMN _gone; UPDATE builds SET _gone = 'own'; \
         INSERT INTO _sync_columns VALUES ('builds', '_gone', '_gone')",
    )
    .unwrap();
    drop(old);

    let records = [
        removed("builds", r#"{"id":"a"}"#, "aged_out"),
        record("builds", r#"{"id":"b","_gone":"new"}"#),
    ];
    sync_records(&path, &builds(), &records).await;

    let sql = "SELECT id || _gone || ifnull(_gone_2, '') FROM builds ORDER BY id";
    assert_eq!(rows::<String>(&path, sql), ["aownaged_out", "bnew"]);
}

#[tokio::test]
async fn a_mark_that_was_not_committed_does_not_count() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[A]).await;
    let mut destination = started(&path, &[builds()]).await;
    let marked = removed("builds", r#"{"id":"a"}"#, "aged_out");
    destination.write(vec![marked]).await.unwrap();
    drop(destination);
    assert_eq!(one::<String>(&path, ALL), "a 1 passed here");
}

#[tokio::test]
async fn a_column_that_a_user_dropped_is_added_again() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[A]).await;
    let user = Connection::open(&path).unwrap();
    user.execute_batch("ALTER TABLE builds DROP COLUMN _gone")
        .unwrap();
    drop(user);
    let marked = removed("builds", r#"{"id":"a"}"#, "aged_out");
    sync_records(&path, &builds(), &[marked]).await;
    assert_eq!(one::<String>(&path, ALL), "a 1 passed aged_out");
}
