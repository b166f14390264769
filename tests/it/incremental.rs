//! Syncs that go on from a state: what they bring, and what a state must be.

use std::time::Duration;

use mock_buildkite::{BuildFixture, JobFixture};

use crate::support::{Fake, Warehouse, world};

/// Two streams of two hundred builds, synced once.
fn synced() -> (Fake, tempfile::TempDir) {
    let fake = Fake::start(world(200, 3, 1));
    let folder = tempfile::tempdir().unwrap();
    fake.sync(folder.path(), "sqlite:all.db");
    (fake, folder)
}

#[test]
fn whatever_lives_on_at_buildkite_lives_on_in_the_copy() {
    let (fake, folder) = synced();
    let run = || BuildFixture::new("acme-inc", "widgets").state("running");
    let made = fake.with_world(|world| {
        let job = || JobFixture::script("test").state("running");
        let made = (0..4).map(|_| world.create_build(run().job(job())).id);
        made.collect::<Vec<_>>()
    });
    fake.clock().advance(Duration::from_secs(600));
    fake.sync(folder.path(), "sqlite:all.db");

    fake.clock().advance(Duration::from_secs(86_400));
    fake.with_world(|world| {
        assert!(world.fail_job(&made[0]));
        assert!(world.retry_first_failed_job(&made[0]).is_some());
        assert!(world.finish_build(&made[1], "passed"));
        assert!(world.cancel_build(&made[2]));
        assert!(world.block_build(&made[3]));
        world.create_build(run());
    });
    fake.sync(folder.path(), "sqlite:all.db");

    let warehouse = Warehouse::open(&folder.path().join("all.db"));
    warehouse.assert_holds(&fake.expected());
}

#[test]
fn a_build_that_buildkite_forgot_stays_and_is_marked() {
    let (fake, folder) = synced();
    let fixture = BuildFixture::new("acme-inc", "widgets").state("running");
    let lost = fake.with_world(|world| world.create_build(fixture).id);
    fake.sync(folder.path(), "sqlite:all.db");

    fake.with_world(|world| world.remove_build(&lost));
    fake.sync(folder.path(), "sqlite:all.db");

    let warehouse = Warehouse::open(&folder.path().join("all.db"));
    assert_eq!(warehouse.text("builds", &lost, "state"), "running");
    assert_eq!(warehouse.text("builds", &lost, "_gone"), "aged_out");
}

#[test]
fn a_state_that_is_not_as_it_was_left_is_refused_and_nothing_is_changed() {
    let edits = [
        ("cut", "substr(state, 1, length(state) / 2)"),
        ("of a newer version", "json_set(state, '$.version', 99)"),
        (
            "of another connector",
            "json_set(state, '$.connector', 'github')",
        ),
        (
            "with an interval edited",
            "json_set(state, '$.streams.builds.partitions.acme-inc.top', '2026-08-01T00:00:00Z')",
        ),
        (
            "with an interval added",
            "json_set(state, '$.streams.jobs.partitions.acme-inc.missing', \
             json('[{\"to\":\"2026-08-01T00:00:00Z\"}]'))",
        ),
        ("of no kind", "'[]'"),
    ];
    for (what, edit) in edits {
        let (fake, folder) = synced();
        let path = folder.path().join("all.db");
        Warehouse::open(&path).execute(&format!("update _sync_state set state = {edit}"));
        let before = Warehouse::open(&path).dump();
        let id = fake.with_world(|world| world.build_ids()[0].clone());
        fake.with_world(|world| {
            world.change_build(&id, |build| build.set("message", "changed"));
        });

        let ended = fake.run(folder.path(), &["sync", "--to", "sqlite:all.db"]);

        ended.assert_code(5).assert_says(&["state"]);
        assert_eq!(Warehouse::open(&path).dump(), before, "a state {what}");
    }
}
