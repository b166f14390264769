//! Builds whose text is not what the API documents, and rows that were read under another setting:
//! the rest is read, and nothing is silent.

use mock_buildkite::{BuildFixture, JobFixture, World};
use serde_json::{Value, json};

use crate::bench::seeded;
use crate::synced::{Synced, pass};

fn spoil(synced: &Synced, id: &str, field: &str, value: Value) -> Value {
    synced.bench.server.with_world(|world| {
        let mut before = Value::Null;
        assert!(world.change_build(id, |build| {
            before = build.get(field);
            build.set(field, value);
        }));
        before
    })
}

fn row(synced: &Synced, id: &str) -> Option<serde_json::Map<String, Value>> {
    let mut rows = synced.copy.of("builds").into_iter();
    rows.find(|row| row["id"] == id)
}

fn add(synced: &Synced, count: usize) -> Vec<String> {
    let create = |world: &mut World| {
        world.clock().advance(std::time::Duration::from_secs(61));
        let job = JobFixture::script("Test").state("running");
        let build = BuildFixture::new("acme-inc", "web")
            .state("running")
            .job(job);
        world.create_build(build).id
    };
    let server = &synced.bench.server;
    (0..count).map(|_| server.with_world(create)).collect()
}

#[tokio::test]
async fn one_odd_build_leaves_the_stream_incomplete_until_it_can_be_read() {
    for (field, odd) in [("number", json!("twelve")), ("number", json!(-1))] {
        let mut synced = Synced::new(seeded(120, 1)).await;
        let added = add(&synced, 3);
        let good = spoil(&synced, &added[1], field, odd);

        synced.sync().await;

        assert!(row(&synced, &added[0]).is_some() && row(&synced, &added[2]).is_some());
        assert_eq!(row(&synced, &added[1]), None, "{field}");
        assert!(synced.incomplete.contains("builds") && synced.incomplete.contains("jobs"));
        let told = synced.notices().join("\n");
        assert!(
            told.contains(&format!("`{field}`")) && told.contains("/builds"),
            "{told}"
        );

        // It stays listed, however much comes after it.
        add(&synced, 130);
        synced.sync().await;
        assert!(synced.incomplete.contains("builds"), "{field}");

        spoil(&synced, &added[1], field, good);
        synced.sync().await;
        assert_eq!(synced.incomplete.len(), 0, "{field}");
        assert!(row(&synced, &added[1]).is_some(), "{field}");
        synced.assert_nothing(3).await;
        synced.sync().await;
        assert_eq!(synced.incomplete.len(), 0, "{field}");
    }
}

#[tokio::test]
async fn an_open_build_that_becomes_odd_is_not_marked_as_removed() {
    let mut synced = Synced::new(seeded(20, 1)).await;
    let added = add(&synced, 2);
    synced.sync().await;
    for (field, odd) in [("number", json!("twelve")), ("number", json!([]))] {
        let good = spoil(&synced, &added[0], field, odd);
        synced.sync().await;
        assert!(synced.incomplete.contains("builds"), "{field}");
        spoil(&synced, &added[0], field, good);
        synced.sync().await;
        assert_eq!(
            (synced.tombstones, synced.incomplete.len()),
            (0, 0),
            "{field}"
        );
    }
}

#[tokio::test]
async fn a_build_that_does_not_tell_when_it_was_created_is_found_again() {
    let mut world = seeded(150, 1);
    let odd = world.build_ids()[149].clone();
    let mut good = Value::Null;
    assert!(world.change_build(&odd, |build| {
        good = build.get("created_at");
        build.set("created_at", "yesterday");
    }));
    let mut synced = Synced::new(world).await;
    for _ in 0..2 {
        assert!(synced.incomplete.contains("builds"));
        assert_eq!(row(&synced, &odd), None);
        add(&synced, 101);
        synced.sync().await;
    }

    spoil(&synced, &odd, "created_at", good);
    synced.sync().await;

    assert!(row(&synced, &odd).is_some());
    assert_eq!(synced.incomplete.len(), 0);
}

#[tokio::test]
async fn a_first_read_with_an_odd_build_on_each_page_reads_all_others() {
    let mut synced = Synced::new(seeded(1, 0)).await;
    let added = add(&synced, 250);
    for id in added.iter().step_by(60) {
        spoil(&synced, id, "number", json!("7"));
    }
    synced.state = None;

    synced.sync().await;

    assert_eq!(synced.copy.of("builds").len(), 251 - 5);
    assert!(synced.incomplete.contains("builds"));
}

#[tokio::test]
async fn another_choice_of_sensitive_fields_is_told_until_everything_is_read_again() {
    let about = |synced: &Synced| {
        let told = synced.notices().into_iter();
        let told = told.filter(|one| one.contains("include_sensitive"));
        told.collect::<Vec<_>>()
    };
    let settings = |shown: Value| json!({"include_sensitive": shown});
    let mut synced = Synced::with(seeded(20, 1), settings(json!([]))).await;
    synced.sync().await;
    assert_eq!(about(&synced).len(), 0);

    synced.source = synced.bench.open(settings(json!(["env", "emails"]))).await;
    synced.sync().await;
    pass(&synced.bench.server, 10);
    synced.sync().await;

    let told = about(&synced);
    assert_eq!(told.len(), 2, "as long as the copy has such rows");
    assert!(
        told[0].contains("[emails, env]") && told[0].contains("was []"),
        "{told:?}"
    );
    assert!(told[0].contains("--restart"), "{told:?}");

    synced.state = None;
    synced.sync().await;
    synced.sync().await;
    assert_eq!(about(&synced).len(), 2, "everything was read again");
    synced.source = synced.bench.open(settings(json!([]))).await;
    synced.sync().await;
    assert!(about(&synced)[2].contains("was [emails, env]"));
}
