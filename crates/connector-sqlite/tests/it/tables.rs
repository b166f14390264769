//! Tables and rows: keys, new fields, names.

use super::*;

const COLUMNS: &str = "SELECT name FROM pragma_table_info('builds')";

#[tokio::test]
async fn columns_follow_the_schema_in_its_order_and_texts_are_declared() {
    let (_folder, path) = warehouse();
    let text = json!({"type": "string"});
    let properties = json!({"z": text, "id": text, "a": {"type": "integer"}});
    sync(&path, &stream("builds", properties, &["id"]), &[]).await;

    assert_eq!(rows::<String>(&path, COLUMNS), ["z", "id", "a", "_gone"]);
    let types = rows::<String>(&path, "SELECT type FROM pragma_table_info('builds')");
    assert_eq!(types, ["TEXT", "TEXT", "", "TEXT"]);
}

#[tokio::test]
async fn a_record_replaces_the_row_of_its_key_and_absent_fields_become_null() {
    let (_folder, path) = warehouse();
    sync(
        &path,
        &builds(),
        &[r#"{"id":"a","number":1,"state":"running"}"#],
    )
    .await;

    sync(&path, &builds(), &[r#"{"state":"passed","id":"a"}"#]).await;

    let sql = "SELECT state || ' ' || ifnull(number, 'null') FROM builds";
    assert_eq!(one::<String>(&path, sql), "passed null");
}

#[tokio::test]
async fn of_two_records_with_one_key_in_a_batch_the_last_wins() {
    let (_folder, path) = warehouse();
    let records = [r#"{"id":"a","number":1}"#, r#"{"id":"a","number":2}"#];
    sync(&path, &builds(), &records).await;
    assert_eq!(one::<i64>(&path, "SELECT number FROM builds"), 2);
}

#[tokio::test]
async fn a_key_may_have_several_fields_and_be_all_there_is() {
    let (_folder, path) = warehouse();
    let number = json!({"type": "integer"});
    let stream = stream("pairs", json!({"a": number}), &["a", "b"]);
    let records = [r#"{"a":1,"b":1}"#, r#"{"a":1,"b":2}"#, r#"{"b":1,"a":1}"#];

    sync(&path, &stream, &records).await;
    sync(&path, &stream, &records).await;

    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM pairs"), 2);
}

#[tokio::test]
async fn a_stream_without_a_key_grows() {
    let (_folder, path) = warehouse();
    let stream = stream("lines", json!({}), &[]);
    sync(&path, &stream, &[r#"{"a":1}"#, "{}"]).await;
    sync(&path, &stream, &[r#"{"a":1}"#]).await;
    assert_eq!(one::<i64>(&path, "SELECT count(*) FROM lines"), 3);
    assert_eq!(one::<i64>(&path, "SELECT count(a) FROM lines"), 2);
}

#[tokio::test]
async fn a_record_without_its_key_is_rejected_and_the_others_are_written() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    let records = [
        r#"{"id":"a"}"#,
        r#"{"id":null,"state":"secret"}"#,
        r#"{"state":"secret","new":1}"#,
        r#"{"id":"b","id":null}"#,
        r#"{"id":"c"}"#,
    ];

    let outcomes = write(&mut destination, "builds", &records).await.unwrap();
    destination.commit(None).await.unwrap();

    for refused in [1, 2, 3] {
        assert_eq!(
            rejected(&outcomes[refused]),
            "its primary key field `id` is missing or null"
        );
    }
    assert_eq!(
        rows::<String>(&path, "SELECT id FROM builds ORDER BY id"),
        ["a", "c"]
    );
    assert_eq!(
        rows::<String>(&path, COLUMNS),
        ["id", "number", "state", "_gone"]
    );
}

#[tokio::test]
async fn a_record_of_a_stream_outside_the_plan_is_rejected() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    let outcomes = write(&mut destination, "jobs", &[r#"{"id":"a"}"#]).await;
    assert!(rejected(&outcomes.unwrap()[0]).contains("its stream"));
}

#[tokio::test]
async fn a_new_field_becomes_a_column_in_a_batch_and_between_syncs() {
    let (_folder, path) = warehouse();
    let records = [
        r#"{"id":"a"}"#,
        r#"{"id":"b","zeta":[1],"alpha":null}"#,
        r#"{"id":"c","alpha":"007"}"#,
    ];
    sync(&path, &builds(), &records).await;

    let text = json!({"type": "string"});
    let wider = stream("builds", json!({"id": text, "tag": text}), &["id"]);
    sync(&path, &wider, &[r#"{"id":"d","tag":"v1","alpha":"x"}"#]).await;

    let expected = ["id", "number", "state", "_gone", "zeta", "alpha", "tag"];
    assert_eq!(rows::<String>(&path, COLUMNS), expected);
    let alphas = rows::<Option<String>>(&path, "SELECT alpha FROM builds ORDER BY id");
    assert_eq!(
        alphas,
        [None, None, Some("007".to_owned()), Some("x".to_owned())]
    );
}

#[tokio::test]
async fn fields_that_differ_by_case_keep_separate_columns() {
    let (_folder, path) = warehouse();
    let first = r#"{"id":"a","ID":1,"ID_2":2,"Id":3}"#;
    sync(&path, &builds(), &[first]).await;
    // Another order must not change which column holds which field.
    sync(
        &path,
        &builds(),
        &[r#"{"ID_2":20,"Id":30,"ID":10,"id":"b"}"#],
    )
    .await;

    let sql = "SELECT json_object('field', field, 'column', column_name, 'values', \
               (SELECT json_group_array(v) FROM (SELECT CASE column_name \
                WHEN 'ID_2' THEN \"ID_2\" WHEN 'ID_2_2' THEN \"ID_2_2\" ELSE \"Id_3\" END AS v \
                FROM builds ORDER BY id))) \
               FROM _sync_columns WHERE field IN ('ID', 'ID_2', 'Id') ORDER BY field";
    assert_eq!(
        rows::<String>(&path, sql),
        [
            r#"{"field":"ID","column":"ID_2","values":"[1,10]"}"#,
            r#"{"field":"ID_2","column":"ID_2_2","values":"[2,20]"}"#,
            r#"{"field":"Id","column":"Id_3","values":"[3,30]"}"#,
        ]
    );
}

#[tokio::test]
async fn any_name_works_as_a_table_or_column() {
    let (_folder, path) = warehouse();
    let odd = stream(
        "select \"x\"; drop table",
        json!({"from": {}}),
        &["we\"ird"],
    );
    let record = r#"{"we\"ird":"k","":"empty","a b":1,"nul\u0000":2,"group":3,"ключ":4,"rowid":5}"#;

    sync(&path, &odd, &[record]).await;
    sync(&path, &odd, &[record]).await;

    let sql = "SELECT \"we\"\"ird\" || \"\" || \"a b\" || \"nul\u{fffd}\" || \"group\" || \"ключ\" \
               || rowid_2 FROM \"select \"\"x\"\"; drop table\"";
    assert_eq!(one::<String>(&path, sql), "kempty12345");
}

#[tokio::test]
async fn a_record_with_more_fields_than_a_table_can_have_is_rejected() {
    let (_folder, path) = warehouse();
    let fields: Vec<_> = (0..3000).map(|n| format!("\"f{n}\":{n}")).collect();
    let wide = format!("{{\"id\":\"a\",{}}}", fields.join(","));
    let mut destination = started(&path, &[builds()]).await;

    let outcomes = write(&mut destination, "builds", &[&wide, r#"{"id":"b"}"#])
        .await
        .unwrap();

    assert!(rejected(&outcomes[0]).contains("2000 columns"));
    assert_eq!(outcomes[1], Outcome::Accepted);
}

#[tokio::test]
async fn a_field_name_that_is_not_unicode_rejects_only_its_record() {
    let (_folder, path) = warehouse();
    let mut destination = started(&path, &[builds()]).await;
    let records = [r#"{"id":"a","\ud800":1}"#, r#"{"id":"b"}"#];

    let outcomes = write(&mut destination, "builds", &records).await.unwrap();

    assert!(rejected(&outcomes[0]).contains("Unicode"));
    assert_eq!(outcomes[1], Outcome::Accepted);
}

#[tokio::test]
async fn columns_that_a_user_adds_stay_and_dropped_ones_are_added_again() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a","state":"passed"}"#]).await;
    let user = Connection::open(&path).unwrap();
    user.execute_batch(
        "ALTER TABLE builds ADD COLUMN note TEXT; UPDATE builds SET note = 'mine'; \
         ALTER TABLE builds DROP COLUMN number; \
         CREATE UNIQUE INDEX one_state ON builds (state)",
    )
    .unwrap();

    let mut destination = started(&path, &[builds()]).await;
    let records = [
        r#"{"id":"a","number":1,"state":"failed","note":"theirs"}"#,
        r#"{"id":"b","state":"failed"}"#,
    ];
    let outcomes = write(&mut destination, "builds", &records).await.unwrap();
    destination.commit(None).await.unwrap();

    assert!(rejected(&outcomes[1]).contains("constraint"));
    let sql = "SELECT note || note_2 || number || state FROM builds";
    assert_eq!(one::<String>(&path, sql), "minetheirs1failed");
}

#[tokio::test]
async fn a_dropped_table_is_created_again() {
    let (_folder, path) = warehouse();
    sync(&path, &builds(), &[r#"{"id":"a","ID":1}"#]).await;
    let user = Connection::open(&path).unwrap();
    user.execute_batch("DROP TABLE builds").unwrap();

    sync(&path, &builds(), &[r#"{"id":"b"}"#]).await;

    assert_eq!(rows::<String>(&path, "SELECT id FROM builds"), ["b"]);
    assert_eq!(
        rows::<String>(&path, COLUMNS),
        ["id", "number", "state", "_gone"]
    );
}
