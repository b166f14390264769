use mock_buildkite::{Fault, When};
use serde_json::{Value, json};

use super::{Bench, build};

/// A build of `web` with one step, and a block before it if wanted.
async fn with_build(steps: Value) -> Bench {
    let bench = Bench::new().await;
    bench
        .server
        .with_world(|world| world.set_steps("acme", "web", &steps));
    bench.accept("builds", &[build(1)]).await;
    bench
}

impl Bench {
    fn build(&self, number: u64) -> Value {
        let text = self.server.with_world(|world| {
            let id = world.build_id("acme", "web", number)?;
            world.build_json(&id)
        });
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    fn job(&self, index: usize) -> Value {
        self.build(1)["jobs"][index].clone()
    }

    fn count(&self, path: &str) -> usize {
        let writes = self.server.write_requests();
        writes
            .iter()
            .filter(|request| request.path.ends_with(path))
            .count()
    }
}

fn make() -> Value {
    json!([{"label": "Make", "command": "make"}])
}

#[tokio::test]
async fn a_build_is_canceled_once_whatever_is_lost() {
    let bench = with_build(make()).await;
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("PUT"));
    let record = json!({"number": 1});
    let rows = bench
        .accept("build_cancellations", std::slice::from_ref(&record))
        .await;
    assert!(["canceled", "canceling"].contains(&bench.build(1)["state"].as_str().unwrap()));
    assert_eq!(rows[0]["number"], 1);

    std::fs::remove_file(bench.path("journal")).unwrap();
    bench.accept("build_cancellations", &[record]).await;
    let reason = bench
        .refuse("build_cancellations", json!({"number": 9}))
        .await;
    assert!(reason.contains("(404)"), "{reason}");
}

#[tokio::test]
async fn a_build_that_has_passed_cannot_be_canceled() {
    let bench = with_build(make()).await;
    bench.server.with_world(|world| {
        world.set_build_timing(std::time::Duration::ZERO, std::time::Duration::ZERO);
    });
    bench.accept("builds", &[build(2)]).await;
    bench
        .server
        .clock()
        .advance(std::time::Duration::from_secs(60));
    bench.server.with_world(|_| {});
    assert_eq!(bench.build(2)["state"], "passed");
    let reason = bench
        .refuse("build_cancellations", json!({"number": 2}))
        .await;
    assert!(reason.contains("already finished"), "{reason}");
}

#[tokio::test]
async fn a_rebuild_is_made_once_and_two_records_make_two() {
    let bench = with_build(make()).await;
    let bench = bench.with("idempotency_key", json!(["/id"])).with(
        "mapping",
        json!({"again": {"to": "build_rebuilds", "fields": {"number": {"pointer": "/n"}}}}),
    );
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("PUT"));
    let records = [json!({"id": 1, "n": 1}), json!({"id": 2, "n": 1})];

    let rows = bench.accept("again", &records).await;
    assert_eq!(
        (&rows[0]["number"], &rows[1]["number"]),
        (&json!(2), &json!(3))
    );

    let rows = bench.accept("again", &records).await;
    assert_eq!(rows[1]["outcome"], "already_there");
    let bench = bench.with("journal", "");
    let rows = bench.accept("again", &records).await;
    assert_eq!(rows[1]["outcome"], "already_there");
    assert_eq!(bench.count("/rebuild"), 2);
}

#[tokio::test]
async fn a_rebuild_that_somebody_else_made_is_none_of_ours() {
    let bench = with_build(make()).await;
    let others = |bench: &Bench| {
        bench.server.with_world(|world| {
            let original = world.build_id("acme", "web", 1).unwrap();
            let made = world.rebuild(&original).unwrap();
            let eve = json!({"id": "e", "name": "Eve", "email": "eve@example.com"});
            world.change_build(&made.id, |build| build.set("creator", eve));
        });
    };
    others(&bench);
    let record = json!({"number": 1});
    let rows = bench
        .accept("build_rebuilds", std::slice::from_ref(&record))
        .await;
    assert_eq!(rows[0]["outcome"], "created");
    assert_eq!(rows[0]["number"], 3);

    // Without a journal: not those of others, but one of one's own.
    let bench = bench.with("journal", "");
    others(&bench);
    let rows = bench.accept("build_rebuilds", &[record]).await;
    assert_eq!(rows[0]["outcome"], "already_there");
    assert_eq!(rows[0]["number"], 3);
    assert_eq!(bench.count("/rebuild"), 1);
}

#[tokio::test]
async fn a_job_is_retried_once() {
    let bench = with_build(make()).await;
    let id = bench.job(0)["id"].as_str().unwrap().to_owned();
    bench.server.with_world(|world| {
        let build = world.build_id("acme", "web", 1).unwrap();
        world.start_build(&build);
        world.fail_job(&build);
    });
    let record = json!({"number": 1, "job_id": id});
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("PUT"));
    bench
        .accept("job_retries", std::slice::from_ref(&record))
        .await;
    std::fs::remove_file(bench.path("journal")).unwrap();
    bench.accept("job_retries", &[record]).await;
    let jobs = bench.build(1)["jobs"].as_array().unwrap().len();
    assert_eq!(jobs, 2, "one job and its one retry");

    let retry = bench.job(1)["id"].clone();
    let reason = bench
        .refuse("job_retries", json!({"number": 1, "job_id": retry}))
        .await;
    assert!(reason.contains("can be retried"), "{reason}");
}

#[tokio::test]
async fn a_step_is_unblocked_once_with_its_fields() {
    let bench = with_build(json!([{"block": "Go?", "fields": [{"key": "v"}]}, "make"])).await;
    let id = bench.job(0)["id"].clone();
    let record = json!({"number": 1, "job_id": id, "fields": {"v": "1.2"}});
    bench
        .server
        .fail_when(Fault::StatusAfter(500), When::method("PUT"));
    bench
        .accept("job_unblocks", std::slice::from_ref(&record))
        .await;
    assert_eq!(bench.build(1)["meta_data"]["v"], "1.2");
    std::fs::remove_file(bench.path("journal")).unwrap();
    bench.accept("job_unblocks", &[record]).await;
    assert_eq!(bench.job(0)["state"], "unblocked");
}

#[tokio::test]
async fn a_build_is_annotated_once() {
    let bench = with_build(make()).await;
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("POST"));
    let record = json!({"number": 1, "body": "Done", "style": "success"});
    bench
        .accept("annotations", std::slice::from_ref(&record))
        .await;
    std::fs::remove_file(bench.path("journal")).unwrap();
    bench
        .accept(
            "annotations",
            &[record, json!({"number": 1, "body": "Other"})],
        )
        .await;
    let path = "/v2/organizations/acme/pipelines/web/builds/1/annotations";
    assert_eq!(bench.annotations().await.len(), 2, "{path}");
}

impl Bench {
    pub(super) async fn annotations(&self) -> Vec<Value> {
        let mut config = self.keys.clone();
        for key in ["organization", "pipeline", "journal"] {
            config.as_object_mut().unwrap().remove(key);
        }
        let config = connector_core::Configuration::new(config).unwrap();
        let config = crate::config::Config::parse(config, None).unwrap();
        let client = crate::connection::client(&config).unwrap();
        let path = "v2/organizations/acme/pipelines/web/builds/1/annotations";
        let path: Vec<_> = path.split('/').collect();
        serde_json::from_str(client.object(&path).await.unwrap().get()).unwrap()
    }
}

#[tokio::test]
async fn an_annotation_that_is_too_large_is_refused_before_it_is_sent() {
    for is_dry in [false, true] {
        let bench = Bench {
            is_dry,
            ..Bench::new().await
        };
        let context = json!({"number": 1, "body": "x", "context": "é".repeat(101)});
        let body = json!({"number": 1, "body": "x".repeat(1024 * 1024 + 1)});
        for (record, field) in [(context, "`context`"), (body, "`body`")] {
            let reason = bench.refuse("annotations", record).await;
            assert!(reason.contains(field), "{reason}");
        }
        assert_eq!(bench.count("/annotations"), 0);
    }
}

#[tokio::test]
async fn text_that_is_added_is_never_added_twice_and_a_lost_answer_is_reported() {
    let bench = with_build(make()).await;
    let record = json!({"number": 1, "body": "More", "context": "c", "append": true});
    bench
        .server
        .fail_when(Fault::LostAnswer, When::method("POST"));
    for _ in 0..2 {
        let reason = bench.refuse("annotations", record.clone()).await;
        assert!(reason.contains("nothing can tell"), "{reason}");
    }
    assert_eq!(bench.count("/annotations"), 1);
    assert_eq!(bench.results().last().unwrap()["outcome"], "unknown");
}

#[tokio::test]
async fn a_pipeline_is_archived_and_brought_back_each_time_it_is_wanted() {
    let bench = Bench::new().await;
    for archived in [true, true, false, true] {
        bench.server.fail_when(Fault::LostAnswer, When::write());
        bench
            .accept("pipeline_archivals", &[json!({"archived": archived})])
            .await;
        bench.server.clear_faults();
        let web = bench
            .server
            .with_world(|world| world.pipeline_json("acme", "web").unwrap());
        let web: Value = serde_json::from_str(&web).unwrap();
        assert_eq!(web["archived_at"].is_string(), archived);
    }
    assert_eq!(bench.server.write_requests().len(), 3);
}

#[tokio::test]
async fn a_request_that_was_surely_not_done_is_sent_by_the_next_run() {
    let bench = Bench::new().await.with("allow", json!(["requests"]));
    let record = json!({"method": "POST", "path": "pipelines/web/archive"});
    bench
        .server
        .fail_when(Fault::status(401), When::method("POST"));
    let error = bench.write("requests", std::slice::from_ref(&record)).await;
    assert_eq!(error.unwrap_err().kind(), connector_core::ErrorKind::Auth);
    bench.accept("requests", &[record]).await;
}

#[tokio::test]
async fn any_other_request_must_be_allowed() {
    let bench = Bench::new().await;
    let post = json!({"method": "POST", "path": "/pipelines/web/archive"});
    let delete = json!({"method": "DELETE", "path": "pipelines/web"});
    let reason = bench.refuse("requests", post.clone()).await;
    assert!(reason.contains("\"requests\""), "{reason}");

    let bench = bench.with("allow", json!(["requests"]));
    let reason = bench.refuse("requests", delete.clone()).await;
    assert!(reason.contains("\"delete_requests\""), "{reason}");
    for path in ["../other", "pipelines//web", "pipelines?x=1", ""] {
        let reason = bench
            .refuse("requests", json!({"method": "POST", "path": path}))
            .await;
        assert!(reason.contains("`path`"), "{reason}");
    }
    bench.accept("requests", &[post]).await;

    let bench = bench.with("allow", json!(["delete_requests"]));
    bench.accept("requests", &[delete]).await;
    assert!(
        bench
            .server
            .with_world(|world| world.pipeline_json("acme", "web").is_none())
    );
}
