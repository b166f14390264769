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
