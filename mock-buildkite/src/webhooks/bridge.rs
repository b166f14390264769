//! Envelopes of Amazon EventBridge: the same moments in another shape.

use serde_json::{Value, json};

use super::payload::{agent, job_object, organization};
use crate::document::Document;
use crate::rng::Rng;
use crate::time::{parse_millis, to_chrono};
use crate::world::{Event, Subject, World};

/// The envelope for an event; none if its object is gone, or there is no such envelope.
pub(super) fn envelope(world: &World, event: &Event) -> Option<String> {
    let slug = organization(world, event)?;
    let owner = world.organization(&slug)?;
    let owner = &world.organizations[owner].object;
    let mut detail = json!({"version": 1});
    match &event.subject {
        Subject::Build(id) => add_build(world, &mut detail, id)?,
        Subject::Job { build, job } => {
            detail["job"] = job_detail(&job_object(world, build, job)?, event.name);
            add_build(world, &mut detail, build)?;
        }
        Subject::Agent(id) => detail["agent"] = agent_detail(&agent(world, id)?),
        // Neither has an envelope.
        Subject::Service { .. } | Subject::Package { .. } => return None,
    }
    detail["organization"] = json!({
        "uuid": owner.get("id"), "graphql_id": owner.get("graphql_id"), "slug": slug,
    });
    let name = format!("{event:?}");
    let time = to_chrono(world.clock.now_millis());
    let envelope = json!({
        "version": "0",
        "id": Rng::of_text(&name).uuid(event.at).to_string(),
        "detail-type": detail_type(event.name),
        "source": format!("aws.partner/buildkite.com/{slug}/0106-187c-12cd4fe"),
        "account": "123123123123",
        "time": time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    });
    Some(envelope.to_string())
}

/// `build.finished` is `Build Finished`; a running build is `Build Started`.
fn detail_type(event: &str) -> String {
    let event = if event == "build.running" {
        "build.started"
    } else {
        event
    };
    let words = event.split(['.', '_']).map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        format!("{}{rest}", first.to_uppercase())
    });
    let event = words.collect::<Vec<_>>().join(" ");
    event.replace("Build Scheduled", "Build Created")
}

fn add_build(world: &World, detail: &mut Value, id: &str) -> Option<()> {
    let build = world.build_by_id(id)?;
    let document = world.document(build);
    let fields = document.fields();
    let state = match fields.text("state") {
        _ if fields.is_true("blocked") => Some("blocked".to_owned()),
        Some(state) if state == "running" => Some("started".to_owned()),
        state => state,
    };
    let text = |key: &str| fields.text(key).filter(|text| !text.is_empty());
    detail["build"] = json!({
        "uuid": fields.get("id"), "graphql_id": fields.get("graphql_id"),
        "number": fields.get("number"), "commit": fields.get("commit"),
        "message": fields.get("message"), "branch": fields.get("branch"),
        "state": state, "blocked_state": text("blocked_state"),
        "source": fields.get("source"), "started_at": time(fields, "started_at"),
        "failing_at": time(fields, "failing_at"), "finished_at": time(fields, "finished_at"),
        "meta_data": fields.get("meta_data"),
    });
    let pipeline = world.pipeline_object(build.summary.pipeline);
    detail["pipeline"] = json!({
        "uuid": pipeline.get("id"), "graphql_id": pipeline.get("graphql_id"),
        "slug": pipeline.get("slug"), "repo": pipeline.get("repository"),
    });
    Some(())
}

fn job_detail(job: &Document, event: &str) -> Value {
    let state = job.text("state").unwrap_or_default();
    let shown = match event {
        "job.started" => "started",
        "job.finished" => "finished",
        _ => state.as_str(),
    };
    let label = job.text("name").or_else(|| job.text("label"));
    json!({
        "uuid": job.get("id"), "graphql_id": job.get("graphql_id"), "type": job.get("type"),
        "label": label, "step_key": job.get("step_key"), "command": job.get("command"),
        "agent_query_rules": job.get("agent_query_rules"),
        "exit_status": job.get("exit_status"), "signal_reason": job.get("signal_reason"),
        "passed": state == "passed", "soft_failed": job.get("soft_failed"), "state": shown,
        "broken_reason": job.get("broken_reason"), "runnable_at": time(job, "runnable_at"),
        "started_at": time(job, "started_at"), "finished_at": time(job, "finished_at"),
        "unblocked_by": job.get("unblocked_by"),
        "retried_in_job_id": job.get("retried_in_job_id"),
    })
}

fn agent_detail(agent: &Document) -> Value {
    json!({
        "uuid": agent.get("id"), "graphql_id": agent.get("graphql_id"),
        "connection_state": agent.get("connection_state"), "name": agent.get("name"),
        "version": agent.get("version"), "ip_address": agent.get("ip_address"),
        "hostname": agent.get("hostname"), "pid": "18534", "priority": agent.get("priority"),
        "meta_data": agent.get("meta_data"), "connected_at": time(agent, "connected_at"),
        "disconnected_at": time(agent, "disconnected_at"), "lost_at": time(agent, "lost_at"),
    })
}

/// A time as EventBridge writes it: `2019-08-11 06:01:16 UTC`.
fn time(object: &Document, key: &str) -> Option<String> {
    let millis = parse_millis(&object.text(key)?)?;
    Some(
        to_chrono(millis)
            .format("%Y-%m-%d %H:%M:%S UTC")
            .to_string(),
    )
}
