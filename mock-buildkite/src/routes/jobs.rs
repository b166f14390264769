//! The jobs of a build, paged by cursor, and the single job.

use super::cursor_pages::Rows;
use super::params::{JobPath, Params};
use super::resources::Links;
use super::{Call, Outcome, Reply};
use crate::document::{BuildDocument, Document};
use crate::world::{Build, is_known_job_state, job_matches};

/// `GET …/builds/{number}/jobs`: retried attempts are included by default.
pub(super) fn list(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let build = call.world.document(call.build(params.build())?);
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

/// `GET JOB`
pub(super) fn get(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let (build, id) = find(call, params.job())?;
    one(&call.world.document(build), id)
}

/// The build of a job that the token sees, and the id of the job.
pub(super) fn find<'a, 'b>(
    call: &'a Call<'_>,
    path: JobPath<'b>,
) -> Result<(&'a Build, &'b str), Reply> {
    match path {
        JobPath::OfBuild(path, id) => Ok((call.build(path)?, id)),
        JobPath::OfOrganization(organization, id) => {
            let owner = call.organization(organization)?;
            let build = call.world.build_of_job(owner, id);
            let build = build.filter(|build| call.sees(build.summary.pipeline));
            Ok((build.ok_or_else(no_job)?, id))
        }
    }
}

/// The job of a build as it is served on its own.
pub(super) fn one(build: &BuildDocument, id: &str) -> Outcome {
    let job = build.jobs().iter().find(|job| is(job, id));
    let mut body = Vec::new();
    job.ok_or_else(no_job)?
        .write(&mut body, |key| key != "group_key");
    Ok(Reply::ok(body))
}

pub(super) fn no_job() -> Reply {
    Reply::error(404, "No job found")
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
