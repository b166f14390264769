//! A dry run reads, and changes nothing.

use connector_core::{Destination, ErrorKind};
use serde_json::{Value, json};

use super::{Bench, build};

#[tokio::test]
async fn a_dry_run_sends_nothing_and_shows_what_it_would() {
    let bench = Bench {
        is_dry: true,
        ..Bench::new().await
    };
    let record = json!({"commit": "HEAD", "branch": "main", "env": {"A": "1"}});

    bench
        .write("builds", &[record, json!({"branch": "x"})])
        .await
        .unwrap();

    assert_eq!(bench.server.write_requests().len(), 0);
    let rows = bench.results();
    let request = &rows.iter().find(|row| row["outcome"] == "planned").unwrap()["requests"][0];
    assert_eq!(request["method"], "POST");
    assert_eq!(
        request["path"],
        "/v2/organizations/acme/pipelines/web/builds"
    );
    assert_eq!(request["body"]["env"]["A"], "1");
    assert_eq!(
        request["body"]["meta_data"]["triggered-by"],
        "buildkite-connector"
    );
    assert!(!bench.path("journal").exists());
}

#[tokio::test]
async fn a_dry_run_shows_what_was_sent_already() {
    let mut bench = Bench::new().await;
    bench.accept("builds", &[build(1)]).await;
    bench
        .accept(
            "annotations",
            &[json!({"number": 1, "context": "c", "body": "x"})],
        )
        .await;
    let writes = bench.server.write_requests().len();
    bench.is_dry = true;
    for journal in [true, false] {
        let before = bench.results().len();
        if !journal {
            std::fs::remove_file(bench.path("journal")).unwrap();
        }
        bench.write("builds", &[build(1), build(2)]).await.unwrap();
        let rows = bench.results().split_off(before);
        assert_eq!(rows[0]["outcome"], "already_there", "{journal}");
        assert_eq!(rows[0]["number"], 1);
        assert_eq!(rows[1]["outcome"], "planned");
        if journal {
            let records = [json!({"number": 1, "context": "c", "body": "x"})];
            bench.write("annotations", &records).await.unwrap();
            assert_eq!(bench.results().pop().unwrap()["outcome"], "already_there");
        }
    }
    assert_eq!(bench.server.write_requests().len(), writes);
    assert!(!bench.path("journal").exists());
}

#[tokio::test]
async fn what_does_not_exist_is_rejected_by_a_dry_run() {
    let bench = Bench {
        is_dry: true,
        ..Bench::new().await
    }
    .with("allow", json!(["requests"]));
    let patch = json!({"method": "PATCH", "path": "x", "organization": "nobody"});
    let shop = json!({"slug": "shop", "repository": "r", "organization": "nobody"});
    let mut missing = build(1);
    missing["pipeline"] = "missing".into();
    for (stream, record, part) in [
        ("builds", missing, "(404)"),
        (
            "annotations",
            json!({"number": 1, "body": "x", "pipeline": "missing"}),
            "pipeline acme/missing",
        ),
        (
            "build_cancellations",
            json!({"number": 1, "pipeline": "missing"}),
            "pipeline acme/missing",
        ),
        ("requests", patch, "organization nobody"),
        ("pipelines", shop, "organization nobody"),
    ] {
        let reason = bench.refuse(stream, record).await;
        assert!(reason.contains(part), "{stream}: {reason}");
    }
}

#[tokio::test]
async fn a_check_finds_out_that_a_pipeline_or_an_organization_does_not_exist() {
    let bench = Bench::new().await;
    bench.open().unwrap().check().await.unwrap();
    let bench = bench.with("pipeline", "missing");
    let error = bench.open().unwrap().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("key: pipeline"), "{error}");
    let bench = bench
        .with("pipeline", Value::Null)
        .with("organization", "nobody");
    let error = bench.open().unwrap().check().await.unwrap_err();
    assert!(error.to_string().contains("key: organization"), "{error}");
}
