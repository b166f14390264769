//! Step uploads of builds.

use serde_json::{Value, json};

use super::{BuildChildren, Child};
use crate::document::Document;
use crate::ids::graphql_id;
use crate::time::{millis_to_string, parse_millis};

/// What the first job of a build uploads.
const DEFINITION: &str = "steps:\n  - label: \":test_tube: Unit tests\"\n    command: make test\n";

impl BuildChildren<'_> {
    /// `GET BUILD/step-uploads`: the first job of a build uploads its steps.
    pub(super) fn step_uploads(&self) -> Vec<Child> {
        let mut started = self.started_jobs();
        let first = started.find(|job| job.text("step_key").as_deref() == Some("upload"));
        first
            .map(|job| (None, self.upload(job)))
            .into_iter()
            .collect()
    }

    fn upload(&self, job: &Document) -> Document {
        let job_id = job.text("id").unwrap_or_default();
        let mut rng = self.rng(42, &job_id);
        let started = job.text("started_at").and_then(|time| parse_millis(&time));
        let created = started.unwrap_or(0) + rng.skewed(500, 4000);
        let uuid = rng.uuid(created).to_string();
        let is_rejected = rng.percent(5);
        Document::from(json!({
            "uuid": uuid,
            "graphql_id": graphql_id("PipelineUpload", &uuid),
            "state": if is_rejected { "rejected" } else { "applied" },
            "source": "agent",
            "source_job_id": job_id,
            "replace_existing_steps": false,
            "created_jobs_count": if is_rejected { Value::Null } else { json!(self.build.jobs().len() - 1) },
            "rejection_type": is_rejected.then_some("invalid"),
            "message": is_rejected.then_some("`steps` must not be empty"),
            "url": format!("{}/step-uploads/{uuid}", self.url()),
            "created_at": millis_to_string(created),
            "processed_at": millis_to_string(created + rng.skewed(5, 400)),
            "definition_bytes": DEFINITION.len(),
            "definition_yaml": DEFINITION,
            "definition_yaml_omitted": false,
        }))
    }
}
