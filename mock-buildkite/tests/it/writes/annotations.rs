//! Annotations put on builds and jobs over the API.

use mock_buildkite::{JobFixture, MockBuildkite};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, BUILDS, Caller, build, texts, world};

const JOB: &str = "/v2/organizations/acme/jobs/j";

async fn fake() -> (MockBuildkite, Caller) {
    let with_job = build().job(JobFixture::script("Test").id("j"));
    let server = MockBuildkite::start(world([with_job, build()])).await;
    let caller = Caller::new(&server);
    (server, caller)
}

async fn annotate(caller: &Caller, on: &str, body: Value) -> Answer {
    caller
        .write(Method::POST, &format!("{on}/annotations"), &body)
        .await
}

#[tokio::test]
async fn an_annotation_is_one_escaped_paragraph_of_its_build() {
    let (_server, caller) = fake().await;
    let on = format!("{BUILDS}/1");
    let body = json!({"body": "5 < 6 & \"so\"", "style": "info", "priority": 5, "context": "c"});
    let answer = annotate(&caller, &on, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    assert_eq!(made["body_html"], "<p>5 &lt; 6 &amp; &quot;so&quot;</p>\n");
    assert_eq!(
        (&made["scope"], &made["job_id"]),
        (&json!("build"), &Value::Null)
    );
    assert_eq!(
        (&made["style"], &made["priority"]),
        (&json!("info"), &json!(5))
    );
    assert_eq!(caller.items(&format!("{on}/annotations")).await, [made]);
    assert!(
        caller
            .items(&format!("{BUILDS}/2/annotations"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_same_context_is_replaced_or_gets_longer() {
    let (_server, caller) = fake().await;
    let on = format!("{BUILDS}/1");
    let first = annotate(&caller, &on, json!({"body": "a", "style": "error"}))
        .await
        .json();
    assert_eq!(
        (&first["context"], &first["priority"]),
        (&json!("default"), &json!(3))
    );
    let longer = annotate(&caller, &on, json!({"body": "b", "append": true}))
        .await
        .json();
    assert_eq!(longer["id"], first["id"]);
    assert_eq!(longer["body_html"], "<p>a</p>\n<p>b</p>\n");
    assert_eq!(longer["style"], "error");
    let replaced = annotate(&caller, &on, json!({"body": "c"})).await.json();
    assert_eq!(replaced["body_html"], "<p>c</p>\n");
    annotate(&caller, &on, json!({"body": "d", "context": "other"})).await;
    let all = caller.items(&format!("{on}/annotations")).await;
    assert_eq!(texts(&all, "body_html"), ["<p>c</p>\n", "<p>d</p>\n"]);
}

#[tokio::test]
async fn a_job_has_annotations_of_its_own_by_either_path() {
    let (_server, caller) = fake().await;
    let of_build = format!("{BUILDS}/1");
    let of_job = format!("{of_build}/jobs/j");
    annotate(&caller, &of_build, json!({"body": "build"})).await;
    let made = annotate(&caller, &of_job, json!({"body": "job"}))
        .await
        .json();
    assert_eq!(
        (&made["scope"], &made["job_id"]),
        (&json!("job"), &json!("j"))
    );
    let again = annotate(&caller, JOB, json!({"body": "job 2"}))
        .await
        .json();
    assert_eq!(again["id"], made["id"]);
    let listed = caller.items(&format!("{of_job}/annotations")).await;
    assert_eq!(texts(&listed, "body_html"), ["<p>job 2</p>\n"]);
    let listed = caller
        .items(&format!("{of_build}/annotations?scope=all"))
        .await;
    assert_eq!(listed.len(), 2);
}

#[tokio::test]
async fn an_annotation_needs_a_body_and_known_values() {
    let (_server, caller) = fake().await;
    for (fields, field, code) in [
        (json!({}), "body", "missing"),
        (json!({"body": 1}), "body", "invalid"),
        (json!({"body": "a", "style": "loud"}), "style", "invalid"),
        (json!({"body": "a", "priority": 11}), "priority", "invalid"),
    ] {
        let answer = annotate(&caller, &format!("{BUILDS}/1"), fields).await;
        assert_eq!(answer.status, 422);
        assert_eq!(
            answer.json()["errors"],
            json!([{"field": field, "code": code}])
        );
    }
    assert!(
        caller
            .items(&format!("{BUILDS}/1/annotations"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn an_annotation_is_taken_off_where_it_is() {
    let (_server, caller) = fake().await;
    let made = annotate(&caller, JOB, json!({"body": "a"})).await.json();
    let id = made["id"].as_str().unwrap();
    let elsewhere = caller.delete(&format!("{BUILDS}/1/annotations/{id}")).await;
    assert_eq!(
        (elsewhere.status, &*elsewhere.message()),
        (404, "No annotation found")
    );
    let path = format!("{JOB}/annotations/{id}");
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.delete(&path).await.status, 404);
    assert!(caller.items(&format!("{JOB}/annotations")).await.is_empty());
}
