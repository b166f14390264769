//! What a comparison finds in copies that are sound, or damaged.

use std::sync::Arc;

use connector_core::ErrorKind;
use connector_core::FindingKind::{Missing, Stale};
use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, seeded};
use crate::copy::Copy;
use crate::synced::{Synced, request};

#[tokio::test]
async fn a_sound_copy_has_nothing_to_find() {
    for builds in [1, 101, 950] {
        let synced = Synced::new(seeded(builds, 3)).await;
        for samples in [0, 3, u32::MAX] {
            synced.assert_nothing(samples).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_builds_are_compared_in_a_minute_of_requests() {
    let synced = Synced::new(World::seeded(&Seed {
        pipelines: 500,
        builds: 20_000,
        jobs_per_build: 0,
        ..Seed::default()
    }))
    .await;
    let before = synced.bench.server.requests().len();
    synced.assert_nothing(3).await;
    let asked = synced.bench.server.requests().len() - before;
    assert!(asked <= 20, "{asked}");

    let ids = synced.ids();
    for index in [0, 7_000, 19_999] {
        synced.copy.delete("builds", &ids[index]);
    }
    let before = synced.bench.server.requests().len();
    let found = synced.assert_only(Missing, 0).await;
    let asked = synced.bench.server.requests().len() - before;
    assert_eq!(found.len(), 3);
    assert!(asked <= 50, "{asked}");
}

#[tokio::test]
async fn a_deleted_row_is_found_wherever_it_was() {
    let synced = Synced::new(seeded(850, 1)).await;
    let ids = synced.ids();
    for index in [0, 1, 424, 848, 849] {
        let id = &ids[index];
        let kept = synced
            .copy
            .change(|rows| rows.remove(&("builds".into(), id.clone())));
        let found = synced.assert_only(Missing, 1).await;
        let places: Vec<_> = found.iter().map(|finding| finding.at.as_str()).collect();
        assert_eq!(places, [synced.place(id)], "{index}");
        assert_eq!(found[0].stream, "builds");
        synced
            .copy
            .change(|rows| rows.insert(("builds".into(), id.clone()), kept.expect("a row")));
    }
    synced.assert_nothing(1).await;
}

#[tokio::test]
async fn servers_that_cut_times_or_do_not_count_are_compared_all_the_same() {
    let token = mock_buildkite::DEMO_TOKEN;
    let builder = || MockBuildkite::builder(seeded(420, 1));
    let synced = Bench::started(builder().lists_are_cut_to_seconds(), token, json!({})).await;
    let synced = Synced::of(synced).await;
    synced.assert_nothing(u32::MAX).await;
    for index in [400, 200, 1] {
        synced.copy.delete("builds", &synced.ids()[index]);
    }
    assert_eq!(synced.assert_only(Missing, 0).await.len(), 3);

    let synced = Bench::started(builder().without_last_link(), token, json!({})).await;
    let synced = Synced::of(synced).await;
    synced.assert_nothing(3).await;
    let told = synced.verify(0).await.compared.join("\n");
    assert!(told.contains("the server does not report them"), "{told}");
    synced.copy.delete("builds", &synced.ids()[200]);
    synced.assert_only(Missing, u32::MAX).await;
}

#[tokio::test]
async fn many_deleted_rows_are_told_at_least_by_their_number() {
    let synced = Synced::new(seeded(1_500, 0)).await;
    let ids = synced.ids();
    for id in ids.iter().step_by(2) {
        synced.copy.delete("builds", id);
    }
    synced.assert_only(Missing, 0).await;
    for id in ids.iter().skip(1).step_by(2) {
        synced.copy.delete("builds", id);
    }
    synced.assert_only(Missing, 0).await;
}

#[tokio::test]
async fn a_row_set_back_to_running_is_stale() {
    let synced = Synced::new(seeded(400, 1)).await;
    let ids = synced.ids();
    let is_over =
        |row: &Value| ["passed", "failed", "canceled"].contains(&row.as_str().unwrap_or(""));
    let over: Vec<_> = ids
        .iter()
        .filter(|id| {
            let rows = synced.copy.of("builds");
            rows.iter()
                .any(|row| row["id"] == **id && is_over(&row["state"]))
        })
        .collect();
    for id in [over[0], over[over.len() / 2], over[over.len() - 1]] {
        let key = ("builds".to_owned(), id.clone());
        let kept = synced.copy.change(|rows| rows[&key].clone());
        synced.copy.set("builds", id, "state", "running".into());
        synced.copy.set("builds", id, "finished_at", Value::Null);
        let found = synced.assert_only(Stale, 0).await;
        assert_eq!((found.len(), found[0].at.as_str()), (1, &*synced.place(id)));
        assert!(
            found[0].message.contains("the copy says `running`"),
            "{}",
            found[0].message
        );
        synced.copy.change(|rows| rows.insert(key, kept));
    }
    for id in &over[..60] {
        synced.copy.set("builds", id, "state", "running".into());
        synced.copy.set("builds", id, "finished_at", Value::Null);
    }
    assert_eq!(synced.assert_only(Stale, 0).await.len(), 60);
}

/// A build whose only job was retried, among others.
fn with_a_retry() -> (World, String) {
    let mut world = seeded(250, 1);
    let made = world.create_build(
        BuildFixture::new("acme-inc", "retried")
            .state("failed")
            .job(JobFixture::script("Test").id("first").state("failed")),
    );
    assert!(world.retry_first_failed_job(&made.id).is_some());
    (world, made.id)
}

#[tokio::test]
async fn a_missing_attempt_is_found_without_a_request() {
    let (world, build) = with_a_retry();
    let synced = Synced::new(world).await;
    synced.assert_nothing(3).await;
    let jobs = synced.copy.of("jobs");
    let attempts = jobs.iter().filter(|row| row["build_id"] == build);
    let ids: Vec<_> = attempts
        .map(|row| row["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        let key = ("jobs".to_owned(), id.to_owned());
        let kept = synced.copy.change(|rows| rows.remove(&key)).expect("a row");
        let found = synced.assert_only(Missing, 0).await;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].stream.as_str(), &*found[0].at),
            ("jobs", "acme-inc/retried #1")
        );
        assert!(found[0].message.contains(id), "{}", found[0].message);
        synced.copy.change(|rows| rows.insert(key, kept));
    }
}

#[tokio::test]
async fn other_values_and_missing_jobs_are_found_by_content() {
    let synced = Synced::new(seeded(300, 2)).await;
    let builds = synced.copy.of("builds");
    let over = builds
        .iter()
        .find(|row| row["state"] == "passed")
        .expect("a build that passed");
    let id = over["id"].as_str().expect("an id");
    synced.copy.set("builds", id, "message", "changed".into());
    let found = synced.assert_only(Stale, u32::MAX).await;
    assert_eq!((found.len(), found[0].at.as_str()), (1, &*synced.place(id)));
    assert!(
        found[0].message.ends_with(": message"),
        "{}",
        found[0].message
    );
    synced
        .copy
        .set("builds", id, "message", over["message"].clone());

    let jobs = synced.copy.of("jobs");
    let job = jobs
        .iter()
        .find(|row| row["build_id"] == over["id"])
        .expect("a job");
    let job = job["id"].as_str().expect("an id");
    synced.copy.set("jobs", job, "agent", "another".into());
    synced.assert_nothing(u32::MAX).await;
    synced.copy.delete("jobs", job);
    let found = synced.assert_only(Missing, u32::MAX).await;
    assert_eq!(
        (found[0].stream.as_str(), &*found[0].at),
        ("jobs", &*synced.place(id))
    );
}

#[tokio::test]
async fn short_lists_are_compared_whole_but_for_their_counters() {
    let synced = Synced::new(seeded(50, 1)).await;
    let pipelines = synced.copy.of("pipelines");
    let id = pipelines[0]["id"].as_str().expect("an id");
    synced
        .copy
        .set("pipelines", id, "running_builds_count", 77.into());
    synced.assert_nothing(0).await;
    synced.copy.set("pipelines", id, "name", "another".into());
    let found = synced.assert_only(Stale, 0).await;
    assert!(found[0].message.ends_with(": name"), "{}", found[0].message);
    synced.copy.delete("pipelines", id);
    assert_eq!(synced.assert_only(Missing, 0).await[0].stream, "pipelines");
}

#[tokio::test]
async fn without_a_state_there_is_nothing_to_compare() {
    let bench = Bench::new(seeded(10, 1)).await;
    let copy = Arc::new(Copy::default());

    let refused = bench
        .source
        .verifiable()
        .unwrap()
        .verify(request(&STREAMS, None), copy, 3)
        .await;

    let error = refused.expect_err("nothing to compare");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("there is nothing to compare yet"));
    assert_eq!(bench.paths().len(), 0);
}
