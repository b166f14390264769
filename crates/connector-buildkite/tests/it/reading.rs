//! A read of everything equals the fake, field by field.

use std::collections::BTreeMap;

use connector_core::{Event, Message, Status};
use mock_buildkite::{BuildFixture, JobFixture};
use serde_json::Value;

use crate::bench::{Bench, STREAMS, next, records, request, seeded};
use crate::truth::{ids, list, truth};

#[tokio::test]
async fn every_record_of_every_stream_equals_the_fake_as_text() {
    let mut world = seeded(230, 3);
    world.create_build(
        BuildFixture::new("acme-inc", "widgets")
            .message("a \"quoted\" — текст 🛠\nwith lines")
            .field("header_times", [9_007_199_254_740_993_u64, u64::MAX])
            .field(
                "not_yet_known",
                serde_json::json!({"z": 1.5, "a": [null, {}]}),
            )
            .job(JobFixture::waiter())
            .job(JobFixture::manual("Release?").state("blocked"))
            .job(JobFixture::script("Test").field("not_yet_known", 1))
            .job(JobFixture::trigger("Deploy")),
    );
    let bench = Bench::new(world).await;
    let expected = truth(&bench.server, "acme-inc");

    let messages = bench.read(&STREAMS).await;

    let organizations = list(&bench.server, &["v2", "organizations"]).await;
    assert_eq!(records(&messages, "organizations"), organizations);
    let path = ["v2", "organizations", "acme-inc", "pipelines"];
    let pipelines: Vec<_> = list(&bench.server, &path)
        .await
        .iter()
        .map(|text| {
            let fields = text.strip_suffix('}').unwrap();
            format!(r#"{fields},"organization_slug":"acme-inc"}}"#)
        })
        .collect();
    assert_eq!(records(&messages, "pipelines"), pipelines);
    for (stream, expected) in [("builds", expected.builds), ("jobs", expected.jobs)] {
        let found = records(&messages, stream);
        assert_eq!(found.len(), expected.len(), "{stream}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{stream}");
        }
    }
}

#[tokio::test]
async fn each_stream_starts_before_its_records_and_is_complete_behind_them() {
    let bench = Bench::new(seeded(120, 2)).await;

    let messages = bench.read(&STREAMS).await;

    for name in STREAMS {
        let at = |wanted: Status| {
            let is_it = |message: &Message| matches!(message, Message::Status(of, status) if *of == name && *status == wanted);
            let places: Vec<_> = (0..messages.len())
                .filter(|i| is_it(&messages[*i]))
                .collect();
            assert_eq!(places.len(), 1, "{name}: {wanted:?}");
            places[0]
        };
        let (started, complete) = (at(Status::Started), at(Status::Complete));
        let is_record =
            |message: &Message| matches!(message, Message::Record(record) if record.stream == name);
        let mut places = (0..messages.len()).filter(|i| is_record(&messages[*i]));
        assert!(
            places.all(|place| started < place && place < complete),
            "{name}"
        );
    }
}

#[tokio::test]
async fn keys_are_unique_and_values_are_of_the_types_that_the_schema_says() {
    let bench = Bench::new(seeded(150, 30)).await;
    let catalog = bench.source.discover().await.unwrap();

    let messages = bench.read(&STREAMS).await;

    for stream in catalog.streams {
        let found = records(&messages, stream.name.as_str());
        assert_eq!(ids(&found).len(), found.len());
        for record in found {
            let record: Value = serde_json::from_str(record).unwrap();
            for required in stream.json_schema["required"].as_array().unwrap() {
                let key = required.as_str().unwrap();
                assert!(!record[key].is_null(), "{}.{key}", stream.name);
            }
            let properties = &stream.json_schema["properties"];
            for (key, value) in record.as_object().unwrap() {
                assert!(
                    is_of(value, &properties[key]["type"]),
                    "{}.{key}: {value}",
                    stream.name
                );
            }
        }
    }
}

/// Whether a value has one of the types; a schema that names none allows all.
fn is_of(value: &Value, types: &Value) -> bool {
    let is_one = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    match types {
        Value::Null => true,
        Value::Array(types) => types.iter().any(is_one),
        one => is_one(one),
    }
}

#[tokio::test]
async fn a_small_world_is_three_requests_for_all_four_streams() {
    let bench = Bench::new(seeded(50, 3)).await;

    bench.read(&STREAMS).await;

    assert_eq!(
        bench.paths(),
        [
            "/v2/organizations",
            "/v2/organizations/acme-inc/pipelines",
            "/v2/organizations/acme-inc/builds",
        ]
    );
    let is_request = |event: &&Event| matches!(event, Event::Request { .. });
    assert_eq!(bench.events().iter().filter(is_request).count(), 3);
}

#[tokio::test]
async fn each_request_is_told_with_the_stream_it_is_for() {
    let bench = Bench::new(seeded(250, 1)).await;

    bench.read(&STREAMS).await;

    let mut requests: BTreeMap<String, u32> = BTreeMap::new();
    for event in bench.events() {
        if let Event::Request { stream } = event {
            *requests.entry(stream.unwrap().to_string()).or_default() += 1;
        }
    }
    let expected = [("builds", 3), ("organizations", 1), ("pipelines", 1)];
    assert_eq!(
        requests,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
}

#[tokio::test]
async fn builds_alone_come_without_asking_for_jobs() {
    let bench = Bench::new(seeded(150, 3)).await;

    let messages = bench.read(&["builds"]).await;

    assert_eq!(
        records(&messages, "builds"),
        truth(&bench.server, "acme-inc").builds
    );
    assert_eq!(records(&messages, "jobs"), Vec::<&str>::new());
    let of_builds = |one: &&mock_buildkite::SeenRequest| one.path.ends_with("/builds");
    for request in bench.server.requests().iter().filter(of_builds) {
        assert!(
            request.query.contains("exclude_jobs=true"),
            "{}",
            request.query
        );
    }
}

#[tokio::test]
async fn jobs_alone_come_without_their_builds() {
    let bench = Bench::new(seeded(150, 12)).await;

    let messages = bench.read(&["jobs"]).await;

    assert_eq!(
        records(&messages, "jobs"),
        truth(&bench.server, "acme-inc").jobs
    );
    assert_eq!(records(&messages, "builds"), Vec::<&str>::new());
}

#[tokio::test]
async fn the_estimate_ends_at_the_number_of_records() {
    let bench = Bench::new(seeded(420, 2)).await;

    let messages = bench.read(&["builds", "jobs"]).await;

    for stream in ["builds", "jobs"] {
        let estimate = |event: Event| match event {
            Event::Estimate {
                stream: of,
                records,
            } if of == stream => Some(records),
            _ => None,
        };
        let estimates: Vec<_> = bench.events().into_iter().filter_map(estimate).collect();
        let found = records(&messages, stream).len() as u64;
        assert!(
            estimates[0].abs_diff(found) <= found / 4,
            "{stream}: {estimates:?}"
        );
        assert_eq!(estimates.last(), Some(&found), "{stream}");
    }
}

#[tokio::test]
async fn a_read_that_is_dropped_sends_nothing_more() {
    let bench = Bench::new(seeded(700, 1)).await;
    let mut reading = bench.source.read(request(&STREAMS));
    for _ in 0..100 {
        next(&mut reading).await.unwrap().unwrap();
    }
    let before = bench.server.requests().len();

    drop(reading);

    // Two other requests come and go; if the read went on, its own would be there too.
    bench.source.check().await.unwrap();
    assert_eq!(bench.server.requests().len(), before + 2);
}
