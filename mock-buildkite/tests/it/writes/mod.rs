//! Writes over the API: what they do, and how they are refused.

mod annotations;
mod autoplay;
mod builds;
mod faults;
mod jobs;
mod pipelines;
mod seeded;

use mock_buildkite::{MockBuildkite, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, BUILDS, Caller};

/// A fake with one pipeline, which has one step.
async fn fake() -> (MockBuildkite, Caller) {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    (server, caller)
}

/// The answer to a request for a build of `main` with these fields, too.
async fn trigger(caller: &Caller, fields: Value) -> Answer {
    let mut body = json!({"commit": "HEAD", "branch": "main"});
    for (key, value) in fields.as_object().expect("fields") {
        body[key] = value.clone();
    }
    caller.write(Method::POST, BUILDS, &body).await
}

/// The answer to a request for a build of `main` under this path.
async fn trigger_at(caller: &Caller, builds: &str) -> Answer {
    let body = json!({"commit": "HEAD", "branch": "main"});
    caller.write(Method::POST, builds, &body).await
}

async fn put(caller: &Caller, path: &str, body: Value) -> Answer {
    caller.write(Method::PUT, path, &body).await
}

fn states(build: &Value) -> Vec<&str> {
    let jobs = build["jobs"].as_array().expect("jobs");
    let states = jobs.iter().map(|job| job["state"].as_str());
    states.map(Option::unwrap_or_default).collect()
}
