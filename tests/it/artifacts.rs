//! The content of artifacts, through the program.

use std::fs;

use mock_buildkite::{Fault, Seed, World};

use crate::support::{Fake, fields};

#[test]
fn artifacts_are_fetched_whole_once_and_without_the_token() {
    let fake = Fake::start(World::seeded(&Seed {
        builds: 20,
        jobs_per_build: 4,
        ..Seed::default()
    }));
    let artifacts = fake.with_world(|world| world.objects("artifacts"));
    let first = artifacts.first().expect("the world has artifacts");
    let parent = |key: &str| {
        let mut parents = first.parents.iter();
        let (_, value) = parents.find(|(name, _)| name == key).expect("it has it");
        value.clone()
    };
    let of_build = artifacts.iter().filter(|one| {
        let same = |key: &str| one.parents.contains(&(key.to_owned(), parent(key)));
        let is_ready = string(&fields(&one.json)["state"]) == "finished";
        is_ready && same("organization_slug") && same("pipeline_slug") && same("build_number")
    });
    let expected: Vec<_> = of_build.collect();
    let (organization, pipeline) = (parent("organization_slug"), parent("pipeline_slug"));
    let build = parent("build_number");
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "artifacts",
        "--organization",
        &organization,
        "--pipeline",
        &pipeline,
        "--build",
        &build,
        "--into",
        "files",
    ];

    fake.fail(Fault::TruncatedBody(7), 1, "/storage/");
    fake.run(folder.path(), &arguments).assert_code(0);
    let seen = fake.downloads();
    fake.run(folder.path(), &arguments).assert_code(0);

    assert_eq!(seen.len(), expected.len() + 1, "one was cut short");
    assert!(seen.iter().all(|one| !one.had_authorization), "{seen:?}");
    assert_eq!(fake.downloads().len(), seen.len(), "fetched once");
    for one in expected {
        let artifact = fields(&one.json);
        let path = folder.path().join("files");
        let path = path
            .join(string(&artifact["job_id"]))
            .join(string(&artifact["path"]));
        let size: u64 = artifact["file_size"].parse().unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            size,
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_path_that_matches_nothing_is_an_error_that_names_it() {
    let fake = Fake::start(World::seeded(&Seed {
        builds: 20,
        jobs_per_build: 4,
        ..Seed::default()
    }));
    let artifacts = fake.with_world(|world| world.objects("artifacts"));
    let first = artifacts.first().expect("the world has artifacts");
    let parent = |key: &str| {
        let mut parents = first.parents.iter();
        let (_, value) = parents.find(|(name, _)| name == key).expect("it has it");
        value.clone()
    };
    let (organization, pipeline) = (parent("organization_slug"), parent("pipeline_slug"));
    let build = parent("build_number");
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "artifacts",
        "--organization",
        &organization,
        "--pipeline",
        &pipeline,
        "--build",
        &build,
        "--path",
        "no/such/*",
        "--into",
        "files",
    ];

    let run = fake.run(folder.path(), &arguments);

    run.assert_code(2);
    assert!(run.stderr.contains("no/such/*"), "{}", run.stderr);
}

/// A text out of its JSON.
fn string(json: &str) -> String {
    serde_json::from_str(json).unwrap()
}
