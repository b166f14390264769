//! What a listing must yield, straight from the fake's world.

use std::collections::BTreeMap;

use buildkite_client::RawBuild;
use mock_buildkite::{MockBuildkite, World};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A build split into its parts, each value as the text it arrived in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Build {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) created_at: String,
    pub(crate) pipeline_slug: String,
    pub(crate) pipeline_id: Option<String>,
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) jobs: Vec<String>,
}

impl Build {
    /// From what the client yields.
    pub(crate) fn of(build: &RawBuild<'_>) -> Self {
        let field = |(key, value): &(std::borrow::Cow<'_, str>, &RawValue)| {
            (key.clone().into_owned(), value.get().to_owned())
        };
        Self {
            id: build.id.to_owned(),
            number: build.number,
            created_at: buildkite_client::format_timestamp(build.created_at.at),
            pipeline_slug: build.pipeline_slug.clone().into_owned(),
            pipeline_id: build.pipeline_id.as_deref().map(str::to_owned),
            fields: build.fields.iter().map(field).collect(),
            jobs: build.jobs.iter().map(|job| job.get().to_owned()).collect(),
        }
    }

    /// From what the fake has.
    fn parse(text: &str) -> Self {
        let mut fields = object(text);
        let pipeline = fields.remove("pipeline").expect("a build has a pipeline");
        let jobs = fields.remove("jobs").expect("a build has jobs");
        let jobs: Vec<Box<RawValue>> = serde_json::from_str(&jobs).expect("jobs are a list");
        let Pipeline { id, slug } = serde_json::from_str(&pipeline).expect("a pipeline");
        let text_of = |key: &str| fields[key].trim_matches('"').to_owned();
        Self {
            id: text_of("id"),
            number: fields["number"].parse().expect("a number"),
            created_at: text_of("created_at"),
            pipeline_slug: slug,
            pipeline_id: Some(id),
            jobs: jobs.iter().map(|job| job.get().to_owned()).collect(),
            fields,
        }
    }

    pub(crate) fn without_jobs(self) -> Self {
        let jobs = Vec::new();
        Self { jobs, ..self }
    }

    /// The list of a build's jobs leaves out their `group_key` and nothing else.
    pub(crate) fn without_group_keys(self) -> Self {
        let jobs = self.jobs.iter().map(|job| {
            let mut job = object(job);
            job.remove("group_key");
            format!("{job:?}")
        });
        Self {
            jobs: jobs.collect(),
            ..self
        }
    }
}

/// This world, with a job of `acme-inc` that somebody has retried.
pub(crate) fn with_a_retried_job(mut world: World) -> World {
    let builds = parse(&world, "acme-inc");
    let mut retries = builds
        .iter()
        .filter_map(|build| world.retry_first_failed_job(&build.id));
    assert!(retries.next().is_some(), "no build has a failed job");
    world
}

#[derive(Deserialize)]
struct Pipeline {
    id: String,
    slug: String,
}

fn object(text: &str) -> BTreeMap<String, String> {
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).expect("an object");
    let text = |(key, value): (String, Box<RawValue>)| (key, value.get().to_owned());
    fields.into_iter().map(text).collect()
}

/// Every build of an organization, newest first, as the fake has it now.
pub(crate) fn world(server: &MockBuildkite, organization: &str) -> Vec<Build> {
    server.with_world(|world| parse(world, organization))
}

/// Every build of an organization of a world, newest first.
pub(crate) fn parse(world: &World, organization: &str) -> Vec<Build> {
    let place = format!("/organizations/{organization}/");
    let texts = world.builds_json();
    let mut builds: Vec<_> = texts.iter().map(|text| Build::parse(text)).collect();
    builds.retain(|build| build.fields["url"].contains(&place));
    builds
}

/// Asserts the same builds in the same order, and names the first that differs.
pub(crate) fn assert_same(found: &[Build], expected: &[Build], what: &str) {
    let ids = |builds: &[Build]| -> Vec<String> { builds.iter().map(|b| b.id.clone()).collect() };
    assert_eq!(found.len(), expected.len(), "{what}: number of builds");
    assert!(
        ids(found) == ids(expected),
        "{what}: other builds or another order"
    );
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{what}");
    }
}
