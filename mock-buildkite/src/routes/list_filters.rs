//! The filters of plain lists.

use super::{Call, Reply};
use crate::document::Document;
use crate::pattern::matches;
use crate::world::Kind;

/// Whether an object matches.
pub(super) type Predicate<'a> = Box<dyn Fn(&Document) -> bool + 'a>;

/// Reads the filters of a request.
pub(super) type Filter = for<'a> fn(&'a Call<'a>) -> Result<Predicate<'a>, Reply>;

/// True if the query does not filter by the key, or the object has the value.
fn is(call: &Call<'_>, key: &str, object: &Document, field: &str) -> bool {
    let asked = call.query.get(key);
    asked.is_none_or(|value| object.text(field).as_deref() == Some(value))
}

/// `name`, `hostname`, `version`, `cluster_queue_id`.
pub(super) fn agents<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    Ok(Box::new(|agent| {
        let queue = call.query.get("cluster_queue_id");
        let in_queue = |id: &str| {
            let url = agent.text("cluster_queue_url");
            url.is_some_and(|url| url.ends_with(&format!("/{id}")))
        };
        ["name", "hostname", "version"]
            .iter()
            .all(|key| is(call, key, agent, key))
            && queue.is_none_or(in_queue)
    }))
}

/// `state`, which must be known, and `path`, in which `*` stands for anything.
pub(super) fn artifacts<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    const STATES: [&str; 5] = ["new", "error", "finished", "deleted", "expired"];
    if let Some(state) = call
        .query
        .get("state")
        .filter(|state| !STATES.contains(state))
    {
        return Err(Reply::error(
            422,
            &format!("Unknown artifact state: {state}"),
        ));
    }
    Ok(Box::new(|artifact| {
        let path = artifact.text("path").unwrap_or_default();
        let glob = call.query.get("path");
        is(call, "state", artifact, "state") && glob.is_none_or(|glob| matches(glob, &path))
    }))
}

/// `scope` of the annotations of a build: `build`, the default, `job` or `all`.
pub(super) fn annotations<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    let asked = call.query.get("scope").unwrap_or("build");
    if !["build", "job", "all"].contains(&asked) {
        return Err(Reply::error(400, "scope must be one of build, job, all"));
    }
    Ok(Box::new(move |annotation| {
        // Answers of 2023 do not name the scope.
        let scope = annotation.text("scope");
        asked == "all" || scope.as_deref().unwrap_or("build") == asked
    }))
}

/// `filter[source_job_id]`
pub(super) fn step_uploads<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    Ok(Box::new(|upload| {
        is(call, "filter[source_job_id]", upload, "source_job_id")
    }))
}

/// `repository=owner/name`
pub(super) fn repositories<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    Ok(Box::new(|repository| {
        is(call, "repository", repository, "full_name")
    }))
}

/// `user_id`: the teams of a user.
pub(super) fn teams<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    let members = call.world.objects("team_members");
    Ok(Box::new(move |team| {
        let team = team.text("id").unwrap_or_default();
        let is_of_team = |parents: &[(String, String)]| {
            parents
                .iter()
                .any(|(key, value)| key == "team_id" && *value == team)
        };
        call.query.get("user_id").is_none_or(|user| {
            members.iter().any(|member| {
                let object = Document::parse(&member.json).unwrap_or_default();
                is_of_team(&member.parents) && object.text("user_id").as_deref() == Some(user)
            })
        })
    }))
}

/// `build_id`, the id of a build.
pub(super) fn runs<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    Ok(Box::new(|run| is(call, "build_id", run, "build_id")))
}

/// `name`
pub(super) fn packages<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    Ok(Box::new(|package| is(call, "name", package, "name")))
}

/// `search` in the names.
pub(super) fn flaky_tests<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    Ok(Box::new(|test| {
        let name = test.text("name").unwrap_or_default();
        let asked = call.query.get("search");
        asked.is_none_or(|part| name.contains(part))
    }))
}

/// `label`, and with a dated version `labels`, in which `!` before a label excludes it.
pub(super) fn tests<'a>(call: &'a Call<'a>) -> Result<Predicate<'a>, Reply> {
    let is_versioned = version(call)?.is_some();
    Ok(Box::new(move |test| {
        let labels = test.get("labels");
        let has = |label: &str| {
            let labels = labels.as_array();
            labels.is_some_and(|labels| labels.iter().any(|one| one == label))
        };
        let asked = call.query.get("label").is_none_or(has);
        let labels = call.query.get("labels").filter(|_| is_versioned);
        let mut labels = labels.into_iter().flat_map(|labels| labels.split(','));
        asked
            && labels.all(|label| match label.strip_prefix('!') {
                Some(label) => !has(label),
                None => has(label),
            })
    }))
}

/// The dated version in the header of a request.
fn version<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, Reply> {
    let version = call.headers.version.as_str();
    if version.is_empty() {
        return Ok(None);
    }
    let is_date = chrono::NaiveDate::parse_from_str(version, "%Y-%m-%d").is_ok();
    if is_date && version.len() == 10 {
        return Ok(Some(version));
    }
    let message = "Buildkite-Version must be in format YYYY-MM-DD";
    Err(Reply::error(400, message))
}

/// Whether a list shows a field of its objects.
pub(super) fn shows(call: &Call<'_>, kind: &Kind, key: &str) -> bool {
    let is_detail = kind.detail.contains(&key);
    match kind.name {
        "annotations" => key != "body_html" || !call.query.is_set("omit_body", false),
        "tests" => !is_detail || call.headers.version.as_str() >= "2026-08-01",
        "test_suites" => !is_detail || call.query.is_set("show_api_token", false),
        _ => !is_detail,
    }
}
