//! Streams whose rows are replaced at the end of a sync.

use super::*;

const IDS: &str = "SELECT id FROM builds ORDER BY id";

async fn started_in(mode: WriteMode, path: &Path, streams: &[Stream]) -> Box<dyn Destination> {
    let mut destination = destination(path).await;
    let plan = plan_in(mode, streams);
    destination.start(&plan).await.unwrap();
    destination
}

async fn overwriting(path: &Path) -> Box<dyn Destination> {
    started_in(WriteMode::Overwrite, path, &[builds()]).await
}

async fn put(destination: &mut Box<dyn Destination>, texts: &[&str]) {
    let outcomes = write(destination, "builds", texts).await.unwrap();
    assert_eq!(outcomes, vec![Outcome::Accepted; texts.len()]);
}

/// A database with the rows `a` and `b` and the state 1.
async fn filled(path: &Path) {
    let mut first = started(path, &[builds()]).await;
    put(
        &mut first,
        &[r#"{"id":"a","state":"old"}"#, r#"{"id":"b"}"#],
    )
    .await;
    first.commit(Some(&state(1))).await.unwrap();
}

async fn committed(path: &Path) -> Option<State> {
    replica::replica(path)
        .await
        .state("buildkite")
        .await
        .unwrap()
}

fn tables(path: &Path) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' \
               ESCAPE '\\' OR name LIKE '\\_sync\\_new%' ESCAPE '\\' ORDER BY 1";
    rows(path, sql)
}

#[tokio::test]
async fn readers_see_the_old_rows_and_state_until_the_end_and_then_the_new_ones() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let mut destination = overwriting(&path).await;
    put(&mut destination, &[r#"{"id":"b","state":"new"}"#]).await;
    destination.commit(Some(&state(2))).await.unwrap();
    put(&mut destination, &[r#"{"id":"c","more":1}"#]).await;
    destination.commit(Some(&state(3))).await.unwrap();

    assert_eq!(rows::<String>(&path, IDS), ["a", "b"]);
    assert_eq!(committed(&path).await, Some(state(1)));
    destination.finish().await.unwrap();

    assert_eq!(rows::<String>(&path, IDS), ["b", "c"]);
    assert_eq!(
        one::<i64>(&path, "SELECT more FROM builds WHERE id = 'c'"),
        1
    );
    assert_eq!(committed(&path).await, Some(state(3)));
    assert_eq!(tables(&path), ["builds"]);
}

#[tokio::test]
async fn a_new_stream_is_empty_until_the_end() {
    let (_folder, path) = warehouse();
    let mut destination = overwriting(&path).await;
    put(&mut destination, &[r#"{"id":"a"}"#]).await;
    destination.commit(Some(&state(1))).await.unwrap();
    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM builds"), 0);
    assert_eq!(committed(&path).await, None);

    destination.finish().await.unwrap();
    assert_eq!(rows::<String>(&path, IDS), ["a"]);
}

#[tokio::test]
async fn an_interrupted_sync_resumes_and_only_then_replaces_the_rows() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let mut killed = overwriting(&path).await;
    put(&mut killed, &[r#"{"id":"c"}"#]).await;
    killed.commit(Some(&state(2))).await.unwrap();
    put(&mut killed, &[r#"{"id":"lost"}"#]).await;
    drop(killed);

    let mut resumed = destination(&path).await;
    let plan = plan_in(WriteMode::Overwrite, &[builds()]);
    assert_eq!(resumed.start(&plan).await.unwrap(), Some(state(2)));
    put(&mut resumed, &[r#"{"id":"d"}"#]).await;
    resumed.commit(Some(&state(3))).await.unwrap();
    assert_eq!(rows::<String>(&path, IDS), ["a", "b"]);
    resumed.finish().await.unwrap();

    assert_eq!(rows::<String>(&path, IDS), ["c", "d"]);
}

#[tokio::test]
async fn a_new_overwrite_starts_without_a_state_also_after_a_crash() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let plan = plan_in(WriteMode::Overwrite, &[builds()]);
    for _ in 0..2 {
        let mut destination = destination(&path).await;
        let found = destination.start(&plan).await.unwrap().unwrap();
        assert_eq!(found.stream("builds"), None);
        put(&mut destination, &[r#"{"id":"not committed"}"#]).await;
        drop(destination);
        assert_eq!(committed(&path).await, Some(state(1)));
    }
    assert_eq!(tables(&path), ["_sync_new_builds", "builds"]);
}

#[tokio::test]
async fn an_abandoned_overwrite_leaves_nothing_and_the_old_state_counts() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let mut killed = overwriting(&path).await;
    put(&mut killed, &[r#"{"id":"c"}"#]).await;
    killed.commit(Some(&state(2))).await.unwrap();
    drop(killed);

    let mut other = destination(&path).await;
    let found = other.start(&plan(&[builds()])).await.unwrap();

    assert_eq!(found, Some(state(1)));
    assert_eq!(tables(&path), ["builds"]);
    assert_eq!(rows::<String>(&path, IDS), ["a", "b"]);
}

#[tokio::test]
async fn a_sync_that_ends_without_a_stream_abandons_its_overwrite() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let mut killed = overwriting(&path).await;
    put(&mut killed, &[r#"{"id":"c"}"#]).await;
    killed.commit(Some(&state(2))).await.unwrap();
    drop(killed);

    let jobs = stream("jobs", json!({}), &["id"]);
    let mut other = started_in(WriteMode::Overwrite, &path, &[jobs]).await;
    let mut both = state(2);
    both.set_stream("jobs".into(), json!(1));
    other.commit(Some(&both)).await.unwrap();
    other.finish().await.unwrap();

    let mut expected = state(1);
    expected.set_stream("jobs".into(), json!(1));
    assert_eq!(committed(&path).await, Some(expected));
    assert_eq!(rows::<String>(&path, IDS), ["a", "b"]);
    assert_eq!(tables(&path), ["builds", "jobs"]);
}

#[tokio::test]
async fn a_stream_without_a_key_is_replaced_as_well() {
    let (_folder, path) = warehouse();
    let lines = stream("lines", json!({}), &[]);
    sync(&path, &lines, &[r#"{"a":1}"#, r#"{"a":2}"#]).await;
    let mut destination = started_in(WriteMode::Overwrite, &path, &[lines]).await;
    let texts = [r#"{"a":3}"#, r#"{"a":3}"#];
    write(&mut destination, "lines", &texts).await.unwrap();
    destination.commit(None).await.unwrap();
    destination.finish().await.unwrap();
    assert_eq!(rows::<i64>(&path, "SELECT a FROM lines"), [3, 3]);
}

#[tokio::test]
async fn what_a_user_added_to_the_table_survives_its_replacement() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let user = Connection::open(&path).unwrap();
    user.execute_batch(
        "ALTER TABLE builds ADD COLUMN note TEXT DEFAULT 'none'; \
         CREATE INDEX by_state ON builds (state); \
         CREATE VIEW passed AS SELECT id FROM builds WHERE state = 'passed'; \
         CREATE TABLE log (id); \
         CREATE TRIGGER logs AFTER INSERT ON builds BEGIN INSERT INTO log VALUES (NEW.id); END; \
         CREATE TABLE notes (build REFERENCES builds (id)); INSERT INTO notes VALUES ('a')",
    )
    .unwrap();
    drop(user);

    let mut destination = overwriting(&path).await;
    put(&mut destination, &[r#"{"id":"c","state":"passed"}"#]).await;
    let marked = vec![removed("builds", r#"{"id":"c"}"#, "aged_out")];
    destination.write(marked).await.unwrap();
    destination.commit(Some(&state(2))).await.unwrap();
    destination.finish().await.unwrap();

    assert_eq!(rows::<String>(&path, "SELECT id FROM passed"), ["c"]);
    let plan = "EXPLAIN QUERY PLAN SELECT id FROM builds WHERE state = 'passed'";
    let database = Connection::open(&path).unwrap();
    let plan: String = database.query_row(plan, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("by_state"), "{plan}");
    let sql = "SELECT id || note || _gone FROM builds";
    assert_eq!(rows::<String>(&path, sql), ["cnoneaged_out"]);
    assert_eq!(one::<String>(&path, "SELECT build FROM notes"), "a");
    sync(&path, &builds(), &[r#"{"id":"z"}"#]).await;
    assert_eq!(rows::<String>(&path, "SELECT id FROM log"), ["z"]);
}

#[tokio::test]
async fn an_index_that_refuses_the_new_rows_is_named_and_the_old_rows_stay() {
    let (_folder, path) = warehouse();
    filled(&path).await;
    let user = Connection::open(&path).unwrap();
    user.execute_batch("CREATE UNIQUE INDEX one_state ON builds (state)")
        .unwrap();
    drop(user);
    let mut destination = overwriting(&path).await;
    let texts = [r#"{"id":"c","state":"x"}"#, r#"{"id":"d","state":"x"}"#];
    put(&mut destination, &texts).await;
    destination.commit(Some(&state(2))).await.unwrap();

    let error = destination.finish().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`one_state`"), "{error}");
    assert_eq!(rows::<String>(&path, IDS), ["a", "b"]);
}

#[tokio::test]
async fn two_syncs_can_overwrite_one_stream() {
    let (_folder, path) = warehouse();
    let mut first = overwriting(&path).await;
    let mut plan = plan_in(WriteMode::Overwrite, &[builds()]);
    plan.sync = "another".to_owned();
    let mut second = destination(&path).await;
    second.start(&plan).await.unwrap();
    put(&mut second, &[r#"{"id":"second"}"#]).await;
    second.commit(None).await.unwrap();
    put(&mut first, &[r#"{"id":"first"}"#]).await;
    first.commit(None).await.unwrap();

    first.finish().await.unwrap();
    assert_eq!(rows::<String>(&path, IDS), ["first"]);
    second.finish().await.unwrap();
    assert_eq!(rows::<String>(&path, IDS), ["second"]);
}

#[tokio::test]
async fn an_appended_stream_only_grows_although_it_has_a_key() {
    let (_folder, path) = warehouse();
    for _ in 0..2 {
        let mut destination = started_in(WriteMode::Append, &path, &[builds()]).await;
        put(&mut destination, &[r#"{"id":"a"}"#]).await;
        destination.commit(None).await.unwrap();
    }
    assert_eq!(rows::<String>(&path, IDS), ["a", "a"]);
}
