//! The jobs of a build, paged by cursor, and the single job.

use super::cursor::Rows;
use super::resources::Links;
use super::{Call, Outcome, Reply};
use crate::document::Document;
use crate::world::{BuildDocument, is_known_job_state, job_matches};

/// `GET …/builds/{number}/jobs`: retried attempts are shown unless refused.
pub(super) fn list(call: &Call<'_>, path: [&str; 3]) -> Outcome {
    let build = call.world.document(call.build(path)?);
    let states: Vec<String> = call.query.all("state").map(str::to_owned).collect();
    if let Some(unknown) = states.iter().find(|state| !is_known_job_state(state)) {
        return Err(Reply::error(400, &format!("Unknown job state: {unknown}")));
    }
    let asked = (0..build.jobs().len())
        .filter(|at| is_asked(call, &build, *at, &states))
        .collect();
    let ids = build.jobs().iter().map(|job| job.text("id"));
    let ids = ids.map(Option::unwrap_or_default).collect();
    Rows { ids, asked }.page(call, Links::All, |at, out| {
        build.jobs()[at].write(out, |key| key != "group_key");
    })
}

/// `GET …/builds/{number}/jobs/{job}`
pub(super) fn get(call: &Call<'_>, path: [&str; 3], id: &str) -> Outcome {
    one(&call.world.document(call.build(path)?), id)
}

/// `GET /v2/organizations/{organization}/jobs/{job}`
pub(super) fn get_in_organization(call: &Call<'_>, organization: &str, id: &str) -> Outcome {
    let owner = call.organization(organization)?;
    let world = &call.world;
    let build = world.build_of_job(owner, id);
    let build = build.filter(|build| call.sees(build.facts.pipeline));
    let build = build.ok_or_else(|| Reply::error(404, "No job found"))?;
    one(&world.document(build), id)
}

fn one(build: &BuildDocument, id: &str) -> Outcome {
    let job = build.jobs().iter().find(|job| is(job, id));
    let job = job.ok_or_else(|| Reply::error(404, "No job found"))?;
    let mut body = Vec::new();
    job.write(&mut body, |key| key != "group_key");
    Ok(Reply::ok(body))
}

fn is(job: &Document, id: &str) -> bool {
    job.text("id").as_deref() == Some(id)
}

fn is_asked(call: &Call<'_>, build: &BuildDocument, at: usize, states: &[String]) -> bool {
    let job = &build.jobs()[at];
    let has_key = |key: &str| {
        let asked = call.query.get(key);
        asked.is_none_or(|value| job.text(key).as_deref() == Some(value))
    };
    (call.query.is_set("include_retried_jobs", true) || !job.is_true("retried"))
        && (states.is_empty() || job_matches(build, at, states))
        && has_key("step_key")
        && has_key("group_key")
}
