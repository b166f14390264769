//! When records and states become durable.

use super::*;

const COUNT: &str = "SELECT count(*) FROM builds";

#[tokio::test]
async fn records_and_state_are_there_together_after_a_commit() {
    let (_folder, path) = warehouse();
    let mut destination = destination(&path).await;
    assert_eq!(destination.start(&plan(&[builds()])).await.unwrap(), None);
    write(&mut destination, "builds", &[r#"{"id":"a"}"#])
        .await
        .unwrap();

    // Others can read, and do not see it yet.
    assert_eq!(one::<i64>(&path, COUNT), 0);
    destination.commit(Some(&state(1))).await.unwrap();
    assert_eq!(one::<i64>(&path, COUNT), 1);

    let again = destination.start(&plan(&[builds()])).await.unwrap();
    assert_eq!(again, Some(state(1)));
}

#[tokio::test]
async fn only_what_was_not_committed_is_lost() {
    let (_folder, path) = warehouse();
    let mut first = started(&path, &[builds()]).await;
    write(&mut first, "builds", &[r#"{"id":"a"}"#])
        .await
        .unwrap();
    first.commit(Some(&state(1))).await.unwrap();
    write(&mut first, "builds", &[r#"{"id":"b","new":1}"#])
        .await
        .unwrap();
    drop(first);

    let mut second = destination(&path).await;
    let found = second.start(&plan(&[builds()])).await.unwrap();

    assert_eq!(found, Some(state(1)));
    assert_eq!(rows::<String>(&path, "SELECT id FROM builds"), ["a"]);
    let columns = "SELECT name FROM pragma_table_info('builds')";
    assert_eq!(
        rows::<String>(&path, columns),
        ["id", "number", "state", "_gone"]
    );
    // A field that was lost can return.
    write(&mut second, "builds", &[r#"{"id":"b","new":1}"#])
        .await
        .unwrap();
    second.commit(None).await.unwrap();
    assert_eq!(
        one::<i64>(&path, "SELECT new FROM builds WHERE id = 'b'"),
        1
    );
}

#[tokio::test]
async fn a_commit_without_a_state_keeps_the_last_one_and_each_sync_has_its_own() {
    let (_folder, path) = warehouse();
    let mut first = started(&path, &[builds()]).await;
    first.commit(Some(&state(1))).await.unwrap();
    write(&mut first, "builds", &[r#"{"id":"a"}"#])
        .await
        .unwrap();
    first.commit(None).await.unwrap();
    drop(first);

    let mut other = plan(&[builds()]);
    other.sync = "another".to_owned();
    assert_eq!(destination(&path).await.start(&other).await.unwrap(), None);
    let same = destination(&path).await.start(&plan(&[builds()])).await;
    assert_eq!(same.unwrap(), Some(state(1)));
    assert_eq!(one::<i64>(&path, COUNT), 1);
}

#[tokio::test]
async fn after_the_end_there_is_one_file_and_its_times_are_utc() {
    let (folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    destination.commit(Some(&state(1))).await.unwrap();
    drop(destination);

    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let sql = "SELECT updated_at GLOB '20[0-9][0-9]-*T*:*:*.???Z' FROM _sync_state";
    assert!(one::<bool>(&path, sql));
}

#[test]
fn it_works_without_a_runtime() {
    let (_folder, path) = warehouse();
    // Without a runtime the calls never wait, so one poll is enough.
    let mut work = Box::pin(sync(&path, &EMPTY_RECORD_STREAM, &["{}"]));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(work.as_mut().poll(&mut context).is_ready());
    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM lines"), 1);
}

static EMPTY_RECORD_STREAM: std::sync::LazyLock<Stream> =
    std::sync::LazyLock::new(|| stream("lines", json!({}), &[]));
