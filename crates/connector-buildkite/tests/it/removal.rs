//! Rows that are open in the copy and whose build cannot be found any more: each ends up marked,
//! its jobs with it, whether the build, its pipeline or its organization went away.

use std::collections::BTreeMap;

use connector_core::FindingKind::Stale;
use mock_buildkite::{BuildFixture, CreatedBuild, DEMO_TOKEN, JobFixture, World};
use serde_json::{Value, json};

use crate::bench::seeded;
use crate::synced::{Synced, pass};

/// A build that runs, with one job that runs and one that is done.
fn running(world: &mut World, organization: &str, slug: &str) -> CreatedBuild {
    world.create_build(
        BuildFixture::new(organization, slug)
            .state("running")
            .job(JobFixture::script("Build").state("passed"))
            .job(JobFixture::script("Test").state("running")),
    )
}

/// Why the row of a build, and those of its jobs, are marked.
fn marks(synced: &Synced, id: &str) -> Vec<Option<String>> {
    let mark = |row: &serde_json::Map<String, Value>| {
        let mark = row.get("_gone").and_then(Value::as_str);
        mark.map(str::to_owned)
    };
    let builds = synced.copy.of("builds").into_iter();
    let builds = builds.filter(|row| row["id"] == id);
    let jobs = synced.copy.of("jobs").into_iter();
    let jobs = jobs.filter(|row| row.get("build_id").is_some_and(|build| build == id));
    builds.chain(jobs).map(|row| mark(&row)).collect()
}

#[track_caller]
fn assert_marked(synced: &Synced, id: &str, reason: &str) {
    let reason = Some(reason.to_owned());
    assert_eq!(marks(synced, id), [reason.clone(), reason.clone(), reason]);
}

#[track_caller]
fn assert_unmarked(synced: &Synced, id: &str) {
    assert_eq!(marks(synced, id), [None, None, None]);
}

fn sees(synced: &Synced, organizations: &[&str]) {
    let slugs = organizations.to_vec();
    let act =
        |world: &mut World| world.change_token(DEMO_TOKEN, |token| token.organizations(slugs));
    synced.bench.server.with_world(act);
}

#[tokio::test]
async fn builds_of_an_organization_that_left_the_view_are_marked_and_come_back_with_it() {
    let mut world = seeded(30, 1);
    let made = running(&mut world, "umbrella", "web");
    let mut synced = Synced::new(world).await;
    sees(&synced, &["acme-inc"]);

    let found = synced.assert_only(Stale, 0).await;
    assert!(
        found.iter().any(|one| one.at == "umbrella/web #1"),
        "{found:#?}"
    );
    synced.sync().await;

    assert_marked(&synced, &made.id, "organization_deleted_or_hidden");
    synced.assert_nothing(3).await;
    let before = synced.tombstones;
    synced.sync().await;
    assert_eq!(synced.tombstones, before, "once is enough");

    sees(&synced, &["acme-inc", "umbrella"]);
    synced.sync().await;
    assert_unmarked(&synced, &made.id);
    synced.assert_nothing(3).await;
}

#[tokio::test]
async fn a_listed_organization_that_left_does_not_stop_the_others_and_its_builds_are_marked() {
    let mut world = seeded(30, 1);
    let made = running(&mut world, "umbrella", "web");
    let settings = json!({"organizations": ["umbrella", "acme-inc"]});
    let mut synced = Synced::with(world, settings).await;
    sees(&synced, &["acme-inc"]);
    let new = running_now(&synced, "acme-inc");

    synced.sync().await;

    assert_marked(&synced, &made.id, "organization_deleted_or_hidden");
    assert_unmarked(&synced, &new);
    let lacking: Vec<_> = synced.incomplete.iter().map(String::as_str).collect();
    assert_eq!(lacking, ["builds", "jobs", "organizations", "pipelines"]);
    let told = synced.notices().join("\n");
    assert!(told.contains("`umbrella`"), "{told}");
    sees(&synced, &["acme-inc", "umbrella"]);
    synced.sync().await;
    assert_unmarked(&synced, &made.id);
    assert!(synced.incomplete.is_empty());
}

fn running_now(synced: &Synced, organization: &str) -> String {
    let act = |world: &mut World| running(world, organization, "new").id;
    synced.bench.server.with_world(act)
}

#[tokio::test]
async fn builds_of_a_pipeline_that_was_made_again_under_its_slug_are_marked() {
    for settings in [
        json!({}),
        json!({"organizations": ["acme-inc"], "pipelines": ["web"]}),
    ] {
        let mut world = seeded(30, 1);
        let made = running(&mut world, "acme-inc", "web");
        let mut synced = Synced::with(world, settings).await;
        let again = synced.bench.server.with_world(|world| {
            assert!(world.delete_pipeline("acme-inc", "web"));
            running(world, "acme-inc", "web")
        });
        pass(&synced.bench.server, 10);

        synced.sync().await;

        assert_marked(&synced, &made.id, "pipeline_deleted_or_hidden");
        assert_unmarked(&synced, &again.id);
        synced.assert_nothing(3).await;
    }
}

#[tokio::test]
async fn builds_of_a_selected_pipeline_that_was_deleted_are_marked_and_the_others_are_read() {
    let mut world = seeded(30, 1);
    let made = running(&mut world, "acme-inc", "web");
    running(&mut world, "acme-inc", "api");
    let settings = json!({"organizations": ["acme-inc"], "pipelines": ["web", "api"]});
    let mut synced = Synced::with(world, settings).await;
    let new = synced.bench.server.with_world(|world| {
        assert!(world.delete_pipeline("acme-inc", "web"));
        running(world, "acme-inc", "api").id
    });

    synced.sync().await;

    assert_marked(&synced, &made.id, "pipeline_deleted_or_hidden");
    assert_unmarked(&synced, &new);
    assert!(synced.incomplete.contains("builds"));
}

#[tokio::test]
async fn of_seven_hundred_open_builds_of_a_deleted_pipeline_all_are_marked() {
    let mut world = World::empty();
    let made: Vec<_> = (0..700)
        .map(|_| {
            world.clock().advance(std::time::Duration::from_secs(1));
            running(&mut world, "acme-inc", "web").id
        })
        .collect();
    running(&mut world, "acme-inc", "api");
    let mut synced = Synced::new(world).await;
    let delete = |world: &mut World| assert!(world.delete_pipeline("acme-inc", "web"));
    synced.bench.server.with_world(delete);

    synced.sync().await;

    for id in &made {
        assert_marked(&synced, id, "pipeline_deleted_or_hidden");
    }
}

#[tokio::test]
async fn a_sync_from_the_beginning_marks_what_the_host_says_is_open() {
    let mut world = seeded(30, 1);
    let made = ["acme-inc", "umbrella"].map(|slug| running(&mut world, slug, "web").id);
    let stays = running(&mut world, "acme-inc", "web").id;
    let mut synced = Synced::new(world).await;
    let remove = |world: &mut World| assert!(world.remove_build(&made[0]));
    synced.bench.server.with_world(remove);
    sees(&synced, &["acme-inc"]);
    synced.state = None;

    synced.sync_with_open_rows().await;

    assert_eq!(marks(&synced, &made[0])[0].as_deref(), Some("aged_out"));
    let reason = Some("organization_deleted_or_hidden");
    assert_eq!(marks(&synced, &made[1])[0].as_deref(), reason);
    for id in &made {
        let rows = synced.copy.of("jobs").into_iter();
        let open = rows.filter(|row| row.get("build_id").is_some_and(|of| of == id));
        let open = open.filter(|row| row["state"] == "running" && !row.contains_key("_gone"));
        assert_eq!(open.count(), 0);
    }
    assert_unmarked(&synced, &stays);
}

#[tokio::test]
async fn open_rows_that_the_state_lost_are_named_and_mended_by_the_next_sync() {
    let mut world = seeded(30, 1);
    let made = running(&mut world, "acme-inc", "web").id;
    let mut synced = Synced::new(world).await;
    synced.forget_open_builds();
    let remove = |world: &mut World| assert!(world.remove_build(&made));
    synced.bench.server.with_world(remove);

    let found = synced.assert_only(Stale, 0).await;
    assert_eq!(found[0].at, "acme-inc/web #1");
    assert!(found[0].message.contains("no longer"), "{found:#?}");

    synced.sync_with_open_rows().await;
    assert_eq!(marks(&synced, &made)[0].as_deref(), Some("aged_out"));
    synced.assert_nothing(3).await;
}

#[tokio::test]
async fn a_pipeline_chosen_first_and_the_whole_organization_later_share_what_is_open() {
    let mut world = seeded(30, 1);
    let made = running(&mut world, "acme-inc", "web").id;
    let one = json!({"organizations": ["acme-inc"], "pipelines": ["web"]});
    let mut synced = Synced::with(world, one).await;
    synced.source = synced.bench.open(json!({})).await;
    let remove = |world: &mut World| assert!(world.remove_build(&made));
    synced.bench.server.with_world(remove);

    synced.sync().await;

    assert_marked(&synced, &made, "aged_out");
    let before: BTreeMap<_, _> = [(made, synced.tombstones)].into();
    synced.sync().await;
    assert!(before.values().all(|count| *count == synced.tombstones));
}
