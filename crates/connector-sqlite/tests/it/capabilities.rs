//! What the destination can do besides writing.

use connector_core::{Comparison, Holder, OpenRows, RunEnding, RunRecord, StreamName, StreamRun};

use super::*;

fn holder(process: u32) -> Holder {
    Holder::new("a-program", process, "a-host", "2026-01-02T03:04:05Z")
}

async fn claim(destination: &mut Box<dyn Destination>, sync: &str, process: u32) -> Result<()> {
    let claim = destination.claim().unwrap();
    claim.claim(sync, &holder(process)).await
}

#[tokio::test]
async fn a_second_run_of_a_sync_is_refused_with_who_holds_it_and_other_syncs_are_not() {
    let (folder, path) = warehouse();
    let mut first = destination(&path).await;
    claim(&mut first, "buildkite", 17).await.unwrap();
    claim(&mut first, "buildkite", 17).await.unwrap();
    first.start(&plan(&[builds()])).await.unwrap();

    let mut second = destination(&path).await;
    let error = claim(&mut second, "buildkite", 18).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.to_string().contains("process 17 on a-host"),
        "{error}"
    );
    claim(&mut second, "an/other", 18).await.unwrap();
    drop(first);
    claim(&mut destination(&path).await, "buildkite", 19)
        .await
        .unwrap();
    drop(second);
    assert_eq!(replica::files(&folder), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn two_paths_that_lead_to_one_database_have_one_claim() {
    let (folder, path) = warehouse();
    sync(&path, &builds(), &[]).await;
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut first = destination(&path).await;
    claim(&mut first, "buildkite", 17).await.unwrap();
    let refused = claim(&mut destination(&link).await, "buildkite", 18).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
}

fn run(id: &str, started_at: &str) -> RunRecord {
    let mut run = RunRecord::new(id, "buildkite", "1.2.3", started_at);
    let mut builds = StreamRun::new("builds");
    (builds.records, builds.retrying_seconds) = (7, 1.5);
    run.streams = vec![builds];
    run
}

#[tokio::test]
async fn runs_are_stored_and_listed_newest_first() {
    let (_folder, path) = warehouse();
    let mut destination = destination(&path).await;
    let history = destination.run_history().unwrap();
    assert_eq!(history.runs(9).await.unwrap(), []);
    assert!(!path.exists());

    let (first, mut second) = (run("1", "2026-01-01"), run("2", "2026-01-02"));
    history.record(&second).await.unwrap();
    history.record(&first).await.unwrap();
    second.ended_at = Some("2026-01-03".to_owned());
    second.ending = Some(RunEnding::Failed);
    second.error = Some("it \"broke\"".to_owned());
    history.record(&second).await.unwrap();

    assert_eq!(history.runs(9).await.unwrap(), [second.clone(), first]);
    assert_eq!(history.runs(1).await.unwrap(), [second]);
    let sql = "SELECT json_extract(streams, '$[0].records') FROM _runs WHERE ending = 'failed'";
    assert_eq!(one::<i64>(&path, sql), 7);
}

#[tokio::test]
async fn a_database_of_an_earlier_version_has_no_history() {
    let (_folder, path) = warehouse();
    super::tombstones::old_database(&path);
    let mut destination = destination(&path).await;
    let history = destination.run_history().unwrap();
    assert_eq!(history.runs(9).await.unwrap(), []);
}

async fn delete(path: &Path, stream: &str, keys: &[&str]) -> Result<u64> {
    let keys = keys.iter().map(|key| JsonObject::parse(key).unwrap());
    let (stream, keys) = (StreamName::from(stream), keys.collect());
    let mut destination = destination(path).await;
    destination
        .delete_by_key()
        .unwrap()
        .delete(&stream, keys)
        .await
}

#[tokio::test]
async fn rows_are_deleted_by_their_keys_and_counted() {
    let (_folder, path) = warehouse();
    let pairs = stream("pairs", json!({"a": {}, "b": {}}), &["a", "b"]);
    let texts = [r#"{"a":1,"b":1}"#, r#"{"a":1,"b":2}"#, r#"{"a":1,"b":"2"}"#];
    sync(&path, &pairs, &texts).await;

    let keys = [r#"{"b":2,"a":1,"c":3}"#, r#"{"a":9,"b":9}"#];
    assert_eq!(delete(&path, "pairs", &keys).await.unwrap(), 1);
    assert_eq!(delete(&path, "unknown", &keys).await.unwrap(), 0);

    let left = rows::<String>(&path, "SELECT typeof(b) FROM pairs ORDER BY 1");
    assert_eq!(left, ["integer", "text"]);
}

#[tokio::test]
async fn keys_that_delete_nothing_are_refused_and_nothing_is_deleted() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a"}"#]).await;
    sync(&path, &stream("lines", json!({}), &[]), &["{}"]).await;

    let lacking = delete(&path, "builds", &[r#"{"id":"a"}"#, "{}"]).await;
    let keyless = delete(&path, "lines", &["{}"]).await;

    assert_eq!(lacking.unwrap_err().kind(), ErrorKind::Data);
    assert_eq!(keyless.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM builds"), 1);
}

async fn open_rows(path: &Path, stream: &str, open: &OpenRows) -> Vec<Vec<Value>> {
    let mut destination = destination(path).await;
    let reader = destination.open_rows().unwrap();
    reader.open_rows(&stream.into(), open).await.unwrap()
}

#[tokio::test]
async fn open_rows_are_those_that_are_neither_settled_nor_removed() {
    let (_folder, path) = warehouse();
    let open = OpenRows::new("state", &["passed", "failed"], &["number", "id", "unknown"]);
    assert!(open_rows(&path, "builds", &open).await.is_empty());
    assert!(!path.exists());
    let records = [
        record("builds", r#"{"id":"a","state":"passed"}"#),
        record("builds", r#"{"id":"b","state":"running","number":2}"#),
        record("builds", r#"{"id":"c"}"#),
        record("builds", r#"{"id":"d","state":"running"}"#),
        removed("builds", r#"{"id":"d"}"#, "aged_out"),
    ];
    sync_records(&path, &builds(), &records).await;

    let mut found = open_rows(&path, "builds", &open).await;
    found.sort_by_key(|row| row[1].to_string());
    assert_eq!(json!(found), json!([[2, "b", null], [null, "c", null]]));

    let all = OpenRows::new("no such field", &["passed"], &["id"]);
    assert_eq!(open_rows(&path, "builds", &all).await.len(), 3);
    let none_settled = OpenRows::new("state", &[], &["id"]);
    assert_eq!(open_rows(&path, "builds", &none_settled).await.len(), 3);
    assert!(open_rows(&path, "unknown", &open).await.is_empty());
}

#[tokio::test]
async fn an_open_destination_reads_back_what_it_committed() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    let replica = destination.replica().unwrap();
    write(&mut destination, "builds", &[r#"{"id":"a"}"#])
        .await
        .unwrap();
    let compare = || async {
        let records = vec![record("builds", r#"{"id":"a"}"#)];
        replica.compare(records).await.unwrap()
    };
    assert_eq!(compare().await, [Comparison::Absent]);
    destination.commit(Some(&state(1))).await.unwrap();
    assert_eq!(compare().await, [Comparison::Same]);
    assert_eq!(replica.state("buildkite").await.unwrap(), Some(state(1)));
}

#[tokio::test]
async fn a_stream_can_be_added_or_widened_while_a_sync_runs() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    write(&mut destination, "builds", &[r#"{"id":"a"}"#])
        .await
        .unwrap();
    let jobs = stream("jobs", json!({"id": {}}), &["id"]);
    let wider = stream("builds", json!({"id": {}, "late": {}}), &["id"]);
    for added in [jobs, wider] {
        let added = StreamPlan::new(added, WriteMode::Upsert);
        destination.add_stream(&added).await.unwrap();
    }
    write(&mut destination, "jobs", &[r#"{"id":"j"}"#])
        .await
        .unwrap();
    destination.commit(Some(&state(1))).await.unwrap();

    assert_eq!(rows::<String>(&path, "SELECT id FROM builds"), ["a"]);
    assert_eq!(rows::<String>(&path, "SELECT id FROM jobs"), ["j"]);
    let late = "SELECT count(*) FROM pragma_table_info('builds') WHERE name = 'late'";
    assert_eq!(one::<i64>(&path, late), 1);
}

#[tokio::test]
async fn open_rows_are_found_by_an_index() {
    let (_folder, path) = warehouse();
    let open = OpenRows::new("state", &["passed", "it's"], &["id"]);
    sync_records(
        &path,
        &builds(),
        &[record("builds", r#"{"id":"a","state":"running"}"#)],
    )
    .await;
    assert_eq!(open_rows(&path, "builds", &open).await, [[json!("a")]]);

    let database = Connection::open(&path).unwrap();
    let query = "EXPLAIN QUERY PLAN SELECT id FROM builds WHERE \"_gone\" IS NULL \
                 AND (\"state\" IS NULL OR \"state\" NOT IN ('passed', 'it''s'))";
    let plan: String = database.query_row(query, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("_open_builds"), "{plan}");
}
