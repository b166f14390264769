//! A build as a document, with its jobs apart from its other fields.

use serde::Serialize;
use serde_json::Value;

use super::Document;

/// A build as an object that can be changed: its fields and its jobs.
#[derive(Debug, Clone)]
pub struct BuildDocument {
    /// All fields; `jobs` and a live `pipeline` are placeholders here.
    fields: Document,
    /// None if the object has no key `jobs`.
    jobs: Option<Vec<Document>>,
    /// True if the pipeline is written from the world, with its present counters.
    pub(crate) has_live_pipeline: bool,
}

impl BuildDocument {
    /// Reads a build's object, jobs included.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let mut fields = Document::parse(text)?;
        let jobs = fields.raw("jobs").map(serde_json::from_str).transpose()?;
        if jobs.is_some() {
            fields.set("jobs", Value::Null);
        }
        Ok(Self {
            fields,
            jobs,
            has_live_pipeline: false,
        })
    }

    /// Makes the pipeline the world's own.
    pub(crate) fn with_live_pipeline(mut self) -> Self {
        self.fields.set("pipeline", Value::Null);
        self.has_live_pipeline = true;
        self
    }

    /// The build's own fields, for changes that `set` cannot make.
    pub(crate) fn fields_mut(&mut self) -> &mut Document {
        &mut self.fields
    }

    /// The build's own fields.
    #[must_use]
    pub fn fields(&self) -> &Document {
        &self.fields
    }

    /// The value of a field of the build, `Null` if it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Value {
        self.fields.get(key)
    }

    /// Sets a field of the build: `build.set("state", "passed")`.
    pub fn set(&mut self, key: &str, value: impl Serialize) {
        self.fields.set(key, value);
    }

    /// The jobs, in the order they are served, retried ones included.
    #[must_use]
    pub fn jobs(&self) -> &[Document] {
        self.jobs.as_deref().unwrap_or_default()
    }

    /// The jobs, to change, add or remove some.
    pub fn jobs_mut(&mut self) -> &mut Vec<Document> {
        if self.jobs.is_none() {
            self.fields.set("jobs", Value::Null);
        }
        self.jobs.get_or_insert_default()
    }

    /// The job with this id.
    pub fn job_mut(&mut self, id: &str) -> Option<&mut Document> {
        let jobs = self.jobs.as_mut()?;
        jobs.iter_mut()
            .find(|job| job.text("id").as_deref() == Some(id))
    }

    /// The whole build as compact JSON; a live pipeline is null.
    pub(crate) fn to_json(&self) -> String {
        let mut whole = self.fields.clone();
        if let Some(jobs) = &self.jobs {
            whole.set("jobs", jobs);
        }
        whole.to_json()
    }

    /// True if the object has a key `jobs`.
    pub(crate) fn has_jobs(&self) -> bool {
        self.jobs.is_some()
    }
}
