use connector_core::{Event, Outcome};
use serde_json::json;

use super::{Bench, build};

#[tokio::test]
async fn records_of_two_streams_that_are_mapped_are_never_the_same() {
    let bench = Bench::new().await.with("idempotency_key", json!(["/id"]));
    let fields = json!({"commit": "HEAD", "branch": "main"});
    let mapping = json!({
        "deploys": {"to": "builds", "fields": fields},
        "rollbacks": {"to": "builds", "fields": fields},
    });
    let bench = bench.with("mapping", mapping);
    bench.accept("deploys", &[json!({"id": 1})]).await;
    bench.accept("rollbacks", &[json!({"id": 1})]).await;
    bench.accept("rollbacks", &[json!({"id": 1})]).await;
    assert_eq!(bench.builds("web"), 2);
}

#[tokio::test]
async fn a_record_that_is_nested_without_end_is_refused() {
    let bench = Bench::new().await;
    let deep = format!(
        "{{\"commit\":{}{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let record = connector_core::Record::new(
        "builds".into(),
        connector_core::JsonObject::parse(&deep).unwrap(),
    );
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let outcomes = connector_core::Destination::write(&mut destination, vec![record]).await;
    let outcome = outcomes.unwrap().remove(0);
    assert!(matches!(outcome, Outcome::Rejected(why) if why.contains("deeply")));
}

#[tokio::test]
async fn only_the_named_parts_of_a_record_make_it_another() {
    let bench = Bench::new().await;
    let bench = bench.with("idempotency_key", json!(["/id"])).with(
        "mapping",
        json!({"rows": {"to": "builds", "fields": {
            "commit": "HEAD", "branch": "main", "message": "Deploy {{ version }}",
        }}}),
    );
    let records = [
        json!({"id": 1, "version": "a"}),
        json!({"id": 1, "version": "b"}),
        json!({"id": 2, "version": "b"}),
        json!({"version": "c"}),
    ];

    let outcomes = bench.write("rows", &records).await.unwrap();

    assert_eq!(bench.builds("web"), 2);
    let Outcome::Rejected(reason) = &outcomes[3] else {
        panic!("{outcomes:?}")
    };
    assert!(reason.contains("/id"), "{reason}");
    let results = bench.results();
    let first = results.iter().find(|row| row["outcome"] == "created");
    assert_eq!(first.unwrap()["answer"]["message"], "Deploy a");
}

#[tokio::test]
async fn fields_that_a_host_adds_are_left_out_with_a_notice() {
    let bench = Bench::new().await;
    let with = |modified: &str| {
        let mut record = build(1);
        record["_sdc_last_modified"] = modified.into();
        record
    };
    let rows = bench
        .accept("builds", &[with("today"), with("yesterday")])
        .await;
    assert_eq!(rows[1]["outcome"], "already_there");
    assert_eq!(bench.builds("web"), 1);
    let heard = bench.heard.0.lock().unwrap();
    let notices = heard.iter().filter(|event| {
        matches!(event, Event::Notice { message, .. }
        if message.contains("`_sdc_last_modified`"))
    });
    assert_eq!(notices.count(), 1);
}

#[tokio::test]
async fn a_record_out_of_sqlite_is_read_with_a_notice_for_each_field() {
    let bench = Bench::new().await;
    let from_sqlite = |number: usize| {
        let mut record = build(number);
        record["clean_checkout"] = 1.into();
        record["env"] = "{\"A\":\"1\"}".into();
        record
    };
    bench
        .accept("builds", &[from_sqlite(1), from_sqlite(2)])
        .await;
    let sent = bench.server.write_requests();
    let body: serde_json::Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!(body["clean_checkout"], true);
    assert_eq!(body["env"], json!({"A": "1"}));
    {
        let heard = bench.heard.0.lock().unwrap();
        for field in ["`clean_checkout`", "`env`"] {
            let is_notice = |event: &&Event| matches!(event, Event::Notice { message, .. } if message.contains(field));
            assert_eq!(heard.iter().filter(is_notice).count(), 1, "{field}");
        }
    }
    let mut bad = build(3);
    bad["env"] = "A=1".into();
    let reason = bench.refuse("builds", bad).await;
    assert!(
        reason.contains("`env`") && reason.contains("`mapping`"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_bad_record_is_rejected_with_its_reason_and_the_others_are_written() {
    let bench = Bench::new().await;
    bench
        .server
        .with_world(|world| world.set_branch_filter("acme", "api", "release/*"));
    let mut records: Vec<_> = (0..1_000).map(build).collect();
    for (position, record) in records
        .iter_mut()
        .enumerate()
        .filter(|(at, _)| at % 20 == 0)
    {
        match position / 20 % 4 {
            0 => drop(record.as_object_mut().unwrap().remove("commit")),
            1 => record["pipeline"] = "missing".into(),
            2 => record["env"] = json!({"A": 1}),
            _ => record["pipeline"] = "api".into(),
        }
    }

    let outcomes = bench.write("builds", &records).await.unwrap();

    let rejected = outcomes.iter().zip(&records);
    let rejected = rejected.filter_map(|(outcome, record)| match outcome {
        Outcome::Rejected(reason) => Some((reason, record)),
        _ => None,
    });
    let rejected: Vec<_> = rejected.collect();
    assert_eq!(rejected.len(), 50);
    assert_eq!(bench.builds("web"), 950);
    assert_eq!(bench.builds("api"), 0);
    for (reason, _) in &rejected {
        let known = ["`commit` is missing", "(404)", "`env.A`", "(422)"];
        assert!(known.iter().any(|part| reason.contains(part)), "{reason}");
    }
    assert_eq!(bench.results().len(), 1_000);

    // Mended, they are sent again from there, together with all the others.
    let mended = rejected.iter().map(|(_, record)| {
        let mut record = (*record).clone();
        record["commit"] = "HEAD".into();
        record["pipeline"] = "web".into();
        record["env"] = json!({"A": "1"});
        record
    });
    let mended: Vec<_> = mended.collect();
    bench.accept("builds", &mended).await;
    assert_eq!(bench.builds("web"), 1_000);
    bench.accept("builds", &mended).await;
    assert_eq!(bench.builds("web"), 1_000);
}
