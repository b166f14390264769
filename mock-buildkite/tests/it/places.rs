//! Pipelines that are renamed, deleted, hidden.

use mock_buildkite::{BuildFixture, DEMO_TOKEN, JobFixture, MockBuildkite, Seed, World};
use serde_json::Value;

use crate::caller::{BUILDS, Caller, build, numbers, texts, world};

const PIPELINES: &str = "/v2/organizations/acme/pipelines";

/// A world of two pipelines, one of whose names begins as the other's does.
fn two_pipelines() -> World {
    let mut world = world([build()
        .id("one")
        .job(JobFixture::script("a").id("a"))
        .job(JobFixture::manual("Go?").id("b").state("blocked"))]);
    world.create_build(BuildFixture::new("acme", "web-2").job(JobFixture::script("a")));
    world
}

#[tokio::test]
async fn a_renamed_pipeline_keeps_its_id_and_loses_its_old_slug() {
    let server = MockBuildkite::start(two_pipelines()).await;
    let caller = Caller::new(&server);
    let before = caller.get(&format!("{PIPELINES}/web")).await.json();
    assert!(server.with_world(|world| world.rename_pipeline("acme", "web", "site")));

    for path in [
        format!("{PIPELINES}/web"),
        BUILDS.to_owned(),
        format!("{BUILDS}/1"),
    ] {
        let answer = caller.get(&path).await;
        assert_eq!(
            (answer.status, answer.message()),
            (404, "No pipeline found".to_owned())
        );
    }
    let after = caller.get(&format!("{PIPELINES}/site")).await.json();
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["created_at"], before["created_at"]);
    let url = format!("{}{PIPELINES}/site", server.uri());
    let url = url.as_str();
    for (key, expected) in [
        ("slug", "site"),
        ("name", "site"),
        ("url", url),
        ("web_url", "https://buildkite.com/acme/site"),
        ("builds_url", &format!("{url}/builds")),
    ] {
        assert_eq!(after[key], expected, "{key}");
    }
    assert_ne!(after["badge_url"], before["badge_url"]);
    let slugs = texts(&caller.items(PIPELINES).await, "slug");
    assert_eq!(slugs, ["site", "web-2"]);
}

#[tokio::test]
async fn builds_and_jobs_of_a_renamed_pipeline_move_to_its_new_address() {
    let server = MockBuildkite::start(two_pipelines()).await;
    let caller = Caller::new(&server);
    let other = caller.items(&format!("{PIPELINES}/web-2/builds")).await;
    assert!(server.with_world(|world| world.rename_pipeline("acme", "web", "site")));

    let build = &caller.items(&format!("{PIPELINES}/site/builds")).await[0];
    let url = format!("{}{PIPELINES}/site/builds/1", server.uri());
    let url = url.as_str();
    assert_eq!(build["id"], "one");
    assert_eq!(build["url"], url);
    assert_eq!(build["web_url"], "https://buildkite.com/acme/site/builds/1");
    assert_eq!(build["pipeline"]["slug"], "site");
    let [script, block] = [&build["jobs"][0], &build["jobs"][1]];
    for (value, expected) in [
        (&script["build_url"], url.to_owned()),
        (
            &script["web_url"],
            "https://buildkite.com/acme/site/builds/1#a".to_owned(),
        ),
        (&script["log_url"], format!("{url}/jobs/a/log")),
        (&script["raw_log_url"], format!("{url}/jobs/a/log.txt")),
        (&script["artifacts_url"], format!("{url}/jobs/a/artifacts")),
        (&block["unblock_url"], format!("{url}/jobs/b/unblock")),
    ] {
        assert_eq!(*value, expected);
    }
    assert_eq!(
        caller.items(&format!("{PIPELINES}/web-2/builds")).await,
        other
    );

    let made = server.with_world(|world| world.create_build(BuildFixture::new("acme", "site")));
    assert_eq!(made.number, 2);
}

#[tokio::test]
async fn a_renamed_pipeline_of_a_seed_is_served_whole_under_its_new_slug() {
    let mut world = World::seeded(&Seed {
        builds: 20,
        pipelines: 2,
        ..Seed::default()
    });
    let organization = world.organization_slugs().remove(0);
    let slug = world.pipeline_slugs(&organization).remove(0);
    let before = world.builds_json();
    assert!(world.rename_pipeline(&organization, &slug, "renamed"));
    let after = world.builds_json();
    assert_eq!(before.len(), after.len());
    assert!(
        after
            .iter()
            .any(|build| build.contains("/pipelines/renamed/builds/"))
    );
    for build in &after {
        assert!(
            !build.contains(&format!("/pipelines/{slug}/builds/")),
            "{build}"
        );
        let build: Value = serde_json::from_str(build).unwrap();
        let url = build["url"].as_str().unwrap();
        assert!(url.starts_with(build["pipeline"]["builds_url"].as_str().unwrap()));
    }
}

#[test]
fn a_pipeline_takes_no_slug_that_is_taken() {
    let mut world = two_pipelines();
    for (from, to) in [
        ("web", "web-2"),
        ("web", "web"),
        ("web", ""),
        ("none", "new"),
    ] {
        assert!(!world.rename_pipeline("acme", from, to), "{from} {to}");
    }
    assert!(!world.rename_pipeline("none", "web", "new"));
}

#[tokio::test]
async fn a_deleted_pipeline_is_gone_with_its_builds_and_leaves_the_others_alone() {
    let server = MockBuildkite::start(two_pipelines()).await;
    let caller = Caller::new(&server);
    assert!(server.with_world(|world| world.delete_pipeline("acme", "web")));
    assert!(!server.with_world(|world| world.delete_pipeline("acme", "web")));

    assert_eq!(caller.get(BUILDS).await.message(), "No pipeline found");
    assert_eq!(texts(&caller.items(PIPELINES).await, "slug"), ["web-2"]);
    let left = caller.items("/v2/builds").await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["pipeline"]["slug"], "web-2");
    assert_eq!(
        numbers(&caller.items(&format!("{PIPELINES}/web-2/builds")).await),
        [1]
    );

    let made = server.with_world(|world| world.create_build(build()));
    assert_eq!(made.number, 1, "another pipeline of the same slug");
    assert_eq!(caller.numbers("").await, [1]);
}

#[tokio::test]
async fn a_hidden_pipeline_and_its_builds_are_nowhere_until_it_is_shown() {
    let server = MockBuildkite::start(two_pipelines()).await;
    let caller = Caller::new(&server);
    assert!(server.with_world(|world| world.hide_pipeline("acme", "web")));
    assert!(!server.with_world(|world| world.hide_pipeline("acme", "web")));
    for path in [
        format!("{PIPELINES}/web"),
        BUILDS.to_owned(),
        format!("{BUILDS}/1"),
        format!("{BUILDS}/1/jobs"),
    ] {
        let answer = caller.get(&path).await;
        assert_eq!(
            (answer.status, answer.message()),
            (404, "No pipeline found".to_owned())
        );
    }
    let job = "/v2/organizations/acme/jobs/a";
    assert_eq!(caller.get(job).await.status, 404);
    assert_eq!(caller.items("/v2/builds").await.len(), 1);
    assert_eq!(caller.items("/v2/organizations/acme/builds").await.len(), 1);
    assert_eq!(texts(&caller.items(PIPELINES).await, "slug"), ["web-2"]);

    assert!(server.with_world(|world| world.rename_pipeline("acme", "web", "site")));
    assert_eq!(caller.get(&format!("{PIPELINES}/site")).await.status, 404);
    assert!(server.with_world(|world| world.show_pipeline("acme", "site")));
    assert!(!server.with_world(|world| world.show_pipeline("acme", "site")));
    assert!(!server.with_world(|world| world.show_pipeline("acme", "none")));
    assert_eq!(caller.items("/v2/builds").await.len(), 2);
    assert_eq!(caller.get(job).await.status, 200);
}

#[tokio::test]
async fn what_is_hidden_from_one_token_stays_so_under_another_slug() {
    let mut world = two_pipelines();
    world.change_token(DEMO_TOKEN, |token| token.hide_pipeline("acme", "web"));
    assert!(world.rename_pipeline("acme", "web", "site"));
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    assert_eq!(caller.get(&format!("{PIPELINES}/site")).await.status, 404);
    assert_eq!(caller.items("/v2/builds").await.len(), 1);
}
