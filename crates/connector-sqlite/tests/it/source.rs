//! The rows of a query, as records.

use std::path::Path;
use std::sync::Arc;

use connector_core::{
    Configuration, ErrorKind, Message, ReadRequest, Result, Selection, Setup, Source, SourceRole,
};
use connector_sqlite::Sqlite;
use futures::StreamExt;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::warehouse;

async fn source(path: &Path, query: &str) -> Result<Arc<dyn Source>> {
    let configuration = Configuration::default()
        .with("path", path.to_str().unwrap())
        .with("query", query);
    SourceRole::open(&Sqlite, Setup::new(configuration)).await
}

fn fill(path: &Path) {
    let database = Connection::open(path).unwrap();
    let statements = "CREATE TABLE t (a INTEGER, b TEXT, c REAL, d BLOB);
        INSERT INTO t VALUES (9007199254740993, 'é\"', 1.5, NULL), (2, NULL, -2.0, x'00');";
    database.execute_batch(statements).unwrap();
}

async fn read(source: &dyn Source) -> Result<Vec<String>> {
    let request = ReadRequest::new([Selection::full_refresh("query")]);
    let mut messages = source.read(request);
    let mut records = Vec::new();
    while let Some(message) = messages.next().await {
        if let Message::Record(record) = message? {
            records.push(record.data.as_str().to_owned());
        }
    }
    Ok(records)
}

#[tokio::test]
async fn each_row_of_the_query_is_a_record_with_its_columns_in_order() {
    let (_folder, path) = warehouse();
    fill(&path);
    let source = source(&path, "SELECT c, b AS text, a, d FROM t WHERE a > 2")
        .await
        .unwrap();

    source.check().await.unwrap();
    let stream = source.discover().await.unwrap().streams.remove(0);
    let columns: Vec<_> = stream.json_schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(columns, ["c", "text", "a", "d"]);
    let expected = r#"{"c":1.5,"text":"é\"","a":9007199254740993,"d":null}"#;
    assert_eq!(read(&*source).await.unwrap(), [expected]);
}

#[tokio::test]
async fn all_rows_of_a_large_table_come() {
    let (_folder, path) = warehouse();
    fill(&path);
    let query = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        SELECT i FROM n";
    let source = source(&path, query).await.unwrap();
    let rows = read(&*source).await.unwrap();
    let numbers: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(numbers.len(), 5_000);
    assert_eq!(numbers[4_999], json!({"i": 5_000}));
}

#[tokio::test]
async fn what_is_no_query_is_refused_and_changes_nothing() {
    let (_folder, path) = warehouse();
    fill(&path);
    for (query, part) in [
        ("SELEC 1", "SQLite refuses it"),
        ("DELETE FROM t", "must only read"),
        ("SELECT a, b AS a FROM t", "two columns"),
    ] {
        let error = source(&path, query)
            .await
            .unwrap()
            .check()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = source(&path, " ").await.err().unwrap();
    assert!(error.to_string().contains("query"), "{error}");
    let rows: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn a_blob_and_a_missing_database_are_errors() {
    let (_folder, path) = warehouse();
    let missing = source(&path, "SELECT 1")
        .await
        .unwrap()
        .check()
        .await
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
    assert!(!path.exists());
    fill(&path);
    let error = read(&*source(&path, "SELECT d FROM t").await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("column: d"), "{error}");
}

#[tokio::test]
async fn declared_booleans_and_json_are_told_from_numbers_and_texts() {
    let (_folder, path) = warehouse();
    let database = Connection::open(&path).unwrap();
    let statements = "CREATE TABLE t (ok BOOLEAN, n INTEGER, env JSON, text TEXT);
        INSERT INTO t VALUES (1, 1, '{\"A\":\n \"x\"}', '{}'), (0, 0, 'no json', '12'),
          (2, 2, NULL, NULL), ('yes', NULL, '[1.10]', '')";
    database.execute_batch(statements).unwrap();
    let source = source(&path, "SELECT *, ok + 0 AS sum FROM t")
        .await
        .unwrap();

    let rows = read(&*source).await.unwrap();

    let expected = [
        "{\"ok\":true,\"n\":1,\"env\":{\"A\":  \"x\"},\"text\":\"{}\",\"sum\":1}",
        r#"{"ok":false,"n":0,"env":"no json","text":"12","sum":0}"#,
        r#"{"ok":2,"n":2,"env":null,"text":null,"sum":2}"#,
        r#"{"ok":"yes","n":null,"env":[1.10],"text":"","sum":0}"#,
    ];
    let single_line = |row: &String| row.replace('\n', " ");
    assert_eq!(rows.iter().map(single_line).collect::<Vec<_>>(), expected);
    let stream = source.discover().await.unwrap().streams.remove(0);
    let properties = &stream.json_schema["properties"];
    assert_eq!(properties["ok"]["description"], "Declared as BOOLEAN.");
    assert_eq!(properties["sum"], json!({}));
}

/// 3,000 rows, more than a reader has read before they are asked for.
fn many(path: &Path, journal: &str) -> Connection {
    let database = Connection::open(path).unwrap();
    database.busy_timeout(std::time::Duration::ZERO).unwrap();
    let fill = format!(
        "PRAGMA journal_mode = {journal}; CREATE TABLE t (i);
        WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO t SELECT i FROM n"
    );
    database.execute_batch(&fill).unwrap();
    database
}

#[tokio::test]
async fn who_takes_rows_slowly_keeps_nobody_from_writing_and_sees_one_moment() {
    for journal in ["delete", "wal"] {
        let (_folder, path) = warehouse();
        let other = many(&path, journal);
        let source = source(&path, "SELECT i FROM t").await.unwrap();
        let request = ReadRequest::new([Selection::full_refresh("query")]);
        let mut messages = source.read(request);
        while !matches!(messages.next().await, Some(Ok(Message::Record(_)))) {}

        other.execute_batch("DELETE FROM t WHERE i > 1000").unwrap();

        let rest: Vec<_> = messages.collect().await;
        let is_record = |message: &&Result<Message>| matches!(message, Ok(Message::Record(_)));
        assert_eq!(rest.iter().filter(is_record).count(), 2_999, "{journal}");
    }
}

#[tokio::test]
async fn a_read_ends_with_a_state_and_the_next_one_gives_all_rows_again() {
    let (_folder, path) = warehouse();
    many(&path, "wal");
    let source = source(&path, "SELECT i FROM t").await.unwrap();
    let request = ReadRequest::new([Selection::full_refresh("query")]);
    let messages: Vec<_> = source.read(request.clone()).collect().await;
    let last = messages.iter().rev().nth(1).unwrap().as_ref().unwrap();
    let Message::Checkpoint(state) = last else {
        panic!("{last:?} is no checkpoint");
    };
    let again = source.read(request.with_state(Some(state.clone())));
    assert_eq!(again.collect::<Vec<_>>().await.len(), messages.len());
}

#[tokio::test]
async fn a_part_that_others_made_is_refused() {
    let (_folder, path) = warehouse();
    fill(&path);
    let source = source(&path, "SELECT a FROM t").await.unwrap();
    let request = ReadRequest::new([Selection::full_refresh("query")]);
    let part = request.with_partition(json!({"window": 1}));
    let read: Vec<_> = source.read(part).collect().await;
    assert_eq!(read.len(), 1);
    let error = read[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
