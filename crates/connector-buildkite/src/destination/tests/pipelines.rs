use mock_buildkite::{Fault, When};
use serde_json::{Value, json};

use super::{Bench, build};

fn shop() -> Value {
    json!({
        "slug": "shop", "name": "Web Shop", "repository": "git@example.com:shop.git",
        "configuration": "steps:\n  - command: make\n", "description": "", "tags": ["a"],
        "provider_settings": {"build_tags": true}, "allow_rebuilds": false,
    })
}

impl Bench {
    fn pipeline(&self, slug: &str) -> Option<Value> {
        let text = self
            .server
            .with_world(|world| world.pipeline_json("acme", slug))?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn writes(&self) -> Vec<(String, String)> {
        let writes = self.server.write_requests();
        let writes = writes.iter();
        writes
            .map(|one| (one.method.to_string(), one.path.clone()))
            .collect()
    }
}

#[tokio::test]
async fn a_pipeline_is_created_then_left_alone_then_changed_where_it_differs() {
    let bench = Bench::new().await;
    let rows = bench.accept("pipelines", &[shop()]).await;
    assert_eq!(rows[0]["outcome"], "created");
    let made = bench.pipeline("shop").unwrap();
    assert_eq!(made["name"], "Web Shop");
    assert_eq!(made["provider"]["settings"]["build_tags"], true);

    let rows = bench.accept("pipelines", &[shop()]).await;
    assert_eq!(rows[0]["outcome"], "unchanged");
    assert_eq!(
        bench.writes().len(),
        1,
        "the second run makes no write request"
    );

    let mut changed = shop();
    changed["description"] = "Sells".into();
    changed["name"] = "Shop".into();
    let rows = bench.accept("pipelines", &[changed.clone()]).await;
    assert_eq!(rows[0]["outcome"], "updated");
    let body = bench.server.write_requests().pop().unwrap().body;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        json!({"name": "Shop", "slug": "shop", "description": "Sells"})
    );
    assert_eq!(
        bench.pipeline("shop").unwrap()["slug"],
        "shop",
        "the slug stays"
    );
    assert_eq!(
        bench.accept("pipelines", &[changed]).await[0]["outcome"],
        "unchanged"
    );
}

#[tokio::test]
async fn a_state_that_is_spelled_in_another_way_is_there_already() {
    let bench = Bench::new().await;
    bench.accept("pipelines", &[shop()]).await;
    bench
        .accept("builds", &[with_pipeline(build(1), "shop")])
        .await;
    let writes = bench.writes().len();
    let mut respelled = shop();
    respelled["configuration"] = "steps:\r\n  - command: make\r\n".into();
    respelled["default_command_step_timeout"] = 0.into();
    respelled["tags"] = json!(["a", "a"]);
    let rows = bench.accept("pipelines", &[respelled]).await;
    assert_eq!(rows[0]["outcome"], "unchanged");
    assert_eq!(bench.writes().len(), writes);
}

fn with_pipeline(mut record: Value, pipeline: &str) -> Value {
    record["pipeline"] = pipeline.into();
    record
}

#[tokio::test]
async fn what_must_be_allowed_is_refused_until_it_is() {
    let moved = json!({"slug": "web", "new_slug": "site"});
    let archived = json!({"slug": "web", "archived": true});
    let replaced = json!({"slug": "web", "configuration": "steps: [wait]"});
    for (record, permission) in [
        (&moved, "move_slug"),
        (&archived, "archive"),
        (&replaced, "replace_configuration"),
    ] {
        let bench = Bench::new().await;
        // It waits for an agent.
        bench.accept("builds", &[build(1)]).await;
        let reason = bench.refuse("pipelines", record.clone()).await;
        assert!(reason.contains(permission), "{reason}");
        assert_eq!(bench.writes().len(), 1, "the build alone");

        let bench = bench.with("allow", json!([permission]));
        let rows = bench
            .accept("pipelines", std::slice::from_ref(record))
            .await;
        assert_eq!(rows[0]["outcome"], "updated", "{permission}");
        let rows = bench
            .accept("pipelines", std::slice::from_ref(record))
            .await;
        assert_eq!(rows[0]["outcome"], "unchanged", "{permission}");
    }
}

#[tokio::test]
async fn a_slug_is_not_moved_onto_another_pipeline() {
    let bench = Bench::new().await.with("allow", json!(["move_slug"]));
    let record = json!({"slug": "web", "new_slug": "api", "description": "new"});
    let reason = bench.refuse("pipelines", record).await;
    assert!(reason.contains("another pipeline"), "{reason}");
    assert_eq!(bench.writes(), []);
}

#[tokio::test]
async fn a_configuration_may_be_replaced_while_nothing_runs() {
    let bench = Bench::new().await;
    let record = json!({"slug": "web", "configuration": "steps: [wait]"});
    assert_eq!(
        bench.accept("pipelines", &[record]).await[0]["outcome"],
        "updated"
    );
}

#[tokio::test]
async fn an_archived_pipeline_is_brought_back_before_it_is_changed() {
    let bench = Bench::new().await;
    bench
        .server
        .with_world(|world| world.set_archived("acme", "web", true));
    let mut record = json!({"slug": "web", "description": "new"});
    let reason = bench.refuse("pipelines", record.clone()).await;
    assert!(reason.contains("archived"), "{reason}");

    record["archived"] = false.into();
    assert_eq!(
        bench.accept("pipelines", &[record]).await[0]["outcome"],
        "updated"
    );
    let web = bench.pipeline("web").unwrap();
    assert_eq!(
        (&web["description"], &web["archived_at"]),
        (&json!("new"), &Value::Null)
    );
}

#[tokio::test]
async fn a_lost_answer_leads_to_no_second_pipeline() {
    for fault in [
        Fault::LostAnswer,
        Fault::StatusAfter(502),
        Fault::status(502),
    ] {
        let bench = Bench::new().await;
        bench.server.fail_when(fault, When::write());
        let rows = bench.accept("pipelines", &[shop()]).await;
        assert_eq!(rows[0]["outcome"], "created");
        assert!(bench.pipeline("shop").is_some());
    }
}

#[tokio::test]
async fn a_dry_run_shows_the_difference_and_changes_nothing() {
    let bench = Bench {
        is_dry: true,
        ..Bench::new().await
    };
    let record = json!({"slug": "web", "description": "new"});
    bench.write("pipelines", &[record, shop()]).await.unwrap();
    assert_eq!(bench.writes(), []);
    let rows = bench.results();
    let web = rows.iter().find(|row| row["pipeline"] == "web").unwrap();
    assert_eq!(web["differences"][0]["field"], "description");
    assert_eq!(web["differences"][0]["to"], "new");
    assert_eq!(web["requests"][0]["method"], "PATCH");
    let shop = rows.iter().find(|row| row["pipeline"] == "shop").unwrap();
    assert_eq!(shop["requests"][0]["method"], "POST");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_reason() {
    let bench = Bench::new().await;
    for (record, part) in [
        (json!({"name": "New"}), "repository"),
        (
            json!({"name": "Überprüfung", "repository": "r", "configuration": "steps: []"}),
            "`slug`",
        ),
        (json!({"name": "デプロイ", "repository": "r"}), "`slug`"),
        (json!({"repository": "r"}), "slug"),
        (
            json!({"slug": "web", "configuration": "a", "env": {"A": "1"}}),
            "ignores",
        ),
        (json!({"slug": "web", "colour": "red"}), "`colour`"),
        (
            json!({"slug": "new", "repository": "r", "configuration": " "}),
            "422",
        ),
    ] {
        let reason = bench.refuse("pipelines", record).await;
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(bench.writes().len(), 1);
}
