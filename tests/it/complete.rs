//! Everything that the fake holds is written, value by value, and nothing twice.

use crate::support::{Fake, Lines, Warehouse, assert_equal, world};

#[test]
fn a_database_holds_every_value_of_every_stream() {
    let fake = Fake::start(world(400, 6, 2));
    let folder = tempfile::tempdir().unwrap();

    fake.sync(folder.path(), "sqlite:all.db");

    let warehouse = Warehouse::open(&folder.path().join("all.db"));
    assert_eq!(warehouse.count("builds"), 400);
    assert_eq!(warehouse.count("jobs"), 2_400);
    warehouse.assert_holds(&fake.expected());
    assert_eq!(fake.unknown_requests(), []);
}

#[test]
fn syncing_again_changes_what_changed_and_doubles_nothing() {
    let fake = Fake::start(world(150, 3, 1));
    let folder = tempfile::tempdir().unwrap();
    fake.sync(folder.path(), "sqlite:all.db");
    let ids = fake.with_world(|world| world.build_ids());

    fake.with_world(|world| {
        // The oldest build is as free to run again as the newest.
        let now = world.now().to_rfc3339();
        for id in [&ids[0], &ids[149]] {
            let changed = world.change_build(id, |build| {
                build.set("message", "changed later");
                build.set("finished_at", &now);
                build.jobs_mut().truncate(3);
            });
            assert!(changed);
        }
    });
    fake.sync(folder.path(), "sqlite:all.db");

    let warehouse = Warehouse::open(&folder.path().join("all.db"));
    warehouse.assert_holds(&fake.expected());
}

#[test]
fn a_file_of_lines_holds_every_value_of_every_stream_once() {
    let fake = Fake::start(world(400, 6, 2));
    let folder = tempfile::tempdir().unwrap();

    fake.sync(folder.path(), "jsonl:all.jsonl");

    let lines = Lines::read(&folder.path().join("all.jsonl"));
    assert_equal(&lines.each_once(), &fake.expected());
}

#[test]
fn a_pipe_carries_every_value_of_every_stream_once() {
    let fake = Fake::start(world(120, 4, 1));
    let folder = tempfile::tempdir().unwrap();

    let ended = fake.sync(folder.path(), "jsonl:-");

    assert_equal(&Lines::of(&ended.stdout).each_once(), &fake.expected());
}

#[test]
fn selected_pipelines_and_streams_bring_what_was_selected_and_nothing_else() {
    let fake = Fake::start(world(200, 3, 1));
    let folder = tempfile::tempdir().unwrap();
    let slug = fake.with_world(|world| world.pipeline_slugs("acme-inc")[2].clone());

    let select = ["--pipeline", &slug, "--stream", "builds", "--to", "jsonl:a"];
    let ended = fake.run(folder.path(), &[&["sync"][..], &select].concat());

    ended.assert_code(0);
    let mut expected = fake.expected();
    let slug = format!("\"{slug}\"");
    expected.retain(|(stream, _), record| stream == "builds" && record["pipeline_slug"] == slug);
    assert!(expected.len() > 5, "the world is too small");
    let lines = Lines::read(&folder.path().join("a"));
    assert_equal(&lines.each_once(), &expected);
}
