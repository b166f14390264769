//! The text of one seeded build, in the key order of the API.

use super::Seeded;
use super::agent::AgentTexts;
use super::job::JobWriter;
use super::plan::BuildPlan;
use super::stages::{Attempt, jobs};
use super::text::{put, put_all, put_id, put_ids, put_json, put_number, put_time};
use crate::address::BuildUrls;

/// Which parts of a build an answer shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeededView<'a> {
    /// The pipeline's text, if the build shows it.
    pub(crate) pipeline: Option<&'a [u8]>,
    pub(crate) has_jobs: bool,
    pub(crate) has_retried_jobs: bool,
    /// The texts of agents inside jobs, by queue and index of the build's organization.
    pub(crate) agents: &'a AgentTexts,
}

impl Seeded {
    /// Writes the build with this ordinal.
    pub(crate) fn write_build(&self, out: &mut Vec<u8>, ordinal: usize, view: SeededView<'_>) {
        let build = BuildPlan::of(self, ordinal);
        let pipeline = &self.pipelines[build.pipeline];
        let owner = &self.organizations[pipeline.organization];
        let number = build.number;
        let BuildUrls { url, web_url } = BuildUrls::new(&owner.slug, &pipeline.slug, number.into());
        put(out, "{");
        put_ids(out, "Build", build.id);
        put_all(
            out,
            &[
                ",\"url\":\"",
                &url,
                "\",\"web_url\":\"",
                &web_url,
                "\",\"number\":",
            ],
        );
        put_number(out, number.into());
        put_all(
            out,
            &[
                ",\"state\":\"",
                build.state,
                "\",\"cancel_reason\":null,\"blocked\":",
            ],
        );
        put(out, if build.blocked { "true" } else { "false" });
        put(out, ",\"blocked_state\":\"\",\"message\":");
        put_json(out, build.message);
        put_all(
            out,
            &[
                ",\"commit\":\"",
                &build.commit,
                "\",\"branch\":\"",
                &build.branch,
            ],
        );
        put(out, "\",\"tag\":null,\"env\":");
        put(out, if build.has_long_env { LONG_ENV } else { "{}" });
        put_all(out, &[",\"source\":\"", build.source, "\""]);
        self.people(out, &build);
        put_time(out, "created_at", Some(build.created));
        put_time(out, "scheduled_at", Some(build.scheduled));
        put_time(out, "started_at", build.started);
        put_time(out, "failing_at", build.failing);
        put_time(out, "finished_at", build.finished);
        put(out, ",\"meta_data\":");
        self.meta_data(out, &build);
        self.origin(out, &build);
        if let Some(pipeline) = view.pipeline {
            put(out, ",\"pipeline\":");
            out.extend_from_slice(pipeline);
        }
        if view.has_jobs {
            put(out, ",\"jobs\":[");
            let writer = JobWriter {
                world: self,
                owner,
                build_url: &url,
                build_web_url: &web_url,
                agents: view.agents.of_organization(pipeline.organization),
            };
            self.jobs(out, &build, &writer, view.has_retried_jobs);
            put(out, "]");
        }
        put(out, ",\"cluster_id\":\"");
        put_id(out, owner.cluster);
        put_all(out, &["\",\"cluster_url\":\"", &owner.cluster_url, "\"}"]);
    }

    /// Writes the meta-data object of a build alone.
    pub(crate) fn write_meta_data(&self, out: &mut Vec<u8>, ordinal: usize) {
        self.meta_data(out, &BuildPlan::of(self, ordinal));
    }

    /// The id of a build's creator, if it has one.
    pub(crate) fn creator(&self, build: &BuildPlan) -> Option<String> {
        let owner = &self.organizations[self.pipelines[build.pipeline].organization];
        build
            .has_creator
            .then(|| owner.people[build.person].id.to_string())
    }

    /// True if a job of the build with this ordinal has the id.
    pub(crate) fn has_job(&self, ordinal: usize, id: &str) -> bool {
        let build = BuildPlan::of(self, ordinal);
        let prefix = build.id.to_string();
        // Ids of jobs begin with the moment their build was made.
        id.as_bytes().get(..13) == Some(&prefix.as_bytes()[..13])
            && jobs(self, &build)
                .iter()
                .any(|job| job.id.to_string() == id)
    }

    fn jobs(&self, out: &mut Vec<u8>, build: &BuildPlan, writer: &JobWriter<'_>, retried: bool) {
        let mut is_first = true;
        for job in jobs(self, build) {
            if !retried && matches!(job.attempt, Attempt::Old { .. }) {
                continue;
            }
            if !is_first {
                put(out, ",");
            }
            is_first = false;
            writer.write(out, build, job);
        }
    }

    /// `author` and `creator`.
    fn people(&self, out: &mut Vec<u8>, build: &BuildPlan) {
        let owner = &self.organizations[self.pipelines[build.pipeline].organization];
        let person = &owner.people[build.person];
        put(out, ",\"author\":");
        match build.source {
            _ if build.author_is_text => put_json(out, person.name),
            "webhook" => {
                put_all(out, &["{\"username\":\"", &person.username, "\",\"name\":"]);
                put_json(out, person.name);
                put_all(out, &[",\"email\":\"", &person.username, "@example.com\"}"]);
            }
            "api" => {
                put(out, "{\"name\":");
                put_json(out, person.name);
                put_all(out, &[",\"email\":\"", &person.username, "@example.com\"}"]);
            }
            _ => put(out, "null"),
        }
        put(out, ",\"creator\":");
        put(
            out,
            if build.has_creator {
                &person.object
            } else {
                "null"
            },
        );
    }

    fn meta_data(&self, out: &mut Vec<u8>, build: &BuildPlan) {
        if build.started.is_none() {
            return put(out, "{}");
        }
        let owner = &self.organizations[self.pipelines[build.pipeline].organization];
        let person = &owner.people[build.person];
        let indented = build.message.replace('\n', "\n    ");
        let text = format!(
            "commit {0}\nabbrev-commit {1}\nAuthor: {2} <{3}@example.com>\n\n    {indented}\n    \n    Signed-off-by: {2} <{3}@example.com>",
            build.commit,
            &build.commit[..build.commit.len().min(10)],
            person.name,
            person.username,
        );
        put(out, "{\"buildkite:git:commit\":");
        put_json(out, &text);
        if build.number.is_multiple_of(25) {
            put(out, ",\"release notes: \\\"draft\\\"\":\"line 1\\nline 2\"");
        }
        put(out, "}");
    }

    /// `pull_request`, `merge_queue`, `rebuilt_from` and `triggered_from`.
    fn origin(&self, out: &mut Vec<u8>, build: &BuildPlan) {
        put(out, ",\"pull_request\":");
        match build.pull_request {
            Some(number) => {
                let repository = &self.pipelines[build.pipeline].repository;
                let object = format!(
                    "{{\"id\":\"{number}\",\"base\":\"main\",\"repository\":\"{repository}\"}}"
                );
                put(out, &object);
            }
            None => put(out, "null"),
        }
        put(out, ",\"merge_queue\":");
        let queue = if build.has_merge_queue {
            "{\"base_branch\":\"main\"}"
        } else {
            "null"
        };
        put(out, queue);
        let times = &self.timelines.builds[build.ordinal];
        put(out, ",\"rebuilt_from\":");
        match times.original {
            Some(original) => put(out, &self.reference(original)),
            None => put(out, "null"),
        }
        put(out, ",\"triggered_from\":");
        match times.parent {
            Some(parent) => put(out, &self.parent(parent)),
            None => put(out, "null"),
        }
    }

    /// A build as the one that repeats it names it.
    fn reference(&self, ordinal: usize) -> String {
        let build = BuildPlan::of(self, ordinal);
        let urls = self.urls(&build);
        let (id, number, url) = (build.id, build.number, urls.url);
        format!("{{\"id\":\"{id}\",\"number\":{number},\"url\":\"{url}\"}}")
    }

    /// A build as the one that it triggered names it.
    fn parent(&self, ordinal: usize) -> String {
        let build = BuildPlan::of(self, ordinal);
        let slug = &self.pipelines[build.pipeline].slug;
        format!(
            "{{\"build_id\":\"{}\",\"build_number\":{},\"build_pipeline_slug\":\"{slug}\"}}",
            build.id, build.number
        )
    }

    /// The build that a trigger step of a build has created, as the step names it.
    pub(super) fn triggered(&self, ordinal: usize) -> Option<String> {
        let child = self.timelines.builds[ordinal].child?;
        let build = BuildPlan::of(self, child);
        let BuildUrls { url, web_url } = self.urls(&build);
        let (id, number) = (build.id, build.number);
        let is_there = build.created <= self.now;
        is_there.then(|| {
            format!(
                "{{\"id\":\"{id}\",\"number\":{number},\"url\":\"{url}\",\"web_url\":\"{web_url}\"}}"
            )
        })
    }

    /// The builds that a build names.
    pub(crate) fn links(&self, ordinal: usize) -> impl Iterator<Item = usize> {
        let times = &self.timelines.builds[ordinal];
        [times.parent, times.child, times.original]
            .into_iter()
            .flatten()
    }

    /// When somebody released the block step of a build.
    pub(super) fn unblocked_at(&self, ordinal: usize) -> Option<i64> {
        let times = &self.timelines.builds[ordinal];
        times
            .at(times.reopened, self.now)
            .filter(|_| times.is_unblocked)
    }

    fn urls(&self, build: &BuildPlan) -> BuildUrls {
        let pipeline = &self.pipelines[build.pipeline];
        let owner = &self.organizations[pipeline.organization];
        BuildUrls::new(&owner.slug, &pipeline.slug, build.number.into())
    }
}

const LONG_ENV: &str = concat!(
    "{\"NIGHTLY\":\"1\",\"RUN_ALL\":\"1\",\"DEPLOY_NOTES\":\"First line: größer\\nSecond line with \\\"quotes\\\" and a ",
    "tab\\tin it. Long text, as people put whole change logs into a variable.\"}"
);
