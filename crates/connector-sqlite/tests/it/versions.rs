//! Databases of earlier and newer versions of the program.

use std::fs;

use super::*;

const FIXTURE: &str = include_str!("../fixtures/aed4f3b.sql");

/// A database as an earlier version wrote it.
fn earlier(path: &Path) {
    Connection::open(path)
        .unwrap()
        .execute_batch(FIXTURE)
        .unwrap();
}

fn version(path: &Path) -> i64 {
    one(path, "SELECT user_version FROM pragma_user_version")
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_read_and_extended() {
    let (_folder, path) = warehouse();
    earlier(&path);
    let replica = replica::replica(&path).await;
    let mut committed = state(3);
    committed.set_stream("builds".into(), json!({"until": 3}));
    let read = replica.state("buildkite").await.unwrap();
    assert_eq!(read, Some(committed.clone()));
    assert_eq!(version(&path), 0, "reading changes nothing");

    let lines = stream("logs", json!({}), &[]);
    let mut destination = destination(&path).await;
    let found = destination.start(&plan(&[builds(), lines])).await.unwrap();
    assert_eq!(found, Some(committed));
    let texts = [
        r#"{"id":"b1","state":"passed","ID":"008"}"#,
        r#"{"id":"c1"}"#,
    ];
    write(&mut destination, "builds", &texts).await.unwrap();
    write(&mut destination, "logs", &[r#"{"line":"4"}"#])
        .await
        .unwrap();
    destination.commit(Some(&state(4))).await.unwrap();

    let sql = "SELECT id || ' ' || state || ' ' || ID_2 FROM builds WHERE ID_2 IS NOT NULL \
               AND _gone IS NULL ORDER BY id";
    let expected = ["b1 passed 008", "b2 running 007", "b3 running 007"];
    assert_eq!(rows::<String>(&path, sql), expected);
    let sql = "SELECT id FROM builds WHERE _gone = 'aged_out' ORDER BY id";
    assert_eq!(rows::<String>(&path, sql), ["c2", "c3"]);
    let lines = rows::<String>(&path, "SELECT line FROM logs ORDER BY 1");
    assert_eq!(lines, ["1", "2", "3", "4"]);
    assert_eq!(version(&path), 1);
}

#[tokio::test]
async fn an_upgrade_happens_once_and_is_announced() {
    let (_folder, path) = warehouse();
    super::tombstones::old_database(&path);
    let notices = Notices::default();
    for _ in 0..2 {
        let mut destination = destination_heard(&path, &notices).await;
        destination.start(&plan(&[builds()])).await.unwrap();
    }
    let heard = notices.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(
        heard[0].contains("upgraded from version 0 to 1"),
        "{heard:?}"
    );
    let marks = "SELECT count(*) FROM pragma_table_info('builds') WHERE name = '_gone'";
    assert_eq!(one::<i64>(&path, marks), 1);
}

#[tokio::test]
async fn a_new_database_has_the_version_and_nothing_is_announced() {
    let (_folder, path) = warehouse();
    let notices = Notices::default();
    let mut destination = destination_heard(&path, &notices).await;
    destination.start(&plan(&[builds()])).await.unwrap();
    assert_eq!(version(&path), 1);
    assert!(notices.heard().is_empty());
}

#[tokio::test]
async fn a_newer_layout_is_refused_by_all_that_open_it_and_stays_as_it_is() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a"}"#]).await;
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let setup = || Setup::new(Configuration::default().with("path", path.to_str().unwrap()));

    let mut destination = destination(&path).await;
    let refusals = [
        destination.start(&plan(&[builds()])).await.unwrap_err(),
        destination.check().await.unwrap_err(),
        destination
            .run_history()
            .unwrap()
            .runs(1)
            .await
            .unwrap_err(),
        connector_core::ReplicaRole::open(&Sqlite, setup())
            .await
            .err()
            .unwrap(),
    ];

    for error in refusals {
        assert_eq!(error.kind(), ErrorKind::State);
        let shown = error.to_string();
        assert!(shown.contains("version 2"), "{shown}");
        assert!(shown.contains("use the newer program"), "{shown}");
        assert!(shown.contains(path.to_str().unwrap()), "{shown}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_table_of_another_program_called_like_the_history_is_refused() {
    let (_folder, path) = warehouse();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE _runs (mine)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();

    let mut destination = destination(&path).await;
    let error = destination.start(&plan(&[builds()])).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`_runs`"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}
