//! What hangs off a job: its log, its artifacts, and sessions on its machine.

use serde_json::json;

use super::jobs;
use crate::rng::Rng;
use crate::routes::params::Params;
use crate::routes::path_objects::missing;
use crate::routes::{Call, Outcome, Reply};
use crate::time::to_chrono;

/// How long the credentials of a session are valid, in milliseconds.
const SESSION: i64 = 30 * 60_000;

/// `DELETE JOB/log`
pub(in crate::routes) fn delete_log(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = jobs::find(call, params.job())?;
    let removed = call
        .world
        .remove_of_build("job_logs", &found.build, &found.id);
    if removed {
        Ok(Reply::no_content())
    } else {
        Err(Reply::error(404, "No log found"))
    }
}

/// `DELETE JOB/artifacts/{id}`
pub(in crate::routes) fn delete_artifact(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = jobs::find(call, params.job())?;
    let id = params.get("id");
    let build = call.world.build_by_id(&found.build);
    let artifacts = build.map(|build| call.world.of_build("artifacts", build));
    let mut artifacts = artifacts.into_iter().flatten();
    let is_it = |object: &crate::document::Document| {
        object.text("id").as_deref() == Some(id)
            && object.text("state").as_deref() != Some("deleted")
    };
    let artifact =
        artifacts.find(|one| is_it(&one.object) && one.job().as_ref() == Some(&found.id));
    let mut artifact = artifact.ok_or_else(|| missing("artifact"))?;
    artifact.object.set("state", "deleted");
    call.world.replace_entry("artifacts", artifact);
    Ok(Reply::no_content())
}

/// `POST ORG/jobs/{id}/ssh-session` and `…/vnc-session`: only for a job that runs on a hosted Mac.
pub(in crate::routes) fn open_session(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let found = jobs::find(call, params.job())?;
    if !found.is_in(&["running"]) {
        return Err(Reply::error(422, "Remote sessions need a running job"));
    }
    if !call.world.is_hosted_mac(&found.job) {
        return Err(Reply::error(404, "Not Found"));
    }
    let expires = to_chrono(call.world.clock.now_millis() + SESSION);
    let mut rng = Rng::of_text(&found.id);
    let mut session = json!({
        "endpoint": "wss://sessions.example.com",
        "access_token": rng.hex(40),
        "expires_at": expires.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    if call.path.ends_with("ssh-session") {
        session["transport"] = json!("namespace_ingress");
        session["ssh"] = json!({"username": "runner", "private_key": rng.hex(64)});
    } else {
        session["vnc"] = json!({"username": "runner", "password": rng.hex(12)});
    }
    Ok(Reply::value(&session))
}
