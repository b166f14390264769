//! Builds: made, canceled, made again, their failed jobs retried.

use serde_json::{Map, Value, json};

use super::admission::admit;
use super::body::{Body, as_text};
use super::jobs::NOT_FROM_CANCELED;
use super::{Call, Outcome, Reply, refused};
use crate::document::Document;
use crate::fixture::BuildFixture;
use crate::pattern::is_in_branch_filter;
use crate::routes::params::Params;
use crate::world::{User, View};

/// The body of a request for a build.
struct BuildRequest {
    commit: String,
    branch: String,
    message: Option<String>,
    author: Value,
    env: Map<String, Value>,
    meta_data: Map<String, Value>,
    pull_request: Value,
    ignores_filters: bool,
}

/// `POST PIPE/builds`
pub(in crate::routes) fn create(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let [organization, slug] = params.pipeline();
    let at = call.pipeline([organization, slug])?;
    call.may_write(at)?;
    let user = call.user()?;
    let mut body = Body::parse(call)?;
    let request = BuildRequest::read(&mut body, &user);
    body.check()?;
    let pipeline = call.world.pipeline_object(at);
    admit(&pipeline, &request.branch, request.ignores_filters)?;
    let facts = request.facts();
    let fixture = request.fixture(BuildFixture::new(organization, slug), &pipeline, &user);
    let made = call.world.create_whole_build(at, fixture, facts);
    make_way(call, at, &pipeline, &made.id);
    reply(call, 201, &made.id)
}

impl BuildRequest {
    fn read(body: &mut Body, user: &User) -> Self {
        let author = body.object("author").map(Value::Object);
        let env = body.object("env").unwrap_or_default();
        if env.values().any(|value| !value.is_string()) {
            body.fail("env", "invalid");
        }
        // It changes nothing that an answer shows.
        let _is_clean = body.is_true("clean_checkout");
        Self {
            commit: body.required_text("commit"),
            branch: body.required_text("branch"),
            message: body.text("message"),
            author: author.unwrap_or_else(|| json!({"name": user.name, "email": user.email})),
            env,
            meta_data: body.object("meta_data").unwrap_or_default(),
            pull_request: pull_request(body),
            ignores_filters: body.is_true("ignore_pipeline_branch_filters"),
        }
    }

    /// What the conditions of steps ask about.
    fn facts(&self) -> Value {
        json!({
            "branch": self.branch, "commit": self.commit, "message": self.message,
            "env": self.env, "source": "api", "tag": null, "pull_request": self.pull_request,
            "author": self.author,
        })
    }

    fn fixture(self, empty: BuildFixture, pipeline: &Document, user: &User) -> BuildFixture {
        let mut build = empty
            .state("scheduled")
            .commit(&self.commit)
            .branch(&self.branch)
            .field("message", self.message)
            .field("env", self.env)
            .field("author", self.author)
            .field("creator", user.object())
            .field("failing_at", Value::Null)
            .field("pull_request", self.pull_request)
            .field("cluster_id", pipeline.get("cluster_id"))
            .field("cluster_url", pipeline.get("cluster_url"));
        for (key, value) in &self.meta_data {
            build = build.meta_data(key, &as_text(value));
        }
        build
    }
}

/// The pull request that a build is made for.
fn pull_request(body: &mut Body) -> Value {
    let base = body.text("pull_request_base_branch");
    let repository = body.text("pull_request_repository");
    let labels = body.array("pull_request_labels");
    match body.integer("pull_request_id") {
        None => Value::Null,
        Some(id) => json!({
            "id": id.to_string(), "base": base, "repository": repository,
            "labels": labels.unwrap_or_default(),
        }),
    }
}

/// Older builds of the branch give way, if the pipeline says so: scheduled ones are skipped,
/// running ones canceled.
fn make_way(call: &mut Call<'_>, at: usize, pipeline: &Document, id: &str) {
    let Some(new) = call.world.build_by_id(id) else {
        return;
    };
    let branch = new.summary.branch.clone();
    let applies = |key: &str| {
        let filter = pipeline.text(&format!("{key}_filter")).unwrap_or_default();
        pipeline.is_true(key) && is_in_branch_filter(&filter, &branch)
    };
    let skips = applies("skip_queued_branch_builds");
    let cancels = applies("cancel_running_branch_builds");
    let older = call.world.builds.iter().filter(|build| {
        build.summary.pipeline == at && build.summary.branch == branch && *build.summary.id != *id
    });
    let older: Vec<String> = older.map(|build| build.summary.id.to_string()).collect();
    for id in older {
        let state = call
            .world
            .build_by_id(&id)
            .map(|build| build.summary.state.clone());
        match state.as_deref() {
            Some("creating" | "scheduled") if skips => {
                call.world.skip_build(&id);
            }
            Some("running" | "failing") if cancels && call.world.cancel_build(&id) => {
                call.world.resume_autoplay(&id);
            }
            _ => {}
        }
    }
}

/// `PUT BUILD/cancel`. One that is being canceled is answered as it stands (inferred).
pub(in crate::routes) fn cancel(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let path = params.build();
    let (id, _) = call.build_to_change(path)?;
    let is_canceling = &*call.build(path)?.summary.state == "canceling";
    if !is_canceling {
        if !call.world.cancel_build(&id) {
            return Err(refused(
                "Build can't be canceled because it's already finished.",
            ));
        }
        call.world.resume_autoplay(&id);
    }
    reply(call, 200, &id)
}

/// `PUT BUILD/rebuild`; the texts of its refusals are inferred.
pub(in crate::routes) fn rebuild(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let (id, at) = call.build_to_change(params.build())?;
    let user = call.user()?;
    let pipeline = call.world.pipeline_object(at);
    if pipeline.raw("allow_rebuilds") == Some("false") {
        return Err(refused("Rebuilds have been disabled for this pipeline"));
    }
    if !pipeline.get("archived_at").is_null() {
        return Err(refused("Builds can't be created on an archived pipeline"));
    }
    let made = call.world.rebuild_by(&id, &user);
    let made = made.ok_or_else(|| Reply::error(404, "No build found"))?;
    call.world.resume_autoplay(&made.id);
    reply(call, 200, &made.id)
}

/// The states that can be asked for.
const RETRYABLE: [&str; 5] = ["canceled", "expired", "failed", "soft_failed", "timed_out"];

/// `PUT BUILD/retry_failed_jobs`: the answer shows the build as it was before the retries, which
/// the real API does later.
pub(in crate::routes) fn retry_failed_jobs(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let path = params.build();
    let (id, _) = call.build_to_change(path)?;
    let user = call.user()?;
    let mut body = Body::parse(call)?;
    let asked = body.text("states").unwrap_or_default();
    body.check()?;
    let states = retryable(&asked)?;
    let build = call.build(path)?;
    if matches!(&*build.summary.state, "canceled" | "canceling") {
        return Err(refused(NOT_FROM_CANCELED));
    }
    let document = call.world.document(build);
    let jobs = document.jobs().iter().filter(|job| {
        let is_script = job.text("type").as_deref() == Some("script");
        is_script && !job.is_true("retried") && states.contains(&state_of(job).as_str())
    });
    let jobs: Vec<String> = jobs.filter_map(|job| job.text("id")).collect();
    let mut reply = reply(call, 202, &id)?;
    let text = String::from_utf8_lossy(&reply.body);
    let mut answer = Document::parse(&text).expect("a build is an object");
    answer.set("retried_jobs_count", jobs.len());
    reply.body = answer.to_json().into_bytes();
    for job in &jobs {
        call.world.retry_job_by(&id, job, &user);
    }
    if !jobs.is_empty() {
        call.world.resume_autoplay(&id);
    }
    Ok(reply)
}

/// The states named by `failed,soft_failed`: all of them if none is.
fn retryable(asked: &str) -> Result<Vec<&str>, Reply> {
    let states = asked.split(',').map(str::trim);
    let states: Vec<&str> = states.filter(|state| !state.is_empty()).collect();
    let unknown = states.iter().filter(|state| !RETRYABLE.contains(state));
    let unknown: Vec<&str> = unknown.copied().collect();
    if !unknown.is_empty() {
        let (unknown, valid) = (unknown.join(", "), RETRYABLE.join(", "));
        let message = format!("Invalid states: {unknown}. Valid states are {valid}.");
        return Err(Reply::error(400, &message));
    }
    Ok(if states.is_empty() {
        RETRYABLE.to_vec()
    } else {
        states
    })
}

/// The state of a job, where a soft failure is one of its own.
fn state_of(job: &Document) -> String {
    match job.text("state").as_deref() {
        Some("failed") if job.is_true("soft_failed") => "soft_failed".to_owned(),
        state => state.unwrap_or_default().to_owned(),
    }
}

/// The whole build with this status.
fn reply(call: &Call<'_>, status: u16, id: &str) -> Outcome {
    let build = call.world.build_by_id(id);
    let build = build.ok_or_else(|| Reply::error(404, "No build found"))?;
    let view = View {
        has_jobs: true,
        has_pipeline: true,
        ..View::default()
    };
    let mut body = Vec::new();
    call.world.write_build(&mut body, build, &view);
    Ok(Reply {
        status,
        ..Reply::ok(body)
    })
}
