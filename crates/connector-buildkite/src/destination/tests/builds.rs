use connector_core::ErrorKind;
use mock_buildkite::{Fault, MockBuildkite, Token, When, World};
use serde_json::{Value, json};

use super::{Bench, build};

#[tokio::test]
async fn a_record_triggers_a_build_with_all_of_its_fields() {
    let bench = Bench::new().await;
    let record = json!({
        "commit": "abc", "branch": "main", "message": "Deploy", "pipeline": "api",
        "author": {"name": "Ada", "email": "ada@example.com"}, "env": {"A": "1"},
        "meta_data": {"n": 7, "big": 12345678901234567890123_f64}, "clean_checkout": true,
    });

    let rows = bench.accept("builds", &[record]).await;

    assert_eq!(rows[0]["outcome"], "created");
    assert_eq!((bench.builds("web"), bench.builds("api")), (0, 1));
    let id = rows[0]["answer"]["id"].as_str().unwrap();
    let made = bench
        .server
        .with_world(|world| world.build_json(id).unwrap());
    let made: Value = serde_json::from_str(&made).unwrap();
    for (field, value) in [
        ("commit", json!("abc")),
        ("message", json!("Deploy")),
        ("env", json!({"A": "1"})),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert_eq!(made["meta_data"]["n"], "7");
    assert_eq!(made["meta_data"]["idempotency-key"], rows[0]["key"]);
    assert_eq!(made["number"], rows[0]["number"]);
    let kept = bench.results();
    assert_eq!(kept[0]["number"], rows[0]["number"]);
    // Sensitive values are masked.
    assert_eq!(kept[0]["answer"]["env"]["A"], "[masked]");
}

#[tokio::test]
async fn a_number_of_any_size_gets_into_the_meta_data_as_it_was_written() {
    let bench = Bench::new().await;
    let text = r#"{"commit":"a","branch":"b","meta_data":{"big":12345678901234567890123}}"#;
    let record = connector_core::Record::new(
        "builds".into(),
        connector_core::JsonObject::parse(text).unwrap(),
    );
    let mut destination = bench.open().unwrap();
    start(&mut destination, "builds").await;
    connector_core::Destination::write(&mut destination, vec![record])
        .await
        .unwrap();

    let sent = bench.server.write_requests();
    let body = &sent[0].body;
    assert!(body.contains(r#""big":12345678901234567890123"#), "{body}");
}

pub(super) async fn start(destination: &mut impl connector_core::Destination, stream: &str) {
    destination
        .start(&super::plan("test", stream))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_same_record_twice_is_one_build() {
    let bench = Bench::new().await;

    let rows = bench
        .accept("builds", &[build(1), build(2), build(1)])
        .await;
    let outcomes: Vec<_> = rows.iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["created", "created", "already_there"]);
    assert_eq!(rows[0]["number"], rows[2]["number"]);

    let rows = bench.accept("builds", &[build(2)]).await;
    assert_eq!(rows[0]["outcome"], "already_there");
    assert_eq!(bench.builds("web"), 2);
}

#[tokio::test]
async fn the_same_record_is_one_build_also_when_the_journal_is_gone() {
    let bench = Bench::new().await;
    bench.accept("builds", &[build(1), build(2)]).await;

    std::fs::remove_file(bench.path("journal")).unwrap();
    let rows = bench.accept("builds", &[build(1), build(3)]).await;
    assert_eq!(rows[0]["outcome"], "already_there");
    assert_eq!(rows[0]["number"], 1);
    assert_eq!(rows[1]["outcome"], "created");

    let bench = bench.with("journal", "");
    let rows = bench
        .accept("builds", &[build(1), build(2), build(3)])
        .await;
    assert!(rows.iter().all(|row| row["outcome"] == "already_there"));
    assert_eq!(bench.builds("web"), 3);
}

#[tokio::test]
async fn a_record_costs_one_request_and_a_run_one_list() {
    let bench = Bench::new().await;
    let mut seen = 0;
    let records: Vec<_> = (0..20).map(build).collect();
    bench.accept("builds", &records[..10]).await;
    let methods = bench.methods(&mut seen);
    assert_eq!(methods.iter().filter(|one| *one == "GET").count(), 1);
    assert_eq!(methods.iter().filter(|one| *one == "POST").count(), 10);

    bench.accept("builds", &records[..10]).await;
    assert_eq!(
        bench.methods(&mut seen),
        [""; 0],
        "what the journal knows costs nothing"
    );

    bench.accept("builds", &records).await;
    let methods = bench.methods(&mut seen);
    assert_eq!(methods.iter().filter(|one| *one == "GET").count(), 1);
    assert_eq!(methods.iter().filter(|one| *one == "POST").count(), 10);
}

#[tokio::test]
async fn many_builds_of_before_cost_few_records_little() {
    let bench = Bench::new().await;
    let records: Vec<_> = (0..450).map(build).collect();
    bench.accept("builds", &records).await;
    std::fs::remove_file(bench.path("journal")).unwrap();
    let mut seen = 0;
    bench.methods(&mut seen);

    let rows = bench.accept("builds", &[build(0), build(1000)]).await;

    assert_eq!(rows[0]["outcome"], "already_there");
    assert_eq!(rows[1]["outcome"], "created");
    // Each: a page of the list, and a list by key.
    let methods = bench.methods(&mut seen);
    assert_eq!(methods, ["GET", "GET", "GET", "GET", "POST"]);

    std::fs::remove_file(bench.path("journal")).unwrap();
    bench.accept("builds", &records).await;
    let methods = bench.methods(&mut seen);
    assert!(
        methods.len() <= 12,
        "{}: five pages, and few lists by key",
        methods.len()
    );
}

#[tokio::test]
async fn a_filter_that_filters_nothing_makes_no_second_build() {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    world.hold_builds();
    let builder = MockBuildkite::builder(world).without_meta_data_filter();
    let builder = builder
        .rate_limit_organization(100_000)
        .rate_limit_user(100_000);
    let bench = Bench::over(builder.start().await.unwrap());
    let records: Vec<_> = (0..250).map(build).collect();
    bench.accept("builds", &records).await;

    std::fs::remove_file(bench.path("journal")).unwrap();
    let rows = bench.accept("builds", &records[..1]).await;
    assert_eq!(
        rows[0]["outcome"], "already_there",
        "on the last page of the list"
    );
    bench.server.fail_when(Fault::LostAnswer, When::write());
    bench.accept("builds", &[build(250)]).await;
    assert_eq!(bench.builds("web"), 251);
}

#[tokio::test]
async fn a_list_that_was_refused_once_is_asked_for_again() {
    let bench = Bench::new().await;
    let records: Vec<_> = (0..150).map(build).collect();
    bench.accept("builds", &records).await;
    for page in [2, 3] {
        std::fs::remove_file(bench.path("journal")).unwrap();
        let mut seen = 0;
        bench.server.on_request(move |_, world| {
            seen += 1;
            // The first is that for the token.
            let shown = ["read_builds", "write_builds"];
            let scopes = if seen == page {
                &shown[1..]
            } else {
                &shown[..]
            };
            world.change_token(mock_buildkite::DEMO_TOKEN, |token| {
                token.scopes(scopes.to_vec())
            });
        });
        bench.write("builds", &records[..5]).await.unwrap();
        bench.server.on_request(|_, _| {});
        bench
            .server
            .add_token(Token::new(mock_buildkite::DEMO_TOKEN));
        assert_eq!(bench.builds("web"), 150, "page {page}");
    }
}

#[tokio::test]
async fn a_file_of_something_else_is_no_journal_and_stays_as_it_is() {
    let bench = Bench::new().await;
    std::fs::write(bench.path("journal"), "{\"dear\": \"user\"}").unwrap();
    let error = bench.write("builds", &[build(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let text = std::fs::read_to_string(bench.path("journal")).unwrap();
    assert_eq!(text, "{\"dear\": \"user\"}");
}

#[tokio::test]
async fn records_of_one_pipeline_keep_their_order() {
    let bench = Bench::new().await;
    let records: Vec<_> = (0..60)
        .map(|number| {
            let mut record = build(number);
            record["pipeline"] = ["web", "api"][number % 2].into();
            record
        })
        .collect();
    bench.accept("builds", &records).await;
    let sent = bench.server.write_requests();
    for pipeline in ["web", "api"] {
        let path = format!("/pipelines/{pipeline}/");
        let of_pipeline = sent.iter().filter(|request| request.path.contains(&path));
        let numbers: Vec<u64> = of_pipeline
            .map(|request| {
                let body: Value = serde_json::from_str(&request.body).unwrap();
                let message = body["message"].as_str().unwrap();
                message.rsplit(' ').next().unwrap().parse().unwrap()
            })
            .collect();
        assert!(numbers.is_sorted() && numbers.len() == 30, "{numbers:?}");
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_refused_before_anything_is_sent() {
    let bench = Bench::new().await;
    let token = Token::new(bench.server.token()).scopes(["read_builds"]);
    bench.server.add_token(token);
    let error = bench.write("builds", &[build(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("write_builds"), "{error}");
}

#[tokio::test]
async fn a_pipeline_that_may_only_be_read_is_a_reason_to_refuse_a_record() {
    let bench = Bench::new().await;
    let token = Token::new(bench.server.token()).read_only_pipeline("acme", "web");
    bench.server.add_token(token);
    let reason = bench.refuse("builds", build(1)).await;
    assert!(reason.contains("(403)"), "{reason}");
    bench
        .server
        .with_world(|world| world.set_archived("acme", "api", true));
    let mut record = build(1);
    record["pipeline"] = "api".into();
    let reason = bench.refuse("builds", record).await;
    assert!(reason.contains("(422)"), "{reason}");
}

#[tokio::test]
async fn without_a_name_the_journal_is_in_the_data_folder_of_the_user() {
    let mut bench = Bench::new().await;
    bench.keys.as_object_mut().unwrap().remove("journal");
    bench.accept("builds", &[build(1)]).await;
    let rows = bench.accept("builds", &[build(1)]).await;
    assert_eq!(rows[0]["outcome"], "already_there");
    let journals = std::fs::read_dir(bench.path("data/journals")).unwrap();
    let names: Vec<_> = journals
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].ends_with("-acme.jsonl"), "{names:?}");
}

#[tokio::test]
async fn the_state_of_the_source_is_kept_in_the_journal() {
    use connector_core::{Destination, State, WritePlan};
    let bench = Bench::new().await;
    let plan = WritePlan::new("nightly", []);
    let state = State::new("acme", 3);
    let mut destination = bench.open().unwrap();
    assert_eq!(destination.start(&plan).await.unwrap(), None);
    destination.commit(Some(&state)).await.unwrap();
    drop(destination);
    let mut destination = bench.open().unwrap();
    assert_eq!(destination.start(&plan).await.unwrap(), Some(state));
}
