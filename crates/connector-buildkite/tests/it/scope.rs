//! Which organizations and pipelines are read, and from when on.

use mock_buildkite::{Fault, MockBuildkite, Seed, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, records};
use crate::truth::{ids, sorted, truth_of};

fn several(organizations: usize) -> World {
    World::seeded(&Seed {
        organizations,
        pipelines: 6,
        builds: 240,
        jobs_per_build: 2,
        ..Seed::default()
    })
}

/// Builds and jobs of several organizations.
fn together(server: &MockBuildkite, organizations: &[&str]) -> [Vec<String>; 2] {
    let truth = truth_of(server, organizations);
    [truth.builds, truth.jobs]
}

#[tokio::test]
async fn all_organizations_that_the_token_sees_are_read_and_asked_for_once() {
    let bench = Bench::new(several(3)).await;
    let [builds, jobs] = together(&bench.server, &["acme-inc", "acme-inc-2", "acme-inc-3"]);

    let messages = bench.read(&STREAMS).await;

    assert_eq!(records(&messages, "organizations").len(), 3);
    assert_eq!(records(&messages, "pipelines").len(), 6);
    assert_eq!(sorted(&records(&messages, "builds")), sorted(&builds));
    assert_eq!(sorted(&records(&messages, "jobs")), sorted(&jobs));
    let paths = bench.paths();
    let of_all = paths.iter().filter(|path| *path == "/v2/organizations");
    assert_eq!(of_all.count(), 1);
}

#[tokio::test]
async fn named_organizations_are_read_and_no_others() {
    let settings = json!({"organizations": ["acme-inc-3", "acme-inc", "acme-inc"]});
    let bench = Bench::with(several(3), settings).await;
    let [builds, _] = together(&bench.server, &["acme-inc", "acme-inc-3"]);

    let messages = bench.read(&STREAMS).await;

    assert_eq!(records(&messages, "organizations").len(), 2);
    assert_eq!(sorted(&records(&messages, "builds")), sorted(&builds));
    let is_other = |path: &String| path.contains("acme-inc-2");
    assert!(!bench.paths().iter().any(is_other));
}

#[tokio::test]
async fn selected_pipelines_are_found_in_whichever_organization_has_them() {
    let world = several(2);
    let selected = world.pipeline_slugs("acme-inc-2")[1].clone();
    let of_first = world.pipeline_slugs("acme-inc");
    assert!(
        !of_first.contains(&selected),
        "only the second organization has it"
    );
    let bench = Bench::with(world, json!({"pipelines": [selected]})).await;
    let of_pipeline = |text: &String| {
        let record: Value = serde_json::from_str(text).unwrap();
        record["pipeline_slug"] == *selected
    };
    let [mut builds, mut jobs] = together(&bench.server, &["acme-inc-2"]);
    builds.retain(of_pipeline);
    jobs.retain(of_pipeline);

    let messages = bench.read(&STREAMS).await;

    assert!(!builds.is_empty());
    assert_eq!(records(&messages, "builds"), builds);
    assert_eq!(records(&messages, "jobs"), jobs);
    assert_eq!(records(&messages, "pipelines").len(), 1);
    let lists_all = |path: &String| path.ends_with("acme-inc-2/builds");
    assert!(!bench.paths().iter().any(lists_all), "{:?}", bench.paths());
    let finds = format!("/v2/organizations/acme-inc-2/pipelines/{selected}");
    let found = bench.paths().into_iter().filter(|path| *path == finds);
    assert_eq!(found.count(), 1, "it is looked for once, for all streams");
}

#[tokio::test]
async fn builds_created_before_the_start_date_are_not_read() {
    let world = several(1);
    let ids = world.build_ids();
    let middle: Value = serde_json::from_str(&world.build_json(&ids[150]).unwrap()).unwrap();
    let start = middle["created_at"].as_str().unwrap().to_owned();
    let bench = Bench::with(world, json!({"start_date": start})).await;
    let [mut builds, _] = together(&bench.server, &["acme-inc"]);
    builds.retain(|text| {
        let build: Value = serde_json::from_str(text).unwrap();
        build["created_at"].as_str().unwrap() >= &*start
    });

    let messages = bench.read(&["builds", "jobs"]).await;

    assert!((151..160).contains(&builds.len()));
    assert_eq!(records(&messages, "builds"), builds);
    let jobs = records(&messages, "jobs");
    assert_eq!(ids_of_builds(&jobs), crate::truth::ids(&builds));
}

fn ids_of_builds(jobs: &[&str]) -> std::collections::BTreeSet<String> {
    let id = |job: &&str| {
        let job: Value = serde_json::from_str(job).expect("a job is JSON");
        job["build_id"].as_str().expect("an id").to_owned()
    };
    jobs.iter().map(id).collect()
}

#[tokio::test]
async fn an_organization_or_a_pipeline_that_a_list_repeats_is_read_once() {
    for path in ["/v2/organizations", "/pipelines"] {
        let bench = Bench::new(several(1)).await;
        bench.server.fail(Fault::DuplicateItem, 1, path);

        let messages = bench.read(&STREAMS).await;

        for stream in STREAMS {
            assert!(!ids(&records(&messages, stream)).is_empty(), "{stream}");
        }
    }
}
