//! What looks like an error to a comparison and is none: gaps in numbering, builds that Buildkite
//! has forgotten, and all that is not synced yet.

use std::sync::Arc;
use std::time::Duration;

use connector_core::FindingKind::{Harmless, Missing, Removed};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, JobFixture, Seed, World};
use serde_json::{Value, json};

use crate::bench::{STREAMS, checkpoints, seeded};
use crate::synced::{Synced, pass, request};

#[tokio::test]
async fn numbers_that_were_never_given_out_are_harmless() {
    let mut world = World::empty();
    for number in [1, 2, 3, 5, 6, 9, 10] {
        world.clock().advance(Duration::from_secs(60));
        world.create_build(
            BuildFixture::new("acme-inc", "web")
                .number(number)
                .state("passed"),
        );
    }
    let synced = Synced::new(world).await;

    let found = synced.assert_only(Harmless, 3).await;

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at, "acme-inc/web");
    assert!(
        found[0]
            .message
            .ends_with("3 missing numbers either: 4, 7-8"),
        "{}",
        found[0].message
    );

    synced.copy.delete("builds", &synced.ids()[1]);
    let found = synced.verify(0).await.findings;
    let kinds: Vec<_> = found
        .iter()
        .map(|finding| (finding.kind, finding.at.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [(Missing, "acme-inc/web #9"), (Harmless, "acme-inc/web")]
    );
}

#[tokio::test]
async fn builds_that_aged_out_are_gone_and_no_error() {
    let synced = Synced::new(seeded(600, 1)).await;
    let aged = synced.bench.server.with_world(|world| {
        let text = world.build_json(&world.build_ids()[400]).expect("a build");
        let build: Value = serde_json::from_str(&text).expect("JSON");
        let before = build["created_at"].as_str().expect("a time").parse();
        world.age_out(before.expect("a time"))
    });
    assert_eq!(aged, 199);

    let found = synced.assert_only(Removed, 3).await;

    let told: u64 = found
        .iter()
        .map(|finding| finding.message.split(' ').next().expect("a number"))
        .map(|number| number.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(told, 199, "{found:#?}");
    let ids = synced.ids();
    synced.copy.delete("builds", &ids[100]);
    let found = synced.assert_only(Missing, 0).await;
    assert_eq!(found[0].at, synced.place(&ids[100]));
}

#[tokio::test]
async fn a_build_that_is_marked_as_gone_is_not_missing() {
    let mut world = seeded(200, 2);
    let fixture = BuildFixture::new("acme-inc", "web").state("running");
    let made = world.create_build(fixture.job(JobFixture::script("Test").state("running")));
    let mut synced = Synced::new(world).await;
    synced
        .bench
        .server
        .with_world(|world| assert!(world.remove_build(&made.id)));
    synced.sync().await;
    synced.assert_nothing(3).await;
}

/// All that may happen to builds between a sync and a comparison.
fn change(world: &mut World) {
    world.skipped_builds_have_no_end(true);
    let ids = world.build_ids();
    for id in &ids[..40] {
        world.finish_build(id, "passed");
    }
    for id in &ids[40..120] {
        world.retry_first_failed_job(id);
    }
    for id in &ids[40..80] {
        world.finish_build(id, "failed");
    }
    for id in &ids[120..160] {
        world.cancel_build(id);
    }
    for _ in 0..130 {
        world.clock().advance(Duration::from_secs(1));
        world.create_build(BuildFixture::new("acme-inc", "new").job(JobFixture::script("Test")));
    }
}

#[tokio::test]
async fn what_is_not_synced_yet_is_told_and_no_finding() {
    let mut world = seeded(700, 2);
    for state in ["scheduled", "running", "creating"] {
        for _ in 0..5 {
            let job = JobFixture::script("Test").state("scheduled");
            world.create_build(BuildFixture::new("acme-inc", "web").state(state).job(job));
        }
    }
    let synced = Synced::new(world).await;
    let ids = synced.ids();
    synced.bench.server.with_world(|world| {
        for id in &ids[..15] {
            world.skip_build(id);
        }
        change(world);
        world.add_pipeline("acme-inc", "newer");
    });
    for samples in [0, 4, u32::MAX] {
        synced.assert_nothing(samples).await;
    }
    let told = synced.verify(u32::MAX).await.compared.join("\n");
    assert!(told.contains("changed since and not synced yet"), "{told}");
    assert!(
        told.contains("new or renamed ones not synced yet"),
        "{told}"
    );
}

#[tokio::test]
async fn pipelines_that_were_renamed_or_became_visible_are_not_synced_yet() {
    let mut world = seeded(600, 1);
    let slugs = world.pipeline_slugs("acme-inc");
    assert!(world.hide_pipeline("acme-inc", &slugs[0]));
    let mut synced = Synced::new(world).await;
    synced.bench.server.with_world(|world| {
        assert!(world.show_pipeline("acme-inc", &slugs[0]));
        assert!(world.rename_pipeline("acme-inc", &slugs[1], "renamed"));
    });
    synced.assert_nothing(u32::MAX).await;
    let told = synced.verify(0).await.compared.join("\n");
    assert!(told.contains("became visible since"), "{told}");
    synced.sync().await;
    synced.assert_nothing(u32::MAX).await;

    let deleted = |world: &mut World| world.delete_pipeline("acme-inc", &slugs[2]);
    assert!(synced.bench.server.with_world(deleted));
    let gone = synced.assert_only(Removed, u32::MAX).await;
    assert!(gone.iter().any(|finding| finding.stream == "pipelines"));
    assert!(gone.iter().any(|finding| finding.stream == "builds"));
    synced.sync().await;
    synced.assert_only(Removed, u32::MAX).await;
}

#[tokio::test]
async fn a_copy_kept_up_to_date_stays_sound() {
    let mut synced = Synced::new(seeded(500, 2)).await;
    for _ in 0..3 {
        synced.bench.server.with_world(change);
        synced.assert_nothing(u32::MAX).await;
        synced.sync().await;
        pass(&synced.bench.server, 10);
        synced.assert_nothing(u32::MAX).await;
    }
}

#[tokio::test]
async fn two_organizations_and_selected_pipelines_are_compared_by_themselves() {
    let world = || {
        World::seeded(&Seed {
            organizations: 2,
            pipelines: 8,
            builds: 900,
            jobs_per_build: 1,
            ..Seed::default()
        })
    };
    let slugs = world().pipeline_slugs("acme-inc");
    let selected = json!({"organizations": ["acme-inc"], "pipelines": slugs[..2]});
    for settings in [json!({}), selected, json!({"start_date": "2026-08-17"})] {
        let synced = Synced::with(world(), settings).await;
        synced.assert_nothing(4).await;
        let rows = synced.copy.of("builds");
        let id = rows[rows.len() / 2]["id"].as_str().expect("an id");
        synced.copy.delete("builds", id);
        assert_eq!(synced.assert_only(Missing, 0).await.len(), 1);
    }
}

#[tokio::test]
async fn what_a_cut_off_sync_has_not_read_is_not_missing() {
    let mut synced = Synced::new(seeded(900, 1)).await;
    let reading = synced.source.read(request(&STREAMS, None));
    let messages: Vec<_> = reading.try_collect().await.expect("a sync that succeeds");
    for (at, state) in checkpoints(&messages) {
        synced.copy = Arc::default();
        synced.copy.write(&messages[..at]);
        synced.state = Some(state);
        synced.assert_nothing(3).await;
    }
}
