//! Failures say what happened, where, and what to do. They destroy nothing.

use std::fs;

use connector_core::Error;

use super::*;

async fn refusal_of_start(path: &Path, streams: &[Stream]) -> Error {
    let error = destination(path)
        .await
        .start(&plan(streams))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    error
}

async fn refusal_of_check(path: &Path) -> Error {
    let error = destination(path).await.check().await.unwrap_err();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    error
}

#[tokio::test]
async fn a_check_of_a_missing_database_creates_nothing() {
    let (folder, path) = warehouse();
    destination(&path).await.check().await.unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_check_of_an_existing_database_changes_nothing() {
    let (folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a"}"#]).await;
    let before = fs::read(&path).unwrap();

    destination(&path).await.check().await.unwrap();

    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_folder_a_missing_folder_and_another_file_are_refused_by_check_and_start() {
    let (folder, _) = warehouse();
    let other = folder.path().join("notes.txt");
    let notes = "not a database, but long enough to be taken for the header of one\n".repeat(50);
    fs::write(&other, &notes).unwrap();

    for (path, message) in [
        (folder.path().to_owned(), "is a folder"),
        (
            folder.path().join("missing/w.db"),
            "folder of the database does not exist",
        ),
        (other.join("w.db"), "folder of the database does not exist"),
        (other.clone(), "not an SQLite database"),
    ] {
        for error in [
            refusal_of_check(&path).await,
            refusal_of_start(&path, &[builds()]).await,
        ] {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.message().contains(message), "{error}");
        }
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), notes);
}

#[tokio::test]
async fn a_table_of_another_program_is_refused_and_stays_as_it_is() {
    for made in [
        "CREATE TABLE builds (id TEXT PRIMARY KEY, number, state)",
        "CREATE TABLE Builds (id)",
        "CREATE VIEW builds AS SELECT 1 AS id",
        "CREATE TABLE t (id); CREATE INDEX builds ON t (id)",
    ] {
        let (_folder, path) = warehouse();
        Connection::open(&path)
            .unwrap()
            .execute_batch(made)
            .unwrap();
        let before = fs::read(&path).unwrap();

        let jobs = stream("jobs", json!({}), &["id"]);
        let error = refusal_of_start(&path, &[jobs, builds()]).await;

        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("stream: builds"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[tokio::test]
async fn a_table_with_another_key_is_refused_and_stays_as_it_is() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a","number":1}"#]).await;
    let before = fs::read(&path).unwrap();

    for (key, described) in [
        (&["number"][..], "is written with the primary key `number`"),
        (
            &["id", "number"],
            "is written with the primary key `id, number`",
        ),
        (&[], "is written with no primary key"),
    ] {
        let other = stream("builds", json!({"added": {}}), key);
        let error = refusal_of_start(&path, &[other]).await;
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.message().contains("has the primary key `id`, "),
            "{error}"
        );
        assert!(error.message().contains(described), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn the_names_of_system_tables_are_refused() {
    for name in ["sqlite_schema", "_sync_state", "_SYNC_columns", ""] {
        let (_folder, path) = warehouse();
        let error = refusal_of_start(&path, &[stream(name, json!({}), &[])]).await;
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[tokio::test]
async fn a_damaged_state_is_never_ignored() {
    for damaged in ["'{\"connector\":\"test\"'", "''", "7", "x'00'"] {
        let (_folder, path) = warehouse();
        let mut first = started(&path, &[builds()]).await;
        first.commit(Some(&state(1))).await.unwrap();
        drop(first);
        let user = Connection::open(&path).unwrap();
        user.execute_batch(&format!("UPDATE _sync_state SET state = {damaged}"))
            .unwrap();
        drop(user);

        let error = refusal_of_start(&path, &[builds()]).await;

        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("sync: buildkite"), "{error}");
    }
}

#[tokio::test]
async fn after_a_failure_nothing_can_be_committed_until_it_is_started_again() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    write(&mut destination, "builds", &[r#"{"id":"a"}"#])
        .await
        .unwrap();
    destination.commit(Some(&state(1))).await.unwrap();
    let user = Connection::open(&path).unwrap();
    user.execute_batch("DROP TABLE builds").unwrap();

    write(&mut destination, "builds", &[r#"{"id":"b"}"#])
        .await
        .unwrap();
    let dropped = destination.commit(Some(&state(2))).await.unwrap_err();
    let after = destination.commit(Some(&state(2))).await.unwrap_err();

    assert_eq!(dropped.kind(), ErrorKind::Conflict);
    assert!(dropped.to_string().contains("table: builds"), "{dropped}");
    assert_eq!(after.kind(), ErrorKind::Internal);
    let found = destination.start(&plan(&[builds()])).await.unwrap();
    assert_eq!(found, Some(state(1)));
}
