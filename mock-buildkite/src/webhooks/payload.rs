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
        Subject::Service { organization, id } => {
            body.set("service", service(world, organization, id)?);
            body.set("organization", json!({ "slug": organization }));
        }
        Subject::Package {
            organization,
            registry,
            id,
        } => body.set("package", package(world, [organization, registry, id])?),
    }
    body.set("sender", sender);
    let json = body.to_json();
    String::from_utf8(world.with_origin(json.as_bytes()).into_owned()).ok()
}

/// The slug of the organization that an event is about.
pub(super) fn organization(world: &World, event: &Event) -> Option<String> {
    let build = match &event.subject {
        Subject::Build(id) | Subject::Job { build: id, .. } => id,
        Subject::Service { organization, .. } | Subject::Package { organization, .. } => {
            return Some(organization.clone());
        }
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

/// A service as a ping shows it.
fn service(world: &World, organization: &str, id: &str) -> Option<Value> {
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let services = world.stored_below("notification_services", &place);
    let is_it = |object: &Document| object.text("id").as_deref() == Some(id);
    let service = services.iter().find(|entry| is_it(&entry.object))?;
    let (provider, settings) = (
        service.object.get("provider"),
        service.object.get("settings"),
    );
    Some(json!({"id": id, "provider": provider["id"], "settings": {"url": settings["url"]}}))
}

/// A package as its event shows it, given organization, registry and id.
fn package(world: &World, [organization, registry, id]: [&str; 3]) -> Option<Value> {
    let place = [
        ("organization_slug".to_owned(), organization.to_owned()),
        ("registry_slug".to_owned(), registry.to_owned()),
    ];
    let packages = world.stored_below("packages", &place);
    let is_it = |object: &Document| object.text("id").as_deref() == Some(id);
    let package = &packages.iter().find(|entry| is_it(&entry.object))?.object;
    let keys = ["id", "url", "web_url", "name", "organization", "registry"];
    let fields = keys.map(|key| (key.to_owned(), package.get(key)));
    Some(Value::Object(fields.into_iter().collect()))
}
