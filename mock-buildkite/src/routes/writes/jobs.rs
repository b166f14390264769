//! Jobs: retried, given another priority, unblocked.

use serde_json::{Value, json};

use super::body::{Body, as_text};
use super::{Call, Outcome, Reply, refused};
use crate::document::Document;
use crate::routes::jobs::{find as find_job, no_job, one};
use crate::routes::params::{JobPath, Params};

/// Why no job of a canceled build is retried.
pub(super) const NOT_FROM_CANCELED: &str = "Jobs from canceled builds cannot be retried";

/// A job that whoever asks may change.
pub(super) struct Found {
    pub(super) build: String,
    /// True if its build is canceled, or about to be.
    is_canceled: bool,
    pub(super) id: String,
    pub(super) job: Document,
}

/// The job of either path.
pub(super) fn find(call: &Call<'_>, path: JobPath<'_>) -> Result<Found, Reply> {
    let (build, id) = find_job(call, path)?;
    let document = call.world.document(build);
    let mut jobs = document.jobs().iter();
    let job = jobs.find(|job| job.text("id").as_deref() == Some(id));
    let job = job.ok_or_else(no_job)?.clone();
    call.may_write(build.summary.pipeline)?;
    Ok(Found {
        build: build.summary.id.to_string(),
        is_canceled: matches!(&*build.summary.state, "canceled" | "canceling"),
        id: id.to_owned(),
        job,
    })
}

impl Found {
    fn is_of_type(&self, kind: &str) -> bool {
        self.job.text("type").as_deref() == Some(kind)
    }

    pub(super) fn is_in(&self, states: &[&str]) -> bool {
        let state = self.job.text("state");
        state.is_some_and(|state| states.contains(&state.as_str()))
    }
}

/// `PUT JOB/retry`. Steps that may be retried once they passed are not known here.
pub(in crate::routes) fn retry(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = find(call, params.job())?;
    let user = call.user()?;
    let not_ended = || {
        let message = "Only failed, timed out or canceled jobs can be retried";
        Reply::error(400, message)
    };
    if !found.is_of_type("script") {
        return Err(not_ended());
    }
    if found.job.is_true("retried") {
        return Err(Reply::error(400, "Jobs can only be retried once"));
    }
    if found.is_canceled {
        return Err(refused(NOT_FROM_CANCELED));
    }
    if !found.is_in(&["failed", "timed_out", "canceled", "expired"]) {
        return Err(not_ended());
    }
    let new = call.world.retry_job_by(&found.build, &found.id, &user);
    let new = new.ok_or_else(not_ended)?;
    call.world.resume_autoplay(&found.build);
    reply(call, &found.build, &new)
}

/// `PUT JOB/reprioritize`
pub(in crate::routes) fn reprioritize(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = find(call, params.job())?;
    let body = Body::parse(call)?;
    let priority = body.value("priority").and_then(Value::as_i64);
    let refusal = || Reply::error(400, "Priority must be an integer");
    let priority = priority.ok_or_else(refusal)?;
    if found.job.raw("priority").is_none() {
        // The text is inferred.
        let message = "This job type cannot be reprioritized";
        return Err(Reply::error(400, message));
    }
    call.world.change_build(&found.build, |build| {
        if let Some(job) = build.job_mut(&found.id) {
            job.set("priority", json!({ "number": priority }));
        }
    });
    reply(call, &found.build, &found.id)
}

/// `PUT JOB/unblock`. A body that is `null` breaks the real API, too.
pub(in crate::routes) fn unblock(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = find(call, params.job())?;
    if call.body.trim_ascii() == b"null" {
        return Err(Reply::error(500, "Something went wrong"));
    }
    let mut body = Body::parse(call)?;
    if !found.is_of_type("manual") {
        return Err(Reply::error(400, "This job type cannot be unblocked"));
    }
    if found.is_canceled {
        return Err(refused("Jobs from canceled builds cannot be unblocked"));
    }
    if !found.is_in(&["blocked"]) {
        return Err(refused("The job's state must be blocked"));
    }
    let unblocker = body.text("unblocker");
    let fields = body.object("fields").unwrap_or_default();
    for key in required(&found.job) {
        if fields
            .get(&key)
            .is_none_or(|value| as_text(value).is_empty())
        {
            // Inferred.
            body.fail(&key, "missing");
        }
    }
    body.check()?;
    let user = match unblocker {
        None => call.user()?.object(),
        Some(id) => person(call, params.organization(), &id)?,
    };
    if !call.world.unblock_job_by(&found.build, &found.id, &user) {
        return Err(refused("The job's state must be blocked"));
    }
    call.world.change_build(&found.build, |build| {
        let mut meta_data = build.get("meta_data");
        for (key, value) in &fields {
            meta_data[key] = as_text(value).into();
        }
        build.set("meta_data", meta_data);
    });
    call.world.resume_autoplay(&found.build);
    reply(call, &found.build, &found.id)
}

/// Keys of the fields that a block step cannot do without.
fn required(job: &Document) -> Vec<String> {
    let fields = job.get("fields");
    let fields = fields.as_array().into_iter().flatten();
    let needed = fields.filter(|field| field["required"] == true);
    needed
        .filter_map(|field| field["key"].as_str().map(str::to_owned))
        .collect()
}

/// The member of the organization with this id: the owner of a token, or one who is listed.
fn person(call: &Call<'_>, organization: &str, id: &str) -> Result<Value, Reply> {
    let mut tokens = call.world.tokens.iter();
    if let Some(token) = tokens.find(|token| token.user.id == id) {
        return Ok(token.user.object());
    }
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let members = call.world.at("organization_members", &place);
    let mut members = members.iter().map(|entry| &entry.object);
    let member = members.find(|member| member.text("id").as_deref() == Some(id));
    let member = member.map(|member| {
        json!({
            "id": id, "graphql_id": member.get("graphql_id"), "name": member.get("name"),
            "email": member.get("email"), "avatar_url": member.get("avatar_url"),
            "created_at": member.get("created_at"),
        })
    });
    member.ok_or_else(|| refused("Unblocker is not a valid user id for this organization"))
}

fn reply(call: &Call<'_>, build: &str, id: &str) -> Outcome {
    let build = call.world.build_by_id(build).ok_or_else(no_job)?;
    one(&call.world.document(build), id)
}
