//! The body of a webhook.

use serde_json::{Value, json};

use crate::document::Document;
use crate::world::{Event, Subject, World};

/// Fields that the build of a webhook does not have.
const LEFT_OUT: [&str; 3] = ["jobs", "pipeline", "env"];

/// The body of the webhook for an event; none if its object is gone.
pub(super) fn payload(world: &World, event: &Event, sender: Value) -> Option<String> {
    let mut body = Document::default();
    body.set("event", event.name);
    match &event.subject {
        Subject::Build(id) => add_build(world, &mut body, id)?,
        Subject::Job { build, job } => {
            body.set("job", job_object(world, build, job)?);
            add_build(world, &mut body, build)?;
        }
        Subject::Agent(id) => body.set("agent", agent(world, id)?),
    }
    body.set("sender", sender);
    let json = body.to_json();
    String::from_utf8(world.with_origin(json.as_bytes()).into_owned()).ok()
}

/// The slug of the organization that an event is about.
pub(super) fn organization(world: &World, event: &Event) -> Option<String> {
    let build = match &event.subject {
        Subject::Build(id) | Subject::Job { build: id, .. } => id,
        Subject::Agent(id) => {
            let agents = world.stored_below("agents", &[]).into_iter();
            let mut agents = agents.filter(|one| one.object.text("id").as_ref() == Some(id));
            return agents
                .next()?
                .parent("organization_slug")
                .map(str::to_owned);
        }
    };
    let pipeline = world.build_by_id(build)?.summary.pipeline;
    let organization = world.pipelines[pipeline].organization;
    Some(world.organizations[organization].slug.clone())
}

fn add_build(world: &World, body: &mut Document, id: &str) -> Option<()> {
    let build = world.build_by_id(id)?;
    let document = world.document(build);
    let mut fields = document.fields().clone();
    for key in LEFT_OUT {
        fields.remove(key);
    }
    body.set("build", fields);
    body.set("pipeline", world.pipeline_object(build.summary.pipeline));
    Some(())
}

/// A job as webhooks show it: who retried it stands in `retry_source`.
pub(super) fn job_object(world: &World, build: &str, id: &str) -> Option<Document> {
    let document = world.document(world.build_by_id(build)?);
    let jobs = document.jobs();
    let job = jobs
        .iter()
        .find(|job| job.text("id").as_deref() == Some(id))?;
    let mut job = job.clone();
    let mut source = job.get("retry_source");
    if source.is_object() {
        let old = source["job_id"].as_str().map(str::to_owned);
        let old = jobs.iter().find(|one| one.text("id") == old);
        let by = old.map(|old| old.get("retried_by")).unwrap_or_default();
        source["retried_by"] = if by.is_null() {
            Value::Null
        } else {
            json!({"name": by["name"], "email": by["email"]})
        };
        job.set("retry_source", source);
    }
    Some(job)
}

pub(super) fn agent(world: &World, id: &str) -> Option<Document> {
    let agents = world.stored_below("agents", &[]).into_iter();
    let mut agents = agents.map(|entry| &entry.object);
    let agent = agents.find(|object| object.text("id").as_deref() == Some(id))?;
    let mut agent = agent.clone();
    agent.set("job", Value::Null);
    Some(agent)
}
