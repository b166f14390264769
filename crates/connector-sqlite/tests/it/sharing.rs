//! Other programs that use the database while a sync runs.

use futures::StreamExt;

use super::*;

/// A connection of another program, which does not wait for locks.
fn impatient(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    other
}

async fn put(destination: &mut Box<dyn Destination>, texts: &[&str]) {
    let outcomes = write(destination, "builds", texts).await.unwrap();
    assert_eq!(outcomes, vec![Outcome::Accepted; texts.len()]);
}

#[tokio::test]
async fn others_can_write_whenever_no_call_runs() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    let other = impatient(&path);
    other.execute_batch("CREATE TABLE mine (n)").unwrap();
    let insert = || other.execute_batch("INSERT INTO mine VALUES (1)").unwrap();

    put(&mut destination, &[r#"{"id":"a","new":1}"#]).await;
    insert();
    let jobs = StreamPlan::new(stream("jobs", json!({}), &["id"]), WriteMode::Upsert);
    destination.add_stream(&jobs).await.unwrap();
    insert();
    destination.commit(Some(&state(1))).await.unwrap();
    insert();
    put(&mut destination, &[r#"{"id":"b"}"#]).await;
    insert();
    destination.finish().await.unwrap();
    insert();

    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM mine"), 5);
    assert_eq!(rows::<String>(&path, "SELECT id FROM builds"), ["a"]);
}

#[tokio::test]
async fn of_two_runs_that_read_the_same_state_only_one_commits() {
    let (_folder, path) = warehouse();
    let mut slow = started(&path, &[builds()]).await;
    let mut fast = started(&path, &[builds()]).await;
    put(&mut slow, &[r#"{"id":"a","state":"running"}"#]).await;
    put(&mut fast, &[r#"{"id":"a","state":"passed"}"#]).await;
    fast.commit(Some(&state(1))).await.unwrap();

    let error = slow.commit(Some(&state(2))).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("another run"), "{error}");
    assert!(error.to_string().contains("warehouse.db"), "{error}");
    let states = rows::<String>(&path, "SELECT state FROM builds");
    assert_eq!(states, ["passed"]);
    put(&mut fast, &[r#"{"id":"b"}"#]).await;
    fast.commit(Some(&state(3))).await.unwrap();
    let found = slow.start(&plan(&[builds()])).await.unwrap();
    assert_eq!(found, Some(state(3)));
}

#[tokio::test]
async fn two_syncs_of_different_names_widen_one_table() {
    let (_folder, path) = warehouse();
    let mut first = started(&path, &[builds()]).await;
    let mut plan = plan(&[builds()]);
    plan.sync = "another".to_owned();
    let mut second = destination(&path).await;
    second.start(&plan).await.unwrap();

    put(&mut first, &[r#"{"id":"a","x":1,"y":2}"#]).await;
    put(&mut second, &[r#"{"id":"b","y":3,"z":4,"X":5}"#]).await;
    second.commit(Some(&state(1))).await.unwrap();
    first.commit(Some(&state(1))).await.unwrap();
    put(&mut second, &[r#"{"id":"c","x":6}"#]).await;
    second.commit(Some(&state(2))).await.unwrap();

    let fields = ["id", "x", "X", "y", "z"];
    let replica = replica::replica(&path).await;
    let rows: Vec<_> = replica.rows(&"builds".into(), &fields).collect().await;
    let mut rows: Vec<_> = rows.into_iter().map(Result::unwrap).collect();
    rows.sort_by_key(|row| row[0].to_string());
    let expected = json!([
        ["a", 1, null, 2, null],
        ["b", null, 5, 3, 4],
        ["c", 6, null, null, null],
    ]);
    assert_eq!(json!(rows), expected);
}

#[tokio::test]
async fn changes_to_the_schema_between_a_write_and_its_commit_are_respected() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    put(
        &mut destination,
        &[r#"{"id":"a","number":1,"note":"theirs"}"#],
    )
    .await;
    impatient(&path)
        .execute_batch(
            "ALTER TABLE builds ADD COLUMN note DEFAULT 'mine'; \
             ALTER TABLE builds DROP COLUMN number; CREATE INDEX i ON builds (state)",
        )
        .unwrap();
    put(
        &mut destination,
        &[r#"{"id":"b","number":2,"note":"theirs"}"#],
    )
    .await;
    destination.commit(None).await.unwrap();

    let sql = "SELECT id || number || note || note_2 FROM builds ORDER BY id";
    assert_eq!(rows::<String>(&path, sql), ["a1minetheirs", "b2minetheirs"]);
}

#[tokio::test]
async fn a_stream_that_is_widened_keeps_pending_records_with_new_fields() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    put(&mut destination, &[r#"{"id":"a","x":1,"y":2}"#]).await;
    let wider = stream("builds", json!({"id": {}, "y": {}, "late": {}}), &["id"]);
    let wider = StreamPlan::new(wider, WriteMode::Upsert);
    destination.add_stream(&wider).await.unwrap();
    put(&mut destination, &[r#"{"id":"b","late":3,"x":4}"#]).await;
    destination.commit(None).await.unwrap();
    let sql = "SELECT json_array(x, y, late) FROM builds ORDER BY id";
    assert_eq!(rows::<String>(&path, sql), ["[1,2,null]", "[4,null,3]"]);
}

async fn guarded(path: &Path, guard: &str) -> Box<dyn Destination> {
    sync(path, &builds(), &[r#"{"id":"a","number":1}"#]).await;
    impatient(path).execute_batch(guard).unwrap();
    started(path, &[builds()]).await
}

#[tokio::test]
async fn a_record_that_a_trigger_refuses_is_rejected_at_once_and_the_others_are_written() {
    for raise in ["ABORT, 'no'", "ROLLBACK, 'no'", "FAIL, 'no'"] {
        let (_folder, path) = warehouse();
        let guard = format!(
            "CREATE TRIGGER g BEFORE INSERT ON builds WHEN NEW.number > 5 \
             BEGIN SELECT RAISE({raise}); END"
        );
        let mut destination = guarded(&path, &guard).await;
        let texts = [
            r#"{"id":"b","number":5}"#,
            r#"{"id":"c","number":6}"#,
            r#"{"id":"d","number":7,"new":1}"#,
            r#"{"number":8}"#,
            r#"{"id":"e","number":2,"new":2}"#,
        ];
        for half in [&texts[..2], &texts[2..]] {
            let outcomes = write(&mut destination, "builds", half).await.unwrap();
            let rejected: Vec<_> = outcomes.iter().map(|it| *it != Outcome::Accepted).collect();
            let expected = if half.len() == 2 {
                vec![false, true]
            } else {
                vec![true, true, false]
            };
            assert_eq!(rejected, expected, "{raise}");
            impatient(&path).execute_batch("BEGIN IMMEDIATE").unwrap();
            assert_eq!(rows::<String>(&path, "SELECT id FROM builds"), ["a"]);
        }
        destination.commit(Some(&state(1))).await.unwrap();
        let ids = rows::<String>(&path, "SELECT id FROM builds ORDER BY id");
        assert_eq!(ids, ["a", "b", "e"], "{raise}");
        assert_eq!(
            one::<i64>(&path, "SELECT new FROM builds WHERE id = 'e'"),
            2
        );
    }
}

#[tokio::test]
async fn constraints_see_the_records_written_before_in_the_same_commit() {
    let (_folder, path) = warehouse();
    let guard = "CREATE UNIQUE INDEX g ON builds (number)";
    let mut destination = guarded(&path, guard).await;
    put(
        &mut destination,
        &[r#"{"id":"a","number":2}"#, r#"{"id":"b","number":3}"#],
    )
    .await;
    let texts = [
        r#"{"id":"c","number":1}"#,
        r#"{"id":"d","number":3}"#,
        r#"{"id":"e","number":2}"#,
    ];
    let outcomes = write(&mut destination, "builds", &texts).await.unwrap();
    assert_eq!(
        outcomes[0],
        Outcome::Accepted,
        "the number 1 is free by now"
    );
    assert!(rejected(&outcomes[1]).contains("constraint"));
    assert!(rejected(&outcomes[2]).contains("constraint"));
    destination.commit(None).await.unwrap();
    let sql = "SELECT id || number FROM builds ORDER BY id";
    assert_eq!(rows::<String>(&path, sql), ["a2", "b3", "c1"]);
}

#[tokio::test]
async fn a_trigger_added_between_a_write_and_its_commit_fails_the_commit() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    put(&mut destination, &[r#"{"id":"a"}"#]).await;
    let guard = "CREATE TRIGGER g BEFORE INSERT ON builds BEGIN SELECT RAISE(ABORT, 'no'); END";
    impatient(&path).execute_batch(guard).unwrap();

    let error = destination.commit(Some(&state(1))).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("stream: builds"), "{error}");
    let found = destination.start(&plan(&[builds()])).await.unwrap();
    assert_eq!(found, None);
    let outcomes = write(&mut destination, "builds", &[r#"{"id":"a"}"#]).await;
    assert!(rejected(&outcomes.unwrap()[0]).contains("trigger"));
}

#[tokio::test]
async fn more_than_fits_in_memory_is_stored_in_its_order() {
    let (folder, path) = warehouse();
    let lines = stream("lines", json!({}), &[]);
    let mut destination = started(&path, &[builds(), lines]).await;
    let long = format!(r#"{{"id":"a","state":"{}"}}"#, "x".repeat(30_000_000));
    put(&mut destination, &[&long, r#"{"id":"b","new":1}"#]).await;
    let removed = vec![removed("builds", r#"{"id":"b"}"#, "deleted")];
    destination.write(removed).await.unwrap();
    write(&mut destination, "lines", &[r#"{"n":1}"#])
        .await
        .unwrap();
    put(&mut destination, &[&long]).await;
    // All of them are in a temporary table now.
    put(&mut destination, &[r#"{"id":"a","state":"short"}"#]).await;
    write(&mut destination, "lines", &[r#"{"n":2}"#])
        .await
        .unwrap();
    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM builds"), 0);
    impatient(&path).execute_batch("BEGIN IMMEDIATE").unwrap();
    destination.commit(Some(&state(1))).await.unwrap();
    destination.commit(Some(&state(2))).await.unwrap();

    let sql = "SELECT id || ifnull(state, '') || ifnull(_gone, '') FROM builds ORDER BY id";
    assert_eq!(rows::<String>(&path, sql), ["ashort", "bdeleted"]);
    assert_eq!(
        rows::<i64>(&path, "SELECT n FROM lines ORDER BY rowid"),
        [1, 2]
    );
    drop(destination);
    assert_eq!(replica::files(&folder), 1);
}
