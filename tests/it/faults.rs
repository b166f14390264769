//! What the network and the server do wrong is repaired, or told with all that is needed.

use std::net::TcpListener;

use mock_buildkite::{BuildFixture, Fault, JobFixture, LimitScope};

use crate::support::{Ended, Fake, Lines, Warehouse, assert_equal, world};

/// Syncs once while faults strike, and compares.
fn assert_repaired(name: &str, faults: &[(Fault, u32)]) {
    let fake = Fake::start(world(230, 3, 1));
    for (fault, times) in faults {
        fake.fail(fault.clone(), *times, "builds");
    }
    let folder = tempfile::tempdir().unwrap();

    let ended = fake.sync(folder.path(), "jsonl:all.jsonl");

    let lines = Lines::read(&folder.path().join("all.jsonl"));
    assert_equal(&lines.each_once(), &fake.expected());
    assert!(!ended.stderr.contains("error"), "{name}: {}", ended.stderr);
    assert_eq!(fake.unknown_requests(), [], "{name}");
}

#[test]
fn a_server_that_fails_for_a_while_costs_nothing_but_time() {
    let gateway = Fault::Status {
        status: 502,
        is_html: true,
    };
    let faults = [
        (Fault::status(500), 1),
        (gateway, 1),
        (Fault::status(503), 1),
    ];
    assert_repaired("5xx", &faults);
}

#[test]
fn an_answer_that_breaks_off_is_read_again_without_a_gap_or_a_double() {
    for bytes in [0, 700, 9_000] {
        assert_repaired("reset", &[(Fault::ResetMidBody(bytes), 2)]);
    }
    assert_repaired("gzip", &[(Fault::TruncatedGzip, 2)]);
}

#[test]
fn a_body_that_ends_early_with_a_sound_length_is_not_taken_for_whole() {
    for bytes in [1, 4_000, 60_000] {
        assert_repaired("truncated", &[(Fault::TruncatedBody(bytes), 2)]);
    }
}

#[test]
fn a_page_that_is_too_large_for_the_server_is_asked_for_in_parts() {
    assert_repaired("heavy", &[(Fault::HeavyPage(20), u32::MAX)]);
    assert_repaired("double", &[(Fault::DuplicateItem, 3)]);
}

#[test]
fn builds_that_are_created_between_two_pages_push_none_out() {
    let fake = Fake::start(world(230, 3, 1));
    let before = fake.expected();
    fake.on_request(|_, world| {
        let slugs = world.pipeline_slugs("acme-inc");
        for slug in &slugs[..3] {
            let job = JobFixture::script("test");
            world.create_build(BuildFixture::new("acme-inc", slug).job(job));
        }
    });
    let folder = tempfile::tempdir().unwrap();

    fake.sync(folder.path(), "jsonl:all.jsonl");

    let lines = Lines::read(&folder.path().join("all.jsonl"));
    let mut written = lines.each_once();
    let of_stream = |key: &(String, String)| key.0 == "builds" || key.0 == "jobs";
    // Whether the new ones are in it already depends on the moment; what was there before is.
    written.retain(|key, _| of_stream(key) && before.contains_key(key));
    let mut before = before;
    before.retain(|key, _| of_stream(key));
    assert_equal(&written, &before);
}

#[test]
fn a_build_that_changes_between_two_pages_is_written_in_one_of_its_forms() {
    let fake = Fake::start(world(230, 3, 1));
    let before = fake.expected();
    let newest = fake.with_world(|world| world.build_ids()[0].clone());
    let oldest = fake.with_world(|world| world.build_ids()[229].clone());
    let ids = [newest, oldest.clone()];
    fake.on_request(move |number, world| {
        for id in &ids {
            world.change_build(id, |build| build.set("message", format!("change {number}")));
        }
    });
    let folder = tempfile::tempdir().unwrap();

    fake.sync(folder.path(), "sqlite:all.db");

    fake.on_request(|_, _| {});
    let warehouse = Warehouse::open(&folder.path().join("all.db"));
    assert_eq!(warehouse.count("builds"), 230);
    let ids = before.keys().filter(|(stream, _)| stream == "jobs").count();
    assert_eq!(warehouse.count("jobs"), ids);
    let message = warehouse.text("builds", &oldest, "message");
    assert!(message.starts_with("change "), "{message}");
}

fn sync_with(fault: Fault, path: &str) -> Ended {
    let fake = Fake::start(world(230, 3, 1));
    fake.fail(fault, u32::MAX, path);
    let folder = tempfile::tempdir().unwrap();
    fake.run(folder.path(), &["sync", "--to", "sqlite:all.db"])
}

#[test]
fn what_no_repeating_can_mend_names_stream_and_path() {
    let path = "path: /v2/organizations/acme-inc/builds";
    let elsewhere = Fault::NextLinkTo("https://example.com".to_owned());
    sync_with(elsewhere, "/builds")
        .assert_code(1)
        .assert_says(&["error: ", "stream: builds", path]);

    let redirect = Fault::Redirect("https://example.com/".to_owned());
    sync_with(redirect, "/builds").assert_code(1).assert_says(&[
        "error: ",
        "redirect",
        "stream: builds",
        path,
    ]);

    sync_with(Fault::status(422), "/pipelines")
        .assert_code(1)
        .assert_says(&[
            "422",
            "stream: pipelines",
            "path: /v2/organizations/acme-inc/pipelines",
        ]);
}

#[test]
fn a_wait_that_is_too_long_is_left_to_the_caller() {
    let refusal = Fault::RateLimited {
        scope: LimitScope::Organization,
        reset: 7_200,
        has_details: true,
    };
    sync_with(refusal, "/pipelines")
        .assert_code(4)
        .assert_says(&[
            "error: the rate limit `rest`",
            "stream: pipelines",
            "Try again in 2 h",
        ]);
}

#[test]
fn a_failed_sync_keeps_what_came_before_and_the_next_one_completes_it() {
    let fake = Fake::start(world(230, 3, 1));
    fake.fail(Fault::ResetMidBody(20_000), 1, "builds");
    fake.fail(
        Fault::Redirect("https://example.com/".to_owned()),
        1,
        "builds",
    );
    let folder = tempfile::tempdir().unwrap();

    let arguments = ["sync", "--to", "sqlite:all.db"];
    fake.run(folder.path(), &arguments).assert_code(1);
    let warehouse = Warehouse::open(&folder.path().join("all.db"));
    assert!(warehouse.count("builds") > 0, "what had come is kept");

    fake.run(folder.path(), &arguments).assert_code(0);
    warehouse.assert_holds(&fake.expected());
}

#[test]
fn a_port_that_nobody_listens_on_is_told_while_it_is_tried_again() {
    let fake = Fake::start(world(1, 1, 1));
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let gone = format!("http://{port}");

    let line = fake.first_line_of(folder.path(), &["sync", "-v", "--base-url", &gone]);

    assert!(
        line.contains("a request failed; it is sent again"),
        "{line}"
    );
    assert!(line.contains("path=\"/v2/organizations\""), "{line}");
    assert!(line.contains("Connection refused"), "{line}");
}
