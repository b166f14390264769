//! Builds that are whole: made of the steps of their pipeline, by a request or a trigger step.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::World;
use super::script::Script;
use super::scripted::triggered_from;
use crate::document::Document;
use crate::fixture::{BuildFixture, JobFixture};
use crate::steps::{Expanded, Facts, Step, Trigger, expand, read};
use crate::world::CreatedBuild;

impl World {
    /// Creates a build of a pipeline, given its index, with the jobs of the pipeline's steps. It
    /// runs by itself.
    pub(crate) fn create_whole_build(
        &mut self,
        pipeline: usize,
        fixture: BuildFixture,
        facts: Value,
    ) -> CreatedBuild {
        let object = self.pipeline_object(pipeline);
        let steps = steps_of(&object);
        let facts = Facts {
            build: facts,
            pipeline: serde_json::from_str(&object.to_json()).unwrap_or_default(),
        };
        let jobs = expand(&steps, &facts);
        let fixture = jobs
            .iter()
            .map(|job| self.on_queue(&object, job.fixture.clone()))
            .fold(fixture, BuildFixture::job);
        let created = self.create_build(fixture);
        self.adopt(&created.id, steps, &jobs);
        self.resume_autoplay(&created.id);
        created
    }

    /// Remembers the steps of a new build.
    fn adopt(&mut self, id: &str, steps: Vec<Step>, jobs: &[Expanded]) {
        let Some(at) = self.position(id) else {
            return;
        };
        let document = self.document(&self.builds[at]);
        let ids = document
            .jobs()
            .iter()
            .map(|job| job.text("id").unwrap_or_default());
        let of_jobs: HashMap<_, _> = ids.zip(jobs.iter().map(|job| job.step)).collect();
        let mut depends_on = vec![Vec::new(); steps.len()];
        for job in jobs {
            depends_on[job.step].clone_from(&job.depends_on);
        }
        let script = Script::new(steps, depends_on, of_jobs);
        self.scripts.insert(id.to_owned(), script);
        self.builds[at].has_logs = true;
    }

    /// Gives a command the cluster and queue that its rules name.
    fn on_queue(&self, pipeline: &Document, job: JobFixture) -> JobFixture {
        let cluster = pipeline.text("cluster_id");
        let (Some(cluster), true) = (cluster, job.is_script()) else {
            return job;
        };
        let place = [("cluster_id".to_owned(), cluster.clone())];
        let wanted = job.queue();
        let queues = self.stored_below("cluster_queues", &place);
        let default = self.default_queue(&cluster);
        let queue = queues
            .iter()
            .map(|entry| &entry.object)
            .find(|queue| match &wanted {
                Some(key) => queue.text("key").as_ref() == Some(key),
                None => queue.text("id") == default,
            });
        let job = job
            .field("cluster_id", cluster)
            .field("cluster_url", pipeline.get("cluster_url"));
        match queue {
            Some(queue) => job
                .field("cluster_queue_id", queue.get("id"))
                .field("cluster_queue_url", queue.get("url")),
            None => job,
        }
    }

    fn default_queue(&self, cluster: &str) -> Option<String> {
        let clusters = self.stored_below("clusters", &[]).into_iter();
        let mut clusters = clusters.map(|entry| &entry.object);
        let found = clusters.find(|one| one.text("id").as_deref() == Some(cluster))?;
        found.text("default_queue_id")
    }

    /// Creates the build that a trigger step demands, and returns it as the step names it; none if
    /// there is no such pipeline.
    pub(super) fn create_triggered(&mut self, parent: &str, trigger: &Trigger) -> Option<Value> {
        let build = self.build_by_id(parent)?;
        let of_parent = build.summary.pipeline;
        let parent = self.document(build);
        let slug = self.pipelines[of_parent].slug.clone();
        let organization = self.pipelines[of_parent].organization;
        let target = self.pipeline(organization, &trigger.pipeline)?;
        let object = self.pipeline_object(target);
        if !object.get("archived_at").is_null() {
            return None;
        }
        let branch = trigger
            .branch
            .clone()
            .or_else(|| object.text("default_branch"));
        let branch = branch.unwrap_or_else(|| "main".to_owned());
        let message = trigger
            .message
            .clone()
            .or_else(|| parent.fields().text("message"));
        let organization = self.organizations[organization].slug.clone();
        let env = Value::Object(trigger.env.clone());
        let fixture = BuildFixture::new(&organization, &trigger.pipeline)
            .state("scheduled")
            .commit(trigger.commit.as_deref().unwrap_or("HEAD"))
            .branch(&branch)
            .field("message", message.clone())
            .field("env", env.clone())
            .field("source", "trigger_job")
            .field("author", parent.get("author"))
            .field("creator", parent.get("creator"))
            .field("triggered_from", triggered_from(&parent, &slug))
            .field("cluster_id", object.get("cluster_id"))
            .field("cluster_url", object.get("cluster_url"));
        let fixture = with_meta_data(fixture, &trigger.meta_data);
        let facts = json!({
            "branch": branch, "message": message, "env": env, "source": "trigger_job",
            "tag": null, "pull_request": null,
        });
        let created = self.create_whole_build(target, fixture, facts);
        let child = self.document(self.build_by_id(&created.id)?);
        let [url, web_url] = ["url", "web_url"].map(|key| child.get(key));
        Some(json!({"id": created.id, "number": created.number, "url": url, "web_url": web_url}))
    }

    /// Lets a rebuild follow the script of its original.
    pub(super) fn adopt_rebuild(&mut self, original: &str, created: &str) {
        let (Some(script), Some(old), Some(at)) = (
            self.scripts.get(original),
            self.build_by_id(original).map(|build| self.document(build)),
            self.position(created),
        ) else {
            return;
        };
        let new = self.document(&self.builds[at]);
        let script = script.for_jobs(old.jobs(), new.jobs());
        self.scripts.insert(created.to_owned(), script);
        self.builds[at].has_logs = true;
    }

    /// When a build that another one triggered has ended, that one moves on.
    pub(super) fn wake_parent(&mut self, id: &str, due: i64) {
        let build = self.build_by_id(id);
        let ended = build.filter(|build| build.summary.finished.is_some());
        let parent = ended.and_then(|build| {
            let parent = self.document(build).get("triggered_from");
            parent["build_id"].as_str().map(str::to_owned)
        });
        if let Some(parent) = parent.filter(|parent| self.scripts.contains_key(parent)) {
            self.autoplay.schedule(&parent, due);
        }
    }
}

/// The steps of a pipeline; none if its configuration cannot be read.
pub(super) fn steps_of(pipeline: &Document) -> Vec<Step> {
    let configuration = pipeline.text("configuration");
    read(configuration.as_deref(), &pipeline.get("steps")).unwrap_or_default()
}

fn with_meta_data(fixture: BuildFixture, meta_data: &Map<String, Value>) -> BuildFixture {
    let pairs = meta_data.iter();
    pairs.fold(fixture, |fixture, (key, value)| {
        fixture.meta_data(key, value.as_str().unwrap_or_default())
    })
}
