//! Recorded objects of plain lists: agents, artifacts, logs and others.
//!
//! An object goes below the parent in its address. If the parent was not recorded, the object goes
//! below the nearest relative, so that it is served at all: an artifact of an unknown build goes
//! below the newest build of its pipeline, an artifact without an address below the newest build.

use super::super::{Build, World};
use super::ResourcePath;
use crate::document::Document;

/// An object of a list, and its collection.
pub(super) struct Listed {
    collection: &'static str,
    object: Document,
}

/// Collections, the keys of their objects, and a part of their addresses. The first match counts.
const SHAPES: [(&str, &[&str], &str); 14] = [
    (
        "agents",
        &["id", "connection_state", "hostname"],
        "/agents/",
    ),
    (
        "artifacts",
        &["id", "job_id", "download_url"],
        "/artifacts/",
    ),
    ("job_logs", &["content", "header_times"], "/log"),
    ("job_environments", &["env"], ""),
    ("annotations", &["id", "context", "body_html"], ""),
    (
        "cluster_queues",
        &["id", "key", "dispatch_paused"],
        "/queues/",
    ),
    ("clusters", &["id", "queues_url"], "/clusters/"),
    ("pipeline_schedules", &["id", "cronline"], "/schedules/"),
    (
        "pipeline_templates",
        &["uuid", "configuration"],
        "/pipeline-templates/",
    ),
    ("teams", &["id", "slug", "privacy"], ""),
    ("organization_members", &["id", "email", "role"], ""),
    ("rules", &["uuid", "source_uuid"], "/rules/"),
    ("test_suites", &["id", "slug", "default_branch"], "/suites/"),
    ("emojis", &["name", "url"], "/emoji"),
];

impl Listed {
    /// Recognizes an object by its keys and its address.
    pub(super) fn of(object: Document) -> Option<Self> {
        let url = object.text("url").unwrap_or_default();
        let fits = |keys: &[&str], path: &str| {
            keys.iter().all(|key| object.raw(key).is_some()) && url.contains(path)
        };
        let (collection, ..) = SHAPES.iter().find(|(_, keys, path)| fits(keys, path))?;
        let is_only_env = *collection != "job_environments" || object.keys().count() == 1;
        is_only_env.then_some(Self { collection, object })
    }

    /// The slug of the organization in its address.
    pub(super) fn organization(&self) -> Option<String> {
        Some(ResourcePath::of_url(&self.url())?.organization)
    }

    /// Puts it into the world.
    pub(super) fn put(self, world: &mut World) {
        match self.collection {
            "artifacts" | "annotations" => self.put_below_build(world),
            "job_logs" | "job_environments" => self.put_below_job(world),
            _ => self.put_below_organization(world),
        }
    }

    fn url(&self) -> String {
        self.object.text("url").unwrap_or_default()
    }

    /// The segment of its address after another segment.
    fn after(&self, part: &str) -> Option<String> {
        let url = self.url();
        let (_, rest) = url.split_once(&format!("/{part}/"))?;
        rest.split('/').next().map(str::to_owned)
    }

    fn put_below_organization(self, world: &mut World) {
        let first = world.organizations.first().map(|one| one.slug.clone());
        let organization = self.organization().or(first).unwrap_or_default();
        let mut parents = vec![("organization_slug", organization)];
        for (key, part) in [("cluster_id", "clusters"), ("pipeline_slug", "pipelines")] {
            let is_parent = matches!(self.collection, "cluster_queues" | "pipeline_schedules");
            let found = self.after(part).filter(|_| is_parent);
            parents.extend(found.map(|value| (key, value)));
        }
        let parents: Vec<_> = parents
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        world.put_document(self.collection, &parents, self.object);
    }

    fn put_below_build(self, world: &mut World) {
        if let Some(build) = self.nearest(world, |_| true) {
            let id = build.summary.id.to_string();
            world.put_document(self.collection, &[("build_id", &id)], self.object);
        }
    }

    fn put_below_job(self, world: &mut World) {
        let own = self.after("jobs").unwrap_or_default();
        let job_of = |build: &Build| {
            let document = world.document(build);
            let ids = document.jobs().iter().filter_map(|job| {
                let is_script = job.text("type").as_deref() == Some("script");
                job.text("id").filter(|_| is_script)
            });
            let ids: Vec<_> = ids.collect();
            ids.iter().find(|id| **id == own).or(ids.first()).cloned()
        };
        let build = self.nearest(world, |build| job_of(build).is_some());
        if let Some(job) = build.and_then(job_of) {
            world.put_document(self.collection, &[("job_id", &job)], self.object);
        }
    }

    /// The build in its address; otherwise the newest build of its pipeline, its organization or
    /// the world.
    fn nearest<'a>(&self, world: &'a World, is_fit: impl Fn(&Build) -> bool) -> Option<&'a Build> {
        let number = self.after("builds").and_then(|number| number.parse().ok());
        let nearness = |build: &Build| {
            let pipeline = &world.pipelines[build.summary.pipeline];
            let organization = &world.organizations[pipeline.organization].slug;
            let in_organization = self.organization().as_ref() == Some(organization);
            let in_pipeline =
                in_organization && self.after("pipelines").as_ref() == Some(&pipeline.slug);
            let is_it = in_pipeline && number == Some(build.summary.number);
            [in_organization, in_pipeline, is_it]
        };
        let builds = world.builds.iter().filter(|build| is_fit(build));
        builds.max_by_key(|build| nearness(build))
    }
}
