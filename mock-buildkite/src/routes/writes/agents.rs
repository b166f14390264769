//! Agents: stopped, paused, resumed.

use serde_json::Value;

use super::body::Body;
use super::objects::{self, Hooks, Resource};
use crate::routes::params::Params;
use crate::routes::{Call, Outcome, Reply};
use crate::time::millis_to_string;

#[rustfmt::skip]
const AGENT: Resource = Resource {
    collection: "agents", path: "agents", item: "id", noun: "agent",
    fields: &[], hooks: Hooks::NONE,
};

/// How long a pause lasts unless the request says otherwise.
const PAUSE_MINUTES: i64 = 5;
/// The longest pause: a day.
const MOST_MINUTES: i64 = 1440;

/// `PUT ORG/agents/{id}/stop`: with `force`, the default, its job is canceled; without, the agent
/// stops once its job has ended.
pub(in crate::routes) fn stop(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let mut body = Body::parse(call)?;
    let is_forced = body.flag("force").unwrap_or(true);
    let id = params.get("id").to_owned();
    let now = millis_to_string(call.world.clock.now_millis());
    let is_busy = call.world.running_job(&id).is_some();
    objects::act(call, params, &AGENT, |agent, _| {
        if agent.text("connection_state").as_deref() != Some("connected") {
            return Err(Reply::error(400, "Can only stop connected agents"));
        }
        if is_busy && !is_forced {
            agent.set("connection_state", "stopping");
        } else {
            agent.set("connection_state", "stopped");
            agent.set("stopped_at", now);
        }
        Ok(())
    })?;
    let name = if is_busy && !is_forced {
        "agent.stopping"
    } else {
        "agent.stopped"
    };
    call.world.note_agent(name, &id);
    if is_forced {
        call.world.stop_agent_job(&id);
    }
    Ok(Reply::no_content())
}

/// `PUT ORG/agents/{id}/pause`
pub(in crate::routes) fn pause(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let mut body = Body::parse(call)?;
    let note = body.text("note");
    let minutes = body.integer("timeout_in_minutes").unwrap_or(PAUSE_MINUTES);
    if !(1..=MOST_MINUTES).contains(&minutes) {
        body.fail("timeout_in_minutes", "must be between 1 and 1440");
    }
    body.check_reason()?;
    objects::act(call, params, &AGENT, |agent, context| {
        if agent.is_true("paused") {
            return Err(Reply::error(422, "Agent is already paused"));
        }
        if agent.text("connection_state").as_deref() != Some("connected") {
            return Err(Reply::error(422, "Only connected agents may be paused"));
        }
        agent.set("paused", true);
        agent.set("paused_at", &context.now);
        agent.set("paused_by", &context.user);
        agent.set("paused_note", note);
        agent.set("paused_timeout_in_minutes", minutes);
        Ok(())
    })?;
    Ok(Reply::no_content())
}

/// `PUT ORG/agents/{id}/resume`
pub(in crate::routes) fn resume(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::act(call, params, &AGENT, |agent, _| {
        if !agent.is_true("paused") {
            return Err(Reply::error(422, "Agent is not paused"));
        }
        agent.set("paused", false);
        for key in ["paused_at", "paused_by", "paused_note"] {
            agent.set(key, Value::Null);
        }
        agent.set("paused_timeout_in_minutes", PAUSE_MINUTES);
        Ok(())
    })?;
    Ok(Reply::no_content())
}
