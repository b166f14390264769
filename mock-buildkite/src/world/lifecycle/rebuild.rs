//! Rebuilds: the same work again, as a new build.

use serde_json::{Value, json};

use super::job::{self, set_known};
use super::retry::make_new;
use super::{Build, World};
use crate::address;
use crate::document::BuildDocument;
use crate::document::Document;
use crate::ids::graphql_id;
use crate::time::millis_to_string;
use crate::world::{CreatedBuild, User};

impl World {
    /// Rebuilds a build: creates a `scheduled` build with the next number, as a user does over the
    /// API. The original does not change.
    ///
    /// Commit, branch, message, environment and pull request are copied, the meta-data is not.
    /// The first jobs are scheduled, later ones wait. Returns `None` if there is no build with
    /// this id.
    pub fn rebuild(&mut self, id: &str) -> Option<CreatedBuild> {
        self.rebuild_by(id, &User::demo())
    }

    /// The same for this user.
    pub(crate) fn rebuild_by(&mut self, id: &str, person: &User) -> Option<CreatedBuild> {
        let at = self.position(id)?;
        let pipeline = self.builds[at].summary.pipeline;
        let mut document = self.document(&self.builds[at]);
        let now = millis_to_string(self.clock.now_millis());
        let created = CreatedBuild {
            id: self.new_id(),
            number: 1 + self.last_number(pipeline),
        };
        begin_again(&mut document, &created, person, &now);
        *document.jobs_mut() = self.new_jobs(document.jobs(), &now);
        self.builds.push(Build::stored(document, pipeline));
        self.sort();
        self.adopt_rebuild(id, &created.id);
        Some(created)
    }

    /// The jobs as they are before the first of them runs, without superseded attempts.
    fn new_jobs(&mut self, old: &[Document], now: &str) -> Vec<Document> {
        let mut jobs = Vec::new();
        let mut state = "scheduled";
        for one in old.iter().filter(|one| !one.is_true("retried")) {
            let mut new = one.clone();
            address::give_job_id(&mut new, &self.new_id());
            if job::is_of_type(&new, "manual") {
                state = "blocked";
            } else if job::is_of_type(&new, "waiter") && state == "scheduled" {
                state = "waiting";
            }
            begin_job_again(&mut new, state, now);
            jobs.push(new);
        }
        jobs
    }
}

/// Sets the fields that differ from the original.
fn begin_again(build: &mut BuildDocument, created: &CreatedBuild, person: &User, now: &str) {
    let [url, web_url] = ["url", "web_url"].map(|key| build.fields().text(key).unwrap_or_default());
    let original = json!({"id": build.get("id"), "number": build.get("number"), "url": url});
    for old in [url, web_url] {
        let place = old.rsplit_once('/').unwrap_or_default().0;
        address::move_build(build, &old, &format!("{place}/{}", created.number));
    }
    build.set("id", &created.id);
    build.set("graphql_id", graphql_id("Build", &created.id));
    build.set("number", created.number);
    build.set("state", "scheduled");
    build.set("blocked", false);
    build.set("source", "api");
    build.set(
        "author",
        json!({"name": person.name, "email": person.email}),
    );
    build.set("creator", person.object());
    build.set("created_at", now);
    build.set("scheduled_at", now);
    build.set("meta_data", json!({}));
    build.set("rebuilt_from", original);
    for key in ["cancel_reason", "started_at", "finished_at"] {
        build.set(key, Value::Null);
    }
    for key in ["failing_at", "triggered_from"] {
        if build.fields().raw(key).is_some() {
            build.set(key, Value::Null);
        }
    }
}

fn begin_job_again(one: &mut Document, state: &str, now: &str) {
    make_new(one, now);
    set_known(one, "scheduled_at", now);
    set_known(one, "retried", false);
    for key in [
        "retried_in_job_id",
        "retries_count",
        "retry_source",
        "retry_type",
        "retried_by",
        "unblocked_at",
        "unblocked_by",
        "triggered_build",
    ] {
        set_known(one, key, Value::Null);
    }
    set_known(one, "unblockable", true);
    if !job::is_in(one, &["broken"]) {
        set_known(one, "state", state);
    }
    if state == "scheduled" && !job::is_in(one, &["broken"]) {
        set_known(one, "runnable_at", now);
    }
}
