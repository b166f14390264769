//! Records compared with stored rows.

use connector_core::Comparison;

use super::replica::{compared, differs, files, replica};
use super::*;

#[tokio::test]
async fn a_record_equals_the_row_that_it_stored() {
    let (folder, path) = warehouse();
    let texts = [
        r#"{"id":"a","number":1,"state":"é \"x\"","list":[{"a": 1.0}],"ID":true}"#,
        r#"{"id":"b","number":1.10,"state":7,"big":9223372036854775808}"#,
        r#"{"id":"c","number":-0.0,"state":null,"list":null,"x":2,"x":"last"}"#,
        r#"{"id":"d"}"#,
    ];
    sync(&path, &builds(), &texts).await;
    let records = texts.map(|text| record("builds", text)).to_vec();
    assert_eq!(compared(&path, records).await, vec![Comparison::Same; 4]);
    assert_eq!(files(&folder), 1);
}

#[tokio::test]
async fn every_difference_is_reported_with_its_fields() {
    let (_folder, path) = warehouse();
    let held = r#"{"id":"a","number":1,"state":"passed","agent":{"n": 1},"tag":null}"#;
    sync(&path, &builds(), &[held]).await;
    for (other, fields) in [
        // Another number, the same number as a fraction, a number as a text.
        (held.replace(":1,", ":2,"), &["number"] as &[_]),
        (held.replace(":1,", ":1.0,"), &["number"]),
        (held.replace(":1,", ":\"1\","), &["number"]),
        // Another text, another case.
        (held.replace("passed", "failed"), &["state"]),
        (held.replace("passed", "Passed"), &["state"]),
        // Nested values are their texts.
        (held.replace("{\"n\": 1}", "{\"n\": 2}"), &["agent"]),
        (held.replace("{\"n\": 1}", "{\"n\":1}"), &["agent"]),
        (held.replace("{\"n\": 1}", "null"), &["agent"]),
        // Null and missing are the same, a value is not.
        (held.replace(",\"tag\":null", ""), &[]),
        (held.replace("\"tag\":null", "\"tag\":0"), &["tag"]),
        (held.replace("\"state\":\"passed\",", ""), &["state"]),
        // Fields without a column.
        (held.replace("\"tag\":null", "\"new\":null"), &[]),
        (held.replace("\"tag\":null", "\"new\":1"), &["new"]),
        (held.replace("\"tag\"", "\"new\":1,\"new\""), &[]),
        // Several at once.
        (
            r#"{"id":"a","z":1}"#.to_owned(),
            &["number", "state", "agent", "z"],
        ),
    ] {
        let expected = match fields {
            [] => Comparison::Same,
            fields => differs(fields),
        };
        let found = compared(&path, vec![record("builds", &other)]).await;
        assert_eq!(found, [expected], "{other}");
    }
}

#[tokio::test]
async fn a_record_without_a_row_is_absent_and_the_order_is_kept() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a"}"#, r#"{"id":"1"}"#]).await;
    let records = vec![
        record("builds", r#"{"id":"z"}"#),
        record("builds", r#"{"id":"a"}"#),
        record("jobs", r#"{"id":"a"}"#),
        record("builds", r#"{"number":1}"#),
        record("builds", r#"{"id":"a","\ud800":1}"#),
        record("builds", r#"{"id":1}"#),
    ];
    let absent = Comparison::Absent;
    let same = Comparison::Same;
    let expected = [&absent, &same, &absent, &absent, &absent, &same];
    assert_eq!(
        compared(&path, records).await.iter().collect::<Vec<_>>(),
        expected
    );
}

#[tokio::test]
async fn the_mark_is_compared_as_well() {
    let (_folder, path) = warehouse();
    let held = [
        record("builds", r#"{"id":"a","number":1}"#),
        removed("builds", r#"{"id":"a"}"#, "aged_out"),
        record("builds", r#"{"id":"b"}"#),
    ];
    sync_records(&path, &builds(), &held).await;
    let records = vec![
        record("builds", r#"{"id":"a","number":1}"#),
        record("builds", r#"{"id":"a","number":2}"#),
        removed("builds", r#"{"id":"a"}"#, "aged_out"),
        removed("builds", r#"{"id":"a"}"#, "deleted"),
        removed("builds", r#"{"id":"b"}"#, "aged_out"),
        removed("builds", r#"{"id":"z"}"#, "aged_out"),
    ];
    let expected = [
        differs(&["_gone"]),
        differs(&["number", "_gone"]),
        Comparison::Same,
        differs(&["_gone"]),
        differs(&["_gone"]),
        Comparison::Absent,
    ];
    assert_eq!(compared(&path, records).await, expected);
}

#[tokio::test]
async fn rows_without_a_key_cannot_be_compared() {
    let (_folder, path) = warehouse();
    sync(&path, &stream("lines", json!({}), &[]), &["{}"]).await;
    let lines = vec![record("lines", "{}")];
    let error = replica(&path).await.compare(lines).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("stream `lines`"), "{error}");
}
