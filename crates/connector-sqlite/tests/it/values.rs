//! What is stored for each value.

use super::*;

/// How the database holds the only value of a field that has a schema type and a JSON value.
async fn stored(schema_type: Value, value: &str) -> String {
    let (_folder, path) = warehouse();
    let stream = stream("things", json!({"field": {"type": schema_type}}), &[]);
    sync(&path, &stream, &[&format!(r#"{{"field":{value}}}"#)]).await;
    one(
        &path,
        "SELECT typeof(field) || ' ' || ifnull(field, '') FROM things",
    )
}

#[tokio::test]
async fn no_column_changes_a_value() {
    for schema_type in [
        json!("integer"),
        json!("number"),
        json!("boolean"),
        json!("object"),
        json!(["null", "object", "string"]),
    ] {
        for (value, expected) in [
            ("null", "null "),
            (r#""007""#, "text 007"),
            (r#""1e5""#, "text 1e5"),
            (r#"" 12 ""#, "text  12 "),
            (r#""""#, "text "),
            ("7", "integer 7"),
            ("9223372036854775807", "integer 9223372036854775807"),
            ("9223372036854775808", "text 9223372036854775808"),
            ("1.10", "real 1.1"),
            ("0.12345678901234567890", "text 0.12345678901234567890"),
            ("true", "integer 1"),
            ("false", "integer 0"),
            (
                r#"{"b": 9223372036854775808, "a": [1.0]}"#,
                r#"text {"b": 9223372036854775808, "a": [1.0]}"#,
            ),
            ("[ ]", "text [ ]"),
        ] {
            let found = stored(schema_type.clone(), value).await;
            assert_eq!(found, expected, "{schema_type} {value}");
        }
    }
}

#[tokio::test]
async fn a_text_column_keeps_every_character_and_digit() {
    for (value, expected) in [
        (r#""007""#, "text 007"),
        (r#""Ünïcødé 🚀 \"x\"\n""#, "text Ünïcødé 🚀 \"x\"\n"),
        ("5", "text 5"),
        ("0.12345678901234567890", "text 0.12345678901234567890"),
        ("true", "text true"),
        (r#"{"a":1}"#, r#"text {"a":1}"#),
        ("null", "null "),
    ] {
        assert_eq!(stored(json!(["string", "null"]), value).await, expected);
    }
}

#[tokio::test]
async fn a_text_with_a_nul_is_stored_whole() {
    let (_folder, path) = warehouse();
    sync(
        &path,
        &builds(),
        &[r#"{"id":"a\u0000b","state":"x\u0000y"}"#],
    )
    .await;
    assert_eq!(one::<String>(&path, "SELECT state FROM builds"), "x\0y");
}

#[tokio::test]
async fn nested_values_can_be_queried() {
    let (_folder, path) = warehouse();
    let record = r#"{"id":"a","agent":{"hostname":"h1","meta_data":["queue=default"]}}"#;
    sync(&path, &builds(), &[record]).await;

    let sql = "SELECT json_extract(agent, '$.hostname') FROM builds";
    assert_eq!(one::<String>(&path, sql), "h1");
    let sql = "SELECT value FROM builds, json_each(agent, '$.meta_data')";
    assert_eq!(one::<String>(&path, sql), "queue=default");
}
