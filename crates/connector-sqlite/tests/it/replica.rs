//! Reading back: rows, states, and files that are refused.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_core::{Comparison, Error, Replica, ReplicaRole};
use futures::{StreamExt, TryStreamExt};

use super::*;

async fn opened(path: &Path) -> Result<Arc<dyn Replica>> {
    let configuration = Configuration::default().with("path", path.to_str().unwrap());
    ReplicaRole::open(&Sqlite, Setup::new(configuration)).await
}

pub(crate) async fn replica(path: &Path) -> Arc<dyn Replica> {
    opened(path).await.unwrap()
}

async fn rows_of(path: &Path, stream: &str, fields: &[&str]) -> Vec<Vec<Value>> {
    let rows = replica(path).await.rows(&stream.into(), fields);
    rows.try_collect().await.unwrap()
}

pub(crate) async fn compared(path: &Path, records: Vec<Record>) -> Vec<Comparison> {
    replica(path).await.compare(records).await.unwrap()
}

pub(crate) fn differs(fields: &[&str]) -> Comparison {
    Comparison::Differs(fields.iter().map(|field| (*field).to_owned()).collect())
}

pub(crate) fn files(folder: &TempDir) -> usize {
    fs::read_dir(folder.path()).unwrap().count()
}

async fn refusal(path: &Path) -> Error {
    let Err(error) = opened(path).await else {
        panic!("{} is read back", path.display());
    };
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()));
    error
}

#[tokio::test]
async fn all_rows_that_are_not_removed_come_with_the_requested_fields() {
    let (folder, path) = warehouse();
    let records = [
        record("builds", r#"{"id":"a","number":1,"on":true,"list":[1, 2]}"#),
        record("builds", r#"{"id":"b","number":1.5,"ID":"007"}"#),
        record("builds", r#"{"id":"c"}"#),
        removed("builds", r#"{"id":"c"}"#, "aged_out"),
    ];
    sync_records(&path, &builds(), &records).await;

    let fields = ["ID", "id", "unknown", "number", "on", "list", "id"];
    let rows = rows_of(&path, "builds", &fields).await;

    let by_id: BTreeMap<_, _> = rows.into_iter().map(|r| (r[1].to_string(), r)).collect();
    let expected = [
        json!([null, "a", null, 1, 1, "[1, 2]", "a"]),
        json!(["007", "b", null, 1.5, null, null, "b"]),
    ];
    assert_eq!(json!(by_id.values().collect::<Vec<_>>()), json!(expected));
    assert_eq!(
        rows_of(&path, "builds", &[]).await,
        [[], []] as [[Value; 0]; 2]
    );
    assert_eq!(files(&folder), 1);
}

#[tokio::test]
async fn a_stream_without_a_key_has_rows_and_an_unknown_one_has_none() {
    let (_folder, path) = warehouse();
    let lines = stream("lines", json!({}), &[]);
    sync(&path, &lines, &["{}", r#"{"a":1}"#]).await;
    let user = Connection::open(&path).unwrap();
    user.execute_batch("CREATE TABLE mine (id); INSERT INTO mine VALUES (1)")
        .unwrap();

    assert_eq!(rows_of(&path, "lines", &["a"]).await.len(), 2);
    for unknown in ["builds", "mine", "_sync_state", "LINES"] {
        assert!(rows_of(&path, unknown, &["id"]).await.is_empty());
    }
}

#[tokio::test]
async fn more_rows_than_a_chunk_has_come_once_each() {
    let (_folder, path) = warehouse();
    let texts: Vec<_> = (0..2000)
        .map(|number| format!("{{\"id\":\"{number}\",\"number\":{number}}}"))
        .collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    for end in [511, 512, 513, 1024, 2000] {
        sync(&path, &builds(), &texts[..end]).await;
        let rows = rows_of(&path, "builds", &["number"]).await;
        let mut numbers: Vec<_> = rows.iter().filter_map(|row| row[0].as_u64()).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..end as u64), "{end}");
    }
}

#[tokio::test]
async fn a_reader_that_is_dropped_ends_and_none_runs_ahead() {
    let (folder, path) = warehouse();
    let long = "x".repeat(4096);
    let texts: Vec<_> = (0..2000)
        .map(|number| format!("{{\"id\":\"{number}\",\"state\":\"{long}\"}}"))
        .collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    sync(&path, &builds(), &texts).await;
    let replica = replica(&path).await;
    let mut rows = replica.rows(&"builds".into(), &["state"]);
    assert_eq!(files(&folder), 1, "nothing is read before it is requested");

    let first = rows.next().await.unwrap().unwrap();
    assert_eq!(first, [json!(long)]);
    std::thread::sleep(Duration::from_millis(100));
    assert!(files(&folder) > 1, "the reader has run to the end");
    drop(rows);

    // The last connection that closes removes the log.
    let begun = Instant::now();
    while files(&folder) > 1 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn rows_are_those_of_one_moment_while_a_sync_writes() {
    let (_folder, path) = warehouse();
    let texts: Vec<_> = (0..5000).map(|n| format!("{{\"id\":\"{n}\"}}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    sync(&path, &builds(), &texts).await;
    let mut rows = replica(&path).await.rows(&"builds".into(), &["number"]);
    rows.next().await.unwrap().unwrap();

    let mut destination = started(&path, &[builds()]).await;
    let more = [
        r#"{"id":"0","number":1}"#,
        r#"{"id":"new","number":1,"f":1}"#,
    ];
    write(&mut destination, "builds", &more).await.unwrap();
    destination.commit(Some(&state(1))).await.unwrap();

    let rest: Vec<_> = rows.try_collect().await.unwrap();
    assert_eq!(rest.len(), 4999);
    assert!(rest.iter().all(|row| row[0].is_null()));
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_read_without_a_change() {
    let (_folder, path) = warehouse();
    super::tombstones::old_database(&path);
    let before = fs::read(&path).unwrap();

    assert_eq!(rows_of(&path, "builds", &["id"]).await.len(), 2);
    let records = vec![
        record("builds", r#"{"id":"a","number":1,"state":"passed"}"#),
        removed("builds", r#"{"id":"a"}"#, "aged_out"),
    ];
    assert_eq!(
        compared(&path, records).await,
        [Comparison::Same, differs(&["_gone"])]
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn the_state_is_the_one_that_was_committed_last() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    destination.commit(Some(&state(1))).await.unwrap();
    let replica = replica(&path).await;
    assert_eq!(replica.state("buildkite").await.unwrap(), Some(state(1)));
    assert_eq!(replica.state("another").await.unwrap(), None);

    destination.commit(Some(&state(2))).await.unwrap();
    assert_eq!(replica.state("buildkite").await.unwrap(), Some(state(2)));
    let user = Connection::open(&path).unwrap();
    user.execute_batch("UPDATE _sync_state SET state = '{\"conn'")
        .unwrap();
    let damaged = replica.state("buildkite").await.unwrap_err();
    assert_eq!(damaged.kind(), ErrorKind::State);
}

#[tokio::test]
async fn a_file_that_no_sync_has_written_is_refused_and_stays_as_it_is() {
    let (folder, path) = warehouse();
    let missing = refusal(&path).await;
    assert!(missing.message().contains("sync to it first"), "{missing}");
    refusal(folder.path()).await;
    assert_eq!(files(&folder), 0);

    let notes = "not a database, but long enough to be taken for the header of one\n".repeat(50);
    for content in ["", &notes] {
        fs::write(&path, content).unwrap();
        refusal(&path).await;
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    let others = Connection::open(&path).unwrap();
    others.execute_batch("CREATE TABLE builds (id)").unwrap();
    refusal(&path).await;
}

#[tokio::test]
async fn a_database_that_disappears_is_an_error_and_not_an_end() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a"}"#]).await;
    let replica = replica(&path).await;
    fs::remove_file(&path).unwrap();

    let rows: Vec<_> = replica.rows(&"builds".into(), &["id"]).collect().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].as_ref().unwrap_err().kind(), ErrorKind::Io);
    let compared = replica.compare(vec![record("builds", "{}")]).await;
    assert_eq!(compared.unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn it_is_read_back_without_a_runtime() {
    let (_folder, path) = warehouse();
    futures::executor::block_on(async {
        sync(&path, &builds(), &[r#"{"id":"a"}"#]).await;
        assert_eq!(rows_of(&path, "builds", &["id"]).await, [[json!("a")]]);
    });
}
