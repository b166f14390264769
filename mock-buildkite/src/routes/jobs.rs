//! The jobs of a build, paged by cursor, and the single job.

use serde_json::{Map, Value};

use super::page::array;
use super::{Call, Outcome, Reply};
use crate::document::{Document, ObjectWriter};
use crate::world::{BuildDocument, is_known_job_state, job_matches};

/// `GET …/builds/{number}/jobs`: retried attempts are shown unless refused.
pub(super) fn list(call: &Call<'_>, path: [&str; 3]) -> Outcome {
    let build = call.world.document(call.build(path)?);
    let states: Vec<String> = call.query.all("state").map(str::to_owned).collect();
    if let Some(unknown) = states.iter().find(|state| !is_known_job_state(state)) {
        return Err(Reply::error(400, &format!("Unknown job state: {unknown}")));
    }
    let asked: Vec<usize> = (0..build.jobs().len())
        .filter(|at| is_asked(call, &build, *at, &states))
        .collect();
    let per_page = per_page(call)?;
    let (start, end) = window(call, &build, &asked, per_page)?;
    let jobs: Vec<&Document> = asked.iter().map(|at| &build.jobs()[*at]).collect();
    let items = array(&jobs[start..end], |job, out| {
        job.write(out, |key| key != "group_key")
    });
    let mut body = Vec::new();
    let mut object = ObjectWriter::open(&mut body);
    object.raw("items", &items);
    object.raw(
        "links",
        links(call, &jobs, start, end).to_string().as_bytes(),
    );
    object.close();
    Ok(Reply::ok(body))
}

/// `GET …/builds/{number}/jobs/{job}`
pub(super) fn get(call: &Call<'_>, path: [&str; 3], id: &str) -> Outcome {
    one(&call.world.document(call.build(path)?), id)
}

/// `GET /v2/organizations/{organization}/jobs/{job}`
pub(super) fn get_in_organization(call: &Call<'_>, organization: &str, id: &str) -> Outcome {
    let owner = call.organization(organization)?;
    let world = &call.world;
    let build = world.builds.iter().find(|build| {
        let at = build.facts.pipeline;
        world.pipelines[at].organization == owner && call.sees(at) && world.has_job(build, id)
    });
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

/// Out of range is refused here, unlike in lists paged by number.
fn per_page(call: &Call<'_>) -> Result<usize, Reply> {
    let Some(text) = call.query.get("per_page") else {
        return Ok(30);
    };
    let value = text.parse().ok().filter(|value| (1..=100).contains(value));
    value.ok_or_else(|| Reply::error(400, "per_page must be between 1 and 100"))
}

/// Where the page begins and ends among the jobs asked for, given by their places in the build.
///
/// A cursor is the id of the job it stands at, which need no longer be among those.
fn window(
    call: &Call<'_>,
    build: &BuildDocument,
    asked: &[usize],
    per_page: usize,
) -> Result<(usize, usize), Reply> {
    let place = |cursor: &str| {
        let at = build.jobs().iter().position(|job| is(job, cursor));
        at.ok_or_else(|| Reply::error(400, "Invalid cursor"))
    };
    let start = match (call.query.get("after"), call.query.get("before")) {
        (Some(_), Some(_)) => {
            return Err(Reply::error(
                400,
                "after and before cannot be used together",
            ));
        }
        (Some(after), None) => {
            let cursor = place(after)?;
            asked.partition_point(|at| *at <= cursor)
        }
        (None, Some(before)) => {
            let cursor = place(before)?;
            let end = asked.partition_point(|at| *at < cursor);
            return Ok((end.saturating_sub(per_page), end));
        }
        (None, None) => 0,
    };
    Ok((start, (start + per_page).min(asked.len())))
}

/// `self`, `first`, and `next` and `prev` where there are such pages.
fn links(call: &Call<'_>, jobs: &[&Document], start: usize, end: usize) -> Value {
    let plain = call.query.without("after").without("before");
    let url = |query: String| Value::from(format!("{}/{}?{query}", call.base, call.path));
    let id = |at: usize| jobs[at].text("id").unwrap_or_default();
    let per_page = call.query.get("per_page").unwrap_or("30");
    let mut links = Map::new();
    links.insert(
        "self".to_owned(),
        url(call.query.with("per_page", per_page)),
    );
    links.insert("first".to_owned(), url(plain.with("per_page", per_page)));
    if end < jobs.len() && end > 0 {
        links.insert("next".to_owned(), url(plain.with("after", &id(end - 1))));
    }
    if start > 0 && start < jobs.len() {
        links.insert("prev".to_owned(), url(plain.with("before", &id(start))));
    }
    Value::Object(links)
}
