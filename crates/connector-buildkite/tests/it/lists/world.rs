//! A world that has an object in every collection.

use mock_buildkite::{BuildFixture, JobFixture, World};
use serde_json::Value;

pub(crate) const ACME: (&str, &str) = ("organization_slug", "acme");

/// One object a line: collection, parents, object.
const OBJECTS: &str = include_str!("world.jsonl");

/// `header_times` beyond 2^53, as they are.
const LOG: &str = r#"{"url":"u","content":"ok\n","size":3,"header_times":[1735689600123456789,9223372036854775807]}"#;

/// An organization with a pipeline, a finished build with one job, and one or two objects in
/// every collection.
pub(crate) fn world() -> World {
    let mut world = World::empty();
    world.create_build(
        BuildFixture::new("acme", "web")
            .state("passed")
            .job(JobFixture::script("Test").state("passed")),
    );
    fill(&mut world);
    world
}

fn fill(world: &mut World) {
    let build: Value = serde_json::from_str(&world.builds_json()[0]).expect("it is JSON");
    let id_of = |value: &Value| value["id"].as_str().expect("it has an id").to_owned();
    let (build, job) = (id_of(&build), id_of(&build["jobs"][0]));
    let objects = OBJECTS.replace("$JOB", &job);
    for line in objects.lines() {
        let (collection, parents, object): (String, String, Value) =
            serde_json::from_str(line).expect("collection, parents, object");
        let parents = parents_of(&parents, &build, &job);
        world.put(&collection, &parents, object);
    }
    world.put_json("job_logs", &parents_of("job", &build, &job), LOG);
}

fn parents_of<'a>(name: &str, build: &'a str, job: &'a str) -> Vec<(&'a str, &'a str)> {
    let more: &[(&str, &str)] = match name {
        "acme" => &[],
        "web" => &[("pipeline_slug", "web")],
        "first" => &[("pipeline_slug", "web"), ("build_number", "1")],
        "build" => &[("build_id", build)],
        "job" => &[("job_id", job)],
        "cluster" => &[("cluster_id", "c-1")],
        "team" => &[("team_id", "t-1")],
        "suite" => &[("suite_slug", "rspec")],
        "run" => &[("suite_slug", "rspec"), ("run_id", "r-1")],
        "registry" => &[("registry_slug", "gems")],
        other => panic!("{other}"),
    };
    [ACME].iter().chain(more).copied().collect()
}
