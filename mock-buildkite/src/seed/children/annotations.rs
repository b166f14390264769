//! Annotations of builds and jobs.

use serde_json::json;

use super::{BuildChildren, Child};
use crate::document::Document;
use crate::time::{millis_to_string, parse_millis};

/// Bodies as the API renders them.
const BODIES: [&str; 4] = [
    "<p>All 42 tests passed</p>\n",
    "<details><summary>2 failures</summary>\n\n<pre><code>expected: &lt;1&gt;\n     got: &quot;1&quot;</code></pre>\n</details>\n",
    "<p>✨ <strong>Coverage</strong> 81.3 % → 81.9 %</p>\n",
    "<p>Zahlungsübersicht: <a href=\"https://ci.example.com/report?a=1&amp;b=2\">report</a></p>\n",
];

impl BuildChildren<'_> {
    /// `GET BUILD/annotations?scope=all`: those of the build, then those of its jobs.
    pub(super) fn annotations(&self) -> Vec<Child> {
        let mut annotations = Vec::new();
        let build = self.id();
        let started = self.build.fields().text("started_at");
        if let Some(started) = started.and_then(|time| parse_millis(&time)) {
            let count = match self.rng(32, &build).below(10) {
                0..5 => 0,
                5..9 => 1,
                _ => 2,
            };
            for at in 0..count {
                annotations.push((None, self.annotation(&build, None, at, started)));
            }
        }
        for job in self.started_jobs() {
            let id = job.text("id").unwrap_or_default();
            let started = job.text("started_at").and_then(|time| parse_millis(&time));
            if self.rng(33, &id).percent(8) {
                let object = self.annotation(&id, Some(&id), 0, started.unwrap_or(0));
                annotations.push((Some(id), object));
            }
        }
        annotations
    }

    fn annotation(&self, owner: &str, job: Option<&str>, at: u64, started: i64) -> Document {
        let mut rng = self.rng(34 + at, owner);
        let created = started + rng.skewed(1000, 60_000);
        let id = rng.uuid(created).to_string();
        let context = ["default", "test-results"][usize::from(at > 0)];
        let style = rng.pick(&["success", "info", "warning", "error"]);
        Document::from(json!({
            "id": id,
            "context": context,
            "style": style,
            "scope": if job.is_some() { "job" } else { "build" },
            "job_id": job,
            "priority": 3 + rng.below(3),
            "body_html": rng.pick(&BODIES),
            "created_at": millis_to_string(created),
            "updated_at": millis_to_string(created + rng.skewed(0, 90_000)),
        }))
    }
}
